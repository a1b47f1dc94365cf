"""The page of experiments."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.simulate import load_scenario
from workbench.store import Store
from workbench.workflows import experimenting, jobs

OpenPage = Callable[..., AppTest]

SHORT = """
name: short
arrivals: {kind: poisson, rate: 300/s}
service: {kind: exponential, mean: 10ms}
pool: {count: 4}
balancers: {strategy: round_robin}
horizon: 300 requests
"""


def multiselect(app: AppTest) -> Any:
    return app.multiselect[0]


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_without_a_lake_an_experiment_can_be_prepared_and_none_is_made(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "experiments", file="mm1")
    assert app.success[0].value == "M/M/1 at 80 % load: it can be run"
    assert "offered load 80.0 %" in app.caption[0].value
    assert any("200,000 requests, runs: 1; about **" in one.value for one in app.caption)
    assert not (tmp_path / "lake").exists()


def test_every_shipped_scenario_can_be_picked_and_run(tmp_path: Path, open_page: OpenPage):
    files = experimenting.scenario_files()
    assert {"mm1", "azure_code", "retry_storm"} <= set(files)
    for file in files.values():
        checked = experimenting.check_scenario(file.read_text(), name=file.name, folder=file.parent)
        assert checked.scenario == load_scenario(file)


def test_all_that_is_wrong_is_said_at_once_each_with_its_line(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "experiments", file="mm1")
    app.text_area[0].set_value(SHORT.replace("300/s", "fast").replace("count", "cuont")).run()
    assert app.error[0].value == "2 problems; mend them to go on"
    said = [one.value.replace("\\", "") for one in app.markdown]
    assert said[0].startswith("**line 3** · `arrivals.rate`  \ngiven 'fast'; allowed: ")
    assert said[1].startswith("**line 5** · `pool[0].cuont`  \ngiven 4; allowed: one of name, count,")
    assert not app.button


def test_text_that_is_not_yaml_is_said_with_its_line(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "experiments", file="mm1")
    app.text_area[0].set_value("name: [\n").run()
    assert app.error[0].value == "1 problem; mend it to go on"
    assert "what is not YAML" in app.markdown[0].value


def test_a_strategy_that_does_not_exist_is_said_before_anything_starts(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "experiments", file="mm1")
    multiselect(app).set_value(["power_of_two(chioces=3)"]).run()
    assert "chioces" in app.error[0].value
    assert not app.button


def test_the_estimate_grows_with_strategies_and_replications_and_shrinks_with_processes():
    scenario = load_scenario({**dict(experimenting_scenario()), "horizon": "100k requests"})
    settings = Settings(lake=Path("/nowhere/lake"), jobs=1)
    one = experimenting.estimate(scenario, settings=settings)
    many = experimenting.estimate(
        scenario, strategies=["random", "round_robin"], replications=5, settings=settings
    )
    two = settings.model_copy(update={"jobs": 2})
    shared = experimenting.estimate(
        scenario, strategies=["random", "round_robin"], replications=5, settings=two
    )
    assert (one.requests, many.requests) == (1e5, 1e6)
    assert one.seconds is not None
    assert many.seconds is not None
    assert shared.seconds is not None
    assert one.seconds < shared.seconds < many.seconds


def experimenting_scenario() -> dict[str, Any]:
    return {
        "name": "pool",
        "arrivals": {"kind": "poisson", "rate": "300/s"},
        "service": {"kind": "exponential", "mean": "10ms"},
        "pool": {"count": 4},
        "balancers": {"strategy": "round_robin"},
    }


@pytest.mark.slow
def test_a_comparison_that_was_written_is_started_followed_and_opened(tmp_path: Path, open_page: OpenPage):
    settings = Settings(lake=tmp_path / "lake")
    app = open_page(settings.lake, "experiments", file="mm1")
    app.text_area[0].set_value(SHORT).run()
    multiselect(app).set_value(["random", "power_of_two(choices=3)"]).run()
    app.number_input[0].set_value(3).run()
    press(app, "Compare 2 strategies")
    number = int(app.query_params["job"])
    until = time.monotonic() + 60
    while jobs.show_job(number, settings=settings).state == "running" and time.monotonic() < until:
        time.sleep(0.2)
    app.run()
    assert [link.proto.query_string for link in app.get("page_link")] == ["comparison=1"]
    with Store(settings) as store:
        runs = store.runs()
    assert sorted({run.strategy for run in runs}) == ["power_of_two(choices=3)", "random"]
    assert sorted(run.replication for run in runs) == [0, 0, 1, 1, 2, 2]


def test_the_scenario_of_a_run_is_the_start_of_another(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "experiments", run="1", file="run 1")
    assert "name: pool of four" in app.text_area[0].value
    assert app.success[0].value == "pool of four: it can be run"


def test_a_request_is_explained_in_the_page_of_its_run(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "run", run="1", request="50")
    said = [one.value for one in app.markdown]
    assert any(one.startswith("**Request 50 of run 1: demand ") for one in said)
    table = app.table[1].value
    assert "picked" in " ".join(table.iloc[:, -1])
    assert set(table.index) == {"web-0", "web-1", "web-2", "web-3"}
