"""Latencies are what numpy computes from the rows that were stored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.store import write_parts
from workbench.store.queries import latency, latency_distribution, latency_over_time
from workbench.tables import QUANTILES


def test_quantiles_are_those_of_numpy(measured, frame, inside, window):
    rows = inside(frame, window)
    rows = rows[rows.outcome == 0]
    found = latency(measured, run_id=1, window=window)
    assert found.requests == len(rows)
    for statistics, column in ((found.response, rows.response_us), (found.wait, rows.wait_us)):
        names = ["mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "p99_9_s", "max_s"]
        values = [getattr(statistics, name) for name in names]
        if len(rows) == 0:
            assert np.isnan(values).all()
            continue
        seconds = column.to_numpy() / 1e6
        expected = [seconds.mean(), *np.quantile(seconds, QUANTILES), seconds.max()]
        assert values == pytest.approx(expected, rel=1e-12)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.integers(0, 2**40), min_size=1, max_size=40), number=st.uuids())
def test_quantiles_of_any_times_are_those_of_numpy(store, make, times, number):
    run_id = store.begin_run(make.new_run(str(number)))
    table = make.requests(run_id, count=len(times))
    zeros = np.zeros(len(times), np.int64)
    columns = {"outcome": zeros.astype(np.int8), "wait_us": zeros, "service_us": zeros}
    for name, values in (columns | {"response_us": np.array(times)}).items():
        table = table.set_column(table.column_names.index(name), name, [values])
    store.finish_run(run_id, make.result(table), write_parts(store.lake, run_id, {"requests": table}))
    found = latency(store, run_id=run_id).response
    expected = np.quantile(np.array(times) / 1e6, QUANTILES)
    values = [found.p50_s, found.p90_s, found.p95_s, found.p99_s, found.p99_9_s]
    assert values == pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("buckets", [1, 7, 200, 10_000])
def test_latency_over_time_covers_the_whole_run_in_equal_steps(measured, frame, buckets):
    table = latency_over_time(measured, run_id=1, buckets=buckets)
    found = table.to_pandas()
    length = int(frame.arrival_us.iloc[-1]) + 1
    width = -(-length // buckets)
    place = frame.arrival_us // width
    ok = frame[frame.outcome == 0]
    assert len(found) <= buckets
    assert np.allclose(found.ts_s, np.arange(len(found)) * width / 1e6)
    assert found.requests.tolist() == np.bincount(place, minlength=len(found)).tolist()
    for name, quantile in (("p50_s", 0.5), ("p95_s", 0.95), ("p99_s", 0.99)):
        expected = (ok.response_us / 1e6).groupby(ok.arrival_us // width).quantile(quantile)
        assert np.allclose(found[name], expected.reindex(range(len(found))), equal_nan=True)
    assert found.mean_s.isna().sum() == len(found) - ok.arrival_us.floordiv(width).nunique()


@pytest.mark.parametrize("measure", ["response", "wait", "service"])
def test_distribution_counts_every_ok_request_in_a_bin_that_holds_it(measured, frame, inside, measure):
    rows = inside(frame)
    values = np.sort(rows[rows.outcome == 0][f"{measure}_us"].to_numpy() / 1e6)
    table = latency_distribution(measured, run_id=1, measure=measure, bins_ratio=1.1)
    lower, upper, count = (table[name].to_numpy() for name in ("lower_s", "upper_s", "count"))
    edges = np.repeat(lower, count), np.repeat(upper, count)
    assert count.sum() == len(values)
    assert (edges[0] <= values * (1 + 1e-12)).all()
    assert (values <= edges[1] * (1 + 1e-12)).all()
    assert np.allclose(upper[lower > 0] / lower[lower > 0], 1.1)
    assert count[lower == 0].sum() == (values == 0).sum()
    assert (np.diff(lower) > 0).all()
