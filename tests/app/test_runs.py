"""The list of runs and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., AppTest]


def table(app: AppTest, key: str) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if frame.key == key)


def test_runs_are_listed_newest_first_with_replication_0_for_all_of_a_comparison(
    lake: Any, open_page: OpenPage
):
    runs = table(open_page(lake.folder), "runs")
    assert list(runs["run"]) == sorted(runs["run"], reverse=True)
    assert list(runs["run"][runs["replication"] > 0]) == [lake.another]
    assert len(runs) == 3 + 6
    assert "6 further replications" in open_page(lake.folder).caption[-1].value


def test_all_runs_of_comparisons_are_shown_when_asked_for(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder)
    app.toggle(key="everything").set_value(True).run()
    assert len(table(app, "runs")) == 9 + 6


def test_the_address_says_what_is_chosen(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, scenario="one server", state="complete")
    assert list(table(app, "runs")["run"]) == [lake.without_requests, lake.another, lake.alone]
    assert app.selectbox(key="scenario").value == "one server"


def test_a_choice_that_nothing_meets_says_so(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, scenario="pool of four", state="failed")
    assert app.info[0].value == "No run is like that. Choose another scenario or state."


def test_a_run_is_shown_with_its_figures(lake: Any, open_page: OpenPage):
    runs = table(open_page(lake.folder), "runs").set_index("run")
    row = runs.loc[lake.alone]
    assert (row["scenario"], row["strategy"], row["state"]) == ("one server", "round_robin", "complete")
    assert row["requests"] == 600
    assert 0.5 < row["load"] < 1
    assert 0.005 < row["p50"] < row["p95"] < row["p99"] < 1
    assert row["refused"] == 0


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("failed", "failed: the strategy named server 9 of 1"),
        ("running", "running"),
        ("interrupted", "interrupted"),
    ],
)
def test_a_run_without_results_says_why(lake: Any, open_page: OpenPage, kind: str, state: str):
    row = table(open_page(lake.folder), "runs").set_index("run").loc[getattr(lake, kind)]
    assert row["state"] == state
    assert row[["requests", "load", "p99", "refused"]].isna().all()


def test_a_comparison_is_listed_with_its_answer(lake: Any, open_page: OpenPage):
    comparisons = table(open_page(lake.folder), "comparisons")
    row = comparisons.iloc[0]
    assert len(comparisons) == 1
    assert (row["comparison"], row["scenario"], row["measure"]) == (1, "pool of four", "response time, mean")
    assert (row["best"], row["strategies"], row["replications"]) == ("join_shortest_queue", 3, 3)
