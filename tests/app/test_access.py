"""Answers are kept for as long as they are true."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from workbench.dashboard import listing
from workbench.settings import Settings
from workbench.store import NewRun, Store

OpenPage = Callable[..., AppTest]

BEGIN_AND_WAIT = """
import sys
from workbench.settings import Settings
from workbench.store import NewRun, Store
with Store(Settings(lake=sys.argv[1])) as store:
    store.begin_run(NewRun("key", "pool", "{}", "random", 1, 0, "reference", "0.1.0"))
    print("begun", flush=True)
    sys.stdin.read()
"""


def states(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["state"])


def begin(folder: Path, scenario: str) -> None:
    with Store(Settings(lake=folder)) as store:
        store.begin_run(NewRun("key", scenario, "{}", "random", 1, 0, "reference", "0.1.0"))


def test_what_another_process_stores_is_seen_at_once(tmp_path: Path, open_page: OpenPage):
    begin(tmp_path, "pool")
    app = open_page(tmp_path)
    with Store(Settings(lake=tmp_path)) as store:
        store.fail_run(1, "no room")
    app.run()
    assert states(app) == ["failed: no room"]


def test_a_run_whose_process_is_killed_is_interrupted_though_nothing_was_stored(
    tmp_path: Path, open_page: OpenPage
):
    command = [sys.executable, "-c", BEGIN_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        app = open_page(tmp_path)
        assert states(app) == ["running"]
        process.kill()
    app.run()
    assert states(app) == ["interrupted"]


def test_two_lakes_of_the_same_version_have_answers_of_their_own(tmp_path: Path, open_page: OpenPage):
    for name in ("one", "other"):
        begin(tmp_path / name, name)
        assert list(open_page(tmp_path / name).dataframe[0].value["scenario"]) == [name]


def test_a_question_that_was_answered_is_not_asked_again(lake: Any, open_page: OpenPage, monkeypatch: Any):
    asked: list[str] = []
    names = listing.scenario_names

    def counted(store: Store) -> list[str]:
        asked.append("names")
        return names(store)

    monkeypatch.setattr(listing, "scenario_names", counted)
    app = open_page(lake.folder)
    app.run()
    assert asked == ["names"]
