"""The last moments of a run, beside the same computed with pandas from its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import InputError, NotFoundError
from workbench.store import Store, queries
from workbench.tables import BIN_ERROR

SINCE, WIDTH = 0.7, 0.4


def test_answers_count_when_they_were_given_and_percentiles_are_at_most_1_percent_off(
    measured: Store, frame: pd.DataFrame
):
    found = queries.recent_answers(measured, run_id=1, since_s=SINCE, width_s=WIDTH).to_pandas()
    ended = frame.arrival_us + frame.response_us
    late = frame[ended >= SINCE * 1e6].assign(
        bucket=((ended - round(SINCE * 1e6)) // round(WIDTH * 1e6)).astype(int)
    )
    assert len(found) > 2
    for row, (_, rows) in zip(found.to_dict("records"), late.groupby("bucket"), strict=True):
        ok = np.sort(rows.response_us[rows.outcome == 0])
        assert (row["answered"], row["ok"]) == (len(rows), len(ok))
        for name, share in (("p50_s", 0.5), ("p95_s", 0.95), ("p99_s", 0.99)):
            if len(ok):
                exact = ok[int(np.ceil(share * len(ok))) - 1] / 1e6
                assert row[name] == pytest.approx(exact, rel=BIN_ERROR + 1e-9)


def test_samples_are_brought_together_by_server_and_bucket(measured: Store):
    raw = measured.read_table("samples", run_id=1).to_pandas()
    since = int(raw.ts_us.unique()[0])
    raw = raw[raw.ts_us >= since]
    found = queries.recent_samples(measured, run_id=1, since_s=since / 1e6, width_s=WIDTH).to_pandas()
    assert len(found)
    for name in ("arrivals", "completions", "refused"):
        assert found[name].sum() == raw[name].sum()
    assert found.queue_max.max() == raw.queue_max.max()
    weighted = (raw.queue_depth * raw.interval_us).sum() / 1e6
    assert (found.queue_depth * found.span_s).sum() == pytest.approx(weighted, rel=1e-5)


def test_the_last_sample_of_each_server_is_one_row(measured: Store):
    raw = measured.read_table("samples", run_id=1).to_pandas()
    found = queries.last_samples(measured, run_id=1).to_pandas()
    assert found.server_id.tolist() == sorted(raw.server_id.unique())
    assert set(found.ts_s) == {raw.ts_us.max() / 1e6}


def test_there_must_be_such_a_run_and_a_width(measured: Store):
    with pytest.raises(NotFoundError, match="99"):
        queries.recent_answers(measured, run_id=99, since_s=0.0, width_s=1.0)
    with pytest.raises(InputError, match="width: given 0; allowed: a time above 0"):
        queries.recent_samples(measured, run_id=1, since_s=0.0, width_s=0.0)
