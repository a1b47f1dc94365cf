"""Named questions to the store, answered in the form that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import workbench as wb
from workbench.errors import InputError
from workbench.settings import Settings
from workbench.simulate import ReferenceEngine, Workload, load_scenario


def test_the_answer_is_that_of_the_records(scenario: dict[str, Any], settings: Settings):
    run = wb.run(scenario, settings=settings)
    records = ReferenceEngine().run(Workload(load_scenario(scenario)))
    slowest = wb.ask("slowest_requests", run_id=run.run_id, count=3, settings=settings)
    measured = np.sort(records.response[records.arrival >= 0.1 * records.until])[::-1]
    assert isinstance(slowest, pd.DataFrame)
    assert slowest["response_s"].tolist() == pytest.approx(measured[:3], abs=1e-6)


def test_each_form_has_the_same_rows(scenario: dict[str, Any], settings: Settings):
    polars = pytest.importorskip("polars")
    run = wb.run(scenario, settings=settings)
    frame, table, other = (
        wb.ask("queue_over_time", run_id=run.run_id, buckets=10, form=form, settings=settings)
        for form in ("pandas", "arrow", "polars")
    )
    assert isinstance(table, pa.Table)
    assert isinstance(other, polars.DataFrame)
    assert table.num_rows == 10 * 4
    assert frame.to_dict("records") == table.to_pylist() == other.to_dicts()


@pytest.mark.parametrize(
    ("question", "arguments", "said"),
    [
        ("weather", {}, "question: given 'weather'; allowed: .*latency_distribution"),
        ("outages", {"run": 1}, "given the argument run; allowed: run_id"),
        ("outages", {}, "given no run_id; it is needed"),
        ("outages", {"run_id": 1, "form": "excel"}, "form: given 'excel'; allowed: pandas, arrow, polars"),
    ],
)
def test_what_cannot_be_asked_is_said(
    settings: Settings, question: str, arguments: dict[str, Any], said: str
):
    with pytest.raises(InputError, match=said):
        wb.ask(question, settings=settings, **arguments)
