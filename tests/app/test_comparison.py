"""The page of a comparison."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from workbench.dashboard.listing import read_comparison
from workbench.settings import Settings
from workbench.store import NewComparison, Store

OpenPage = Callable[..., AppTest]


@pytest.fixture
def view(lake: Any) -> Any:
    with Store(Settings(lake=lake.folder)) as store:
        return read_comparison(store.comparison(lake.comparison))


def test_the_answer_comes_first(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "comparison", comparison="1")
    assert app.title[0].value == "pool of four: 3 strategies compared"
    assert app.success[0].value.startswith("**join\\_shortest\\_queue** has the least response time, mean: ")


def test_the_table_has_value_difference_and_verdict_of_each_strategy(
    lake: Any, open_page: OpenPage, view: Any
):
    table = open_page(lake.folder, "comparison", comparison="1").table[0].value
    table.index = table.index.str.replace("\\", "")
    assert list(table.columns) == [
        "verdict",
        "response time, mean (ms)",
        "95 % interval (ms)",
        "vs best (ms)",
        "vs best (%)",
        "95 % interval (%)",
    ]
    worst = view.standings[-1]
    row = table.loc[worst.strategy].str.replace("\N{NO-BREAK SPACE}", " ")
    assert row["verdict"] == "worse"
    assert row["response time, mean (ms)"] == f"{1e3 * worst.value:.1f}"
    assert row["95 % interval (ms)"] == f"{1e3 * worst.low:.1f} to {1e3 * worst.high:.1f}"
    assert row["vs best (ms)"] == f"{1e3 * worst.difference:+.1f}"
    assert row["vs best (%)"] == f"{100 * worst.relative:+.1f}"
    assert list(table.iloc[0][3:]) == ["", "", ""]


def test_it_says_in_words_how_the_intervals_came_about(lake: Any, open_page: OpenPage, view: Any):
    captions = [caption.value for caption in open_page(lake.folder, "comparison", comparison="1").caption]
    assert any(view.method_text[1:] in caption for caption in captions)
    assert any("Worse: the interval of its difference to the best lies above 0." in one for one in captions)


def test_it_has_four_charts_and_the_value_of_every_run(lake: Any, open_page: OpenPage, view: Any):
    app = open_page(lake.folder, "comparison", comparison="1")
    assert [chart.proto.alt for chart in app.get("plotly_chart")] == [
        "Difference of each strategy to the best, with intervals",
        "Measure of each strategy, with intervals",
        "Response time by strategy and quantile",
        "Measure of each replication of each strategy",
    ]
    values = app.dataframe[0].value.set_index("strategy")
    assert list(values.loc[view.standings[0].strategy]) == view.standings[0].values


def test_without_a_number_the_newest_is_shown(lake: Any, open_page: OpenPage):
    assert open_page(lake.folder, "comparison").query_params["comparison"] == "1"


def test_a_comparison_that_does_not_exist_leads_back_to_the_list(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "comparison", comparison="7")
    assert app.warning[0].value.startswith("There is no comparison 7")
    assert app.get("page_link")[0].proto.label == "See what there is"


def test_a_number_that_is_none_is_answered_in_place(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "comparison", comparison="best")
    assert "allowed: the number of a comparison" in app.error[0].value


@pytest.fixture
def odd_lake(tmp_path: Path) -> Callable[[Any], Path]:
    """Return a function that stores one comparison, without runs, in a lake of its own."""

    def store_it(result_json: str) -> Path:
        with Store(Settings(lake=tmp_path)) as store:
            store.add_comparison(NewComparison("odd", "{}", "response_mean", 3, {}, result_json))
        return tmp_path

    return store_it


def test_a_comparison_without_an_answer_says_so(odd_lake: Any, open_page: OpenPage, view: Any):
    nothing = dict.fromkeys(
        ("value", "low", "high", "difference", "difference_low", "difference_high", "relative")
    )
    rows = [
        row.model_copy(
            update={
                **nothing,
                "verdict": "no answer",
                "values": [None] * 3,
                "quantiles": dict.fromkeys(row.quantiles),
            }
        )
        for row in view.standings
    ]
    folder = odd_lake(view.model_copy(update={"standings": rows}).model_dump_json())
    app = open_page(folder, "comparison")
    assert app.warning[0].value == "There is no answer: in some replication no request ended well."
    assert set(app.table[0].value["verdict"].str.replace("\N{NO-BREAK SPACE}", " ")) == {"no answer"}


def test_waiting_times_of_zero_can_be_compared(odd_lake: Any, open_page: OpenPage, view: Any):
    zero = dict.fromkeys(("value", "low", "high", "difference", "difference_low", "difference_high"), 0.0)
    rows = [
        view.standings[0].model_copy(update={**zero, "relative": None, "values": [0.0] * 3}),
        view.standings[1].model_copy(update={"difference": view.standings[1].value, "relative": None}),
    ]
    app = open_page(odd_lake(view.model_copy(update={"standings": rows}).model_dump_json()), "comparison")
    assert app.info[0].value == "There is no best value above 0 to compare with."


def test_a_comparison_in_an_unknown_form_is_answered_in_place(odd_lake: Any, open_page: OpenPage):
    app = open_page(odd_lake('{"schema": "workbench.comparison/9"}'), "comparison")
    assert "comparison 1 was stored by another version" in app.error[0].value.lower()


def test_a_comparison_in_an_unknown_form_does_not_hide_the_others(
    lake: Any, tmp_path: Path, open_page: OpenPage
):
    folder = shutil.copytree(lake.folder, tmp_path / "copy")
    with Store(Settings(lake=folder)) as store:
        store.add_comparison(NewComparison("odd", "{}", "response_mean", 3, {}, "{}"))
    listed = open_page(folder).dataframe[0].value
    assert list(listed["best"]) == ["cannot be read", "join_shortest_queue"]
