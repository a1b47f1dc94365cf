"""Histograms count every request once in the pool and once at its server, in slices of the run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.simulate.histograms import histograms
from workbench.tables import REQUESTS, Outcome, Timing, histogram_bins


def requests(arrivals: list[int], servers: list[int], outcomes: list[int]) -> pa.Table:
    count = len(arrivals)
    columns = {field.name: np.zeros(count, np.int64) for field in REQUESTS}
    columns |= {
        "req_id": np.arange(count),
        "arrival_us": np.sort(np.array(arrivals, np.int64)),
        "wait_us": np.arange(count) % 3,
        "service_us": np.arange(count) * 7,
        "outcome": np.array(outcomes, np.int64),
        "response_us": np.arange(count) * 7 + np.arange(count) % 3,
    }
    arrays = {field.name: pa.array(columns[field.name], field.type) for field in REQUESTS}
    arrays["server_id"] = pa.array([None if server < 0 else server for server in servers], pa.int16())
    return pa.table(arrays, schema=REQUESTS)


run = st.integers(1, 300).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(0, 10**7), min_size=count, max_size=count),
        st.lists(st.integers(-1, 4), min_size=count, max_size=count),
        st.lists(st.sampled_from([int(outcome) for outcome in Outcome]), min_size=count, max_size=count),
        st.integers(0, 10**7),
    )
)


@given(run)
def test_counts_are_those_that_the_requests_give(given_run):
    arrivals, servers, outcomes, begin = given_run
    table = requests(arrivals, servers, outcomes)
    frame = table.to_pandas()
    found = histograms(table, measured_us=(begin, max([begin, *arrivals])), run_id=7).to_pandas()
    assert set(found.run_id) == {7}
    pool, each = found[found.server_id.isna()], found[found.server_id.notna()]
    for timing, column in (
        (Timing.RESPONSE, "response_us"),
        (Timing.WAIT, "wait_us"),
        (Timing.SERVICE, "service_us"),
    ):
        rows = frame if timing is Timing.RESPONSE else frame[frame.outcome == 0]
        bins = histogram_bins(rows[column].to_numpy())
        counted = pool[pool.timing == timing].groupby(["outcome", "bin"]).n.sum()
        expected = rows.assign(bin=bins).groupby(["outcome", "bin"]).size()
        assert counted.to_dict() == expected.to_dict()
        sent = rows.assign(bin=bins)[rows.server_id.notna()].groupby(["server_id", "outcome", "bin"]).size()
        assert (
            each[each.timing == timing].groupby(["server_id", "outcome", "bin"]).n.sum().to_dict()
            == sent.to_dict()
        )
    measured = pool[(pool.timing == Timing.RESPONSE) & (pool.ts_us >= begin)]
    assert measured.n.sum() == np.sum(frame.arrival_us >= begin)


@pytest.mark.parametrize("begin", [0, 123_456, 10**6])
def test_slices_follow_each_other_and_none_lies_across_the_end_of_the_warm_up(begin: int):
    arrivals = list(range(0, 2_000_000, 50))
    table = requests(arrivals, [0] * len(arrivals), [0] * len(arrivals))
    found = histograms(table, measured_us=(begin, arrivals[-1])).to_pandas()
    pool = found[found.server_id.isna()]
    slices = pool[["ts_us", "interval_us"]].drop_duplicates().sort_values("ts_us")
    ends = (slices.ts_us + slices.interval_us).to_numpy()
    assert slices.ts_us.iloc[0] == 0
    assert (ends[:-1] == slices.ts_us.to_numpy()[1:]).all()
    assert ends[-1] == arrivals[-1] + 1
    assert begin in set(slices.ts_us)
    assert 120 <= len(slices) <= 245
    assert slices.interval_us.max() <= (arrivals[-1] - begin) / 120 + 2
    servers = found[found.server_id.notna()][["ts_us", "interval_us"]].drop_duplicates()
    assert sorted(servers.ts_us) == sorted({0, begin})


def test_a_run_without_requests_has_no_rows():
    assert histograms(requests([], [], []), measured_us=(0, 0)).num_rows == 0


def test_many_servers_are_counted_without_a_table_of_all_cells():
    count = 30_000
    table = requests(list(range(count)), [number % 25_000 for number in range(count)], [0] * count)
    found = histograms(table, measured_us=(0, count)).to_pandas()
    each = found[(found.timing == Timing.RESPONSE) & found.server_id.notna()]
    assert each.groupby("server_id").n.sum().tolist() == [2] * 5000 + [1] * 20_000
