"""The page of data."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from workbench.dashboard.sections import asking
from workbench.settings import Settings
from workbench.workflows import jobs

OpenPage = Callable[..., AppTest]


def press(app: AppTest, label: str) -> AppTest:
    next(one for one in app.button if one.label == label).click().run()
    assert not app.exception, app.exception[0].stack_trace
    return app


def test_the_tables_are_listed_with_their_sizes(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "data")
    assert {"requests", "samples", "histograms", "summaries"} <= set(app.table[0].value.index)
    assert "free on the disk" in " ".join(one.value for one in app.caption)


def test_a_statement_gives_rows_that_stay_until_another_is_asked(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "data")
    app.text_area[0].set_value("select run_id, count(*) as n from requests where run_id = 1 group by 1").run()
    press(app, "Ask")
    assert app.dataframe[0].value.to_dict("list") == {"run_id": [1], "n": [600]}
    app.selectbox(key="table").set_value("samples").run()
    assert app.dataframe[0].value["n"].tolist() == [600]
    assert [one.proto.label for one in app.get("download_button")] == ["CSV", "Parquet"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("select nonsense from runs", "nonsense"),
        ("delete from runs", "allowed"),
        ("select * from read_csv('/etc/passwd')", "/etc/passwd"),
    ],
)
def test_a_statement_that_is_wrong_or_does_more_than_read_is_answered_in_place(
    lake: Any, open_page: OpenPage, statement: str, words: str
):
    app = open_page(lake.folder, "data")
    app.text_area[0].set_value(statement).run()
    press(app, "Ask")
    assert words in app.error[0].value.replace("\\", "")


def test_more_rows_than_the_settings_allow_are_refused(lake: Any, open_page: OpenPage, monkeypatch: Any):
    monkeypatch.setenv("WORKBENCH_SQL_ROWS", "10")
    app = open_page(lake.folder, "data")
    app.text_area[0].set_value("select * from requests").run()
    press(app, "Ask")
    assert "10" in app.error[0].value


def test_rows_are_taken_along_whole_in_both_formats():
    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})
    assert pd.read_csv(io.BytesIO(asking.written(table, ".csv")))["a"].tolist() == [1, 2, 3]
    assert pd.read_parquet(io.BytesIO(asking.written(table, ".parquet")))["b"].tolist()[:2] == ["x", "y"]


@pytest.mark.slow
def test_the_store_is_verified_by_a_job(lake: Any, open_page: OpenPage):
    settings = Settings(lake=lake.folder)
    app = press(open_page(lake.folder, "data"), "Verify every file")
    number = int(app.session_state["store_job"])
    until = time.monotonic() + 60
    while jobs.show_job(number, settings=settings).state == "running" and time.monotonic() < until:
        time.sleep(0.1)
    app.run()
    assert any("all as they were written" in one.value for one in app.markdown)
    jobs.forget_job(number, settings=settings)


def test_the_columns_of_a_table_stand_with_their_meaning(lake: Any, open_page: OpenPage):
    app = open_page(lake.folder, "data", table="requests")
    columns = app.dataframe[-1].value.set_index("column")
    assert columns.loc["wait_us", "meaning"] == "waiting time at the server"
    assert columns.loc["wait_us", "unit"] == "us"
