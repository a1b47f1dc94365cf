"""The page of a run's history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from workbench import workflows
from workbench.settings import Settings
from workbench.store import Store, queries
from workbench.workflows import rule_courses

OpenPage = Callable[..., AppTest]

BROKEN = {
    "name": "broken",
    "arrivals": {"kind": "poisson", "rate": "100/s"},
    "service": {"kind": "exponential", "mean": "15ms"},
    "pool": {"name": "web", "count": 2},
    "balancers": {"strategy": "round_robin"},
    "faults": {"kind": "failing", "servers": "web-1", "at": "20s", "lasts": "10s"},
    "horizon": "1min",
    "warm_up": "5s",
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "lake"
    workflows.run(BROKEN, settings=Settings(lake=folder))
    return folder


def alts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def test_a_run_in_which_something_broke_has_every_chart_and_a_timeline(broken: Path, open_page: OpenPage):
    app = open_page(broken, "history", run="1")
    assert app.title[0].value == "History of round\\_robin on broken"
    assert alts(app) == [
        "Faults, and what balancers noticed and did, over time",
        "Share of the requests by time and response time",
        "Percentiles of response time and arrivals over time",
        "Share of the requests of each server over time, and the imbalance",
        "waiting (requests, mean) of each server over time",
    ]


def test_a_run_in_which_nothing_can_fail_has_no_timeline(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "history", run=str(lake.alone))
    assert "What happened" not in [one.value for one in app.subheader]
    assert len(alts(app)) == 4


def test_the_window_of_the_address_is_that_of_the_figures_and_of_the_requests(
    broken: Path, open_page: OpenPage
):
    app = open_page(broken, "history", run="1", **{"from": "20", "to": "22.5"}, order="arrival")
    with Store(Settings(lake=broken)) as store:
        expected = queries.window_requests(store, run_id=1, window=(20.0, 22.5))
    assert app.metric[0].value == f"{expected.num_rows:,}"
    listed = app.dataframe[0].value
    assert listed["req_id"].tolist() == expected["req_id"].to_pylist()
    assert set(listed["outcome"]) > {"ok"}
    assert listed["arrival_s"].between(20, 22.5).all()


def test_a_rule_shows_its_signal_and_says_when_it_fired(broken: Path, open_page: OpenPage):
    app = open_page(broken, "history", run="1", rule="queues: ErrorRatioHigh")
    assert alts(app)[-1] == "Signal and threshold of ErrorRatioHigh"
    said = next(one.value for one in app.caption if "workbench_errors_total" in one.value)
    assert "it fired 1 time, from " in said


def test_what_a_rule_saw_agrees_with_the_requests(broken: Path):
    settings = Settings(lake=broken)
    rules = rule_courses.rule_files(settings=settings)["queues"]
    course = rule_courses.rule_course(rules, "ErrorRatioHigh", 1, settings=settings)
    with Store(settings) as store:
        table = queries.requests_of_run(store, run_id=1).to_pandas()
    answered = table["arrival_s"] + table["response_s"]
    at = int(np.searchsorted(course.times_s, 30.0))
    before = answered <= course.times_s[at]
    ratio = (before & (table["outcome"] != 0)).sum() / before.sum()
    (values,) = course.series.values()
    assert values[at] == pytest.approx(ratio, rel=0.02)
    assert course.threshold == 0.05
    assert course.above


def test_without_stored_requests_the_histograms_still_show_the_moments(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "history", run=str(lake.without_requests))
    assert "kept no requests" in app.info[-1].value
    assert not app.dataframe


def test_a_run_without_results_says_why(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "history", run=str(lake.failed))
    assert "failed: the strategy named server 9 of 1" in app.error[0].value
