"""The page of a balancer's configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.workflows.configuring import change_configuration, show_configuration

OpenPage = Callable[..., AppTest]

CONFIGURATION = """
servers:
  web-1: {address: "10.0.0.1:80"}
  web-2: {address: "10.0.0.2:80", weight: 3}
balancers: {strategy: round_robin}
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "lake").mkdir()
    file = tmp_path / "balancer.yaml"
    file.write_text(CONFIGURATION)
    settings = Settings(lake=tmp_path / "lake")
    change_configuration(file=file, balancer="web", author="anna", reason="as it runs", settings=settings)
    return settings.lake


def change(app: AppTest, lines: str, reason: str) -> AppTest:
    app.text_area[0].set_value(lines)
    next(one for one in app.text_input if one.label == "Why").set_value(reason)
    next(one for one in app.button if one.label == "Save as the next version").click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_where_no_balancer_has_a_configuration_the_page_says_how_and_makes_no_lake(
    tmp_path: Path, open_page: OpenPage
):
    app = open_page(tmp_path / "lake", "balancer")
    assert "workbench config set --file" in app.code[0].value
    assert not (tmp_path / "lake").exists()


def test_a_change_is_saved_as_the_next_version_with_who_and_why(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer", by="bert")
    change(app, "servers.web-1.weight=5\nservers.web-2.state=drain", "web-2 is repaired")
    view = show_configuration(balancer="web", settings=Settings(lake=lake))
    assert (view.version, view.author, view.reason) == (2, "bert", "web-2 is repaired")
    app.run()
    next(one for one in app.button if one.label == "Go back").click().run()
    view = show_configuration(balancer="web", settings=Settings(lake=lake))
    assert view.version == 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("servers.web-1.wieght=5", "did you mean weight?"),
        ("servers.web-*.state=drain", "usable"),
        ("", "why"),
    ],
)
def test_a_change_that_cannot_be_made_is_answered_in_place(
    lake: Path, open_page: OpenPage, lines: str, words: str
):
    app = change(open_page(lake, "balancer", by="bert"), lines, "a try")
    assert words in app.error[0].value.replace("\\", "")
    assert show_configuration(balancer="web", settings=Settings(lake=lake)).version == 1


def test_without_a_name_nothing_can_be_changed(lake: Path, open_page: OpenPage):
    app = open_page(lake, "balancer")
    assert {one.disabled for one in app.button} == {True}
