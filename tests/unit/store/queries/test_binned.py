"""What histograms answer is what numpy computes from the requests, within their 0.99 %."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, NotFoundError
from workbench.store import write_parts
from workbench.store.queries import (
    latency,
    latency_distribution,
    latency_over_time,
    outcome_counts,
    outcome_table,
    percentiles,
    server_shares,
    slowest_requests,
)
from workbench.tables import BIN_ERROR, BIN_RATIO, QUANTILES, Outcome, Timing, histogram_bins

WARM_UP_US = 400_000
FIELDS = ("p50_s", "p90_s", "p95_s", "p99_s", "p99_9_s")


@pytest.fixture
def bare(store, make):
    """A run of 5,000 requests that kept none of them, and the requests."""
    run_id = store.begin_run(make.new_run("bare"))
    requests = make.requests(run_id, 5000)
    tables = {
        "histograms": make.histograms(run_id, requests, WARM_UP_US),
        "samples": make.samples(run_id),
        "summaries": make.summaries(run_id),
    }
    result = make.result(requests, WARM_UP_US, records=0.0)
    store.finish_run(run_id, result, write_parts(store.lake, run_id, tables))
    return run_id, requests.to_pandas()


@given(st.lists(st.integers(1, 2**52), min_size=1, max_size=100))
def test_every_time_lies_in_its_bin(times):
    bins = histogram_bins(np.array(times)).astype(float)
    middle = 2 * BIN_RATIO / (1 + BIN_RATIO) * BIN_RATIO**bins
    assert np.abs(middle / np.array(times) - 1).max() <= BIN_ERROR * (1 + 1e-9)


def test_percentiles_of_the_measured_window_are_within_a_bin(store, bare):
    run_id, frame = bare
    rows = frame[(frame.arrival_us >= WARM_UP_US) & (frame.outcome == 0)]
    found = latency(store, run_id=run_id)
    assert not found.exact
    assert found.requests == len(rows)
    for statistics, column in ((found.response, rows.response_us), (found.wait, rows.wait_us)):
        seconds = column.to_numpy() / 1e6
        values = [statistics.mean_s, *(getattr(statistics, name) for name in FIELDS), statistics.max_s]
        expected = [seconds.mean(), *np.quantile(seconds, QUANTILES), seconds.max()]
        assert values == pytest.approx(expected, rel=BIN_ERROR * 1.001)


def test_window_is_answered_by_the_slices_that_overlap_it(store, bare):
    run_id, frame = bare
    found = latency(store, run_id=run_id, window=(1.0, 2.0))
    length = found.window_s
    assert 1.0 <= length < 1.6
    starts = frame.arrival_us[frame.outcome == 0] / 1e6
    counts = [np.sum((starts >= begin) & (starts < begin + length)) for begin in np.arange(0.4, 1.0, 0.0005)]
    assert found.requests in counts


def test_outcomes_are_counted_in_full(store, bare):
    run_id, frame = bare
    measured = frame[frame.arrival_us >= WARM_UP_US]
    found = outcome_counts(store, run_id=run_id)
    assert found.requests == len(measured)
    expected = {outcome.label: int(np.sum(measured.outcome == outcome)) for outcome in Outcome}
    assert dict(found.outcomes) == expected


@pytest.mark.parametrize("buckets", [1, 5, 1000])
def test_latency_over_time_loses_no_request(store, bare, buckets):
    run_id, frame = bare
    table = latency_over_time(store, run_id=run_id, buckets=buckets).to_pandas()
    assert table.requests.sum() == len(frame)
    assert len(table) <= buckets
    assert table.ts_s.is_monotonic_increasing
    ok = frame[frame.outcome == 0]
    place = np.searchsorted(table.ts_s, ok.arrival_us / 1e6, side="right") - 1
    expected = (ok.response_us / 1e6).groupby(place).quantile(0.95)
    assert table.p95_s.to_numpy() == pytest.approx(expected.to_numpy(), rel=BIN_ERROR * 1.001)


def test_distribution_of_all_requests_is_that_of_the_bins(store, bare):
    run_id, frame = bare
    rows = frame[(frame.arrival_us >= WARM_UP_US) & (frame.outcome == 0)]
    table = latency_distribution(store, run_id=run_id, measure="wait")
    assert table["count"].to_numpy().sum() == len(rows)
    assert table["count"][0].as_py() == np.sum(rows.wait_us == 0)


def test_shares_of_the_measured_window_are_those_of_the_requests(store, bare):
    run_id, frame = bare
    sent = frame[(frame.arrival_us >= WARM_UP_US) & frame.server_id.notna()]
    found = server_shares(store, run_id=run_id).servers.to_pandas()
    assert found.requests.tolist() == sent.groupby("server_id").size().tolist()
    assert found.ok.tolist() == sent[sent.outcome == 0].groupby("server_id").size().tolist()
    with pytest.raises(NotFoundError, match="measured window only"):
        server_shares(store, run_id=run_id, window=(0.0, 1.0))


def test_single_requests_of_a_run_that_kept_none_are_refused(store, bare):
    with pytest.raises(NotFoundError, match="kept no requests"):
        slowest_requests(store, run_id=bare[0])


def test_runs_of_a_strategy_merge(store, add_run, make):
    frames = {}
    for seed, strategy in ((1, "random"), (2, "random"), (3, "round_robin")):
        run_id = add_run(f"run {seed}", seed=seed, strategy=strategy)
        frames[run_id] = make.requests(run_id, seed=seed).to_pandas()
    found = percentiles(store, run_ids=frames, by="strategy", quantiles=(0, 0.5, 0.999, 1)).to_pylist()
    assert [(row["strategy"], row["runs"]) for row in found] == [("random", 2), ("round_robin", 1)]
    both = (
        np.concatenate([frame.response_us[frame.outcome == 0] for frame in list(frames.values())[:2]]) / 1e6
    )
    assert found[0]["requests"] == len(both)
    values = [found[0][f"response_p{name}_s"] for name in ("0", "50", "99_9", "100")]
    assert values == pytest.approx(np.quantile(both, (0, 0.5, 0.999, 1)), rel=0.0099)
    single = percentiles(store, run_ids=[3], timing=Timing.WAIT)
    assert single.column_names[:3] == ["run_id", "runs", "requests"]
    with pytest.raises(InputError, match="each from 0 to 1"):
        percentiles(store, run_ids=[3], quantiles=(1.5,))


def test_outcomes_of_many_runs_are_those_that_each_run_has(store, add_run):
    runs = [add_run(f"run {seed}", seed=seed, warm_up_us=WARM_UP_US, strategy="random") for seed in (1, 2)]
    expected = {outcome.label: 0 for outcome in Outcome}
    for run_id in runs:
        for label, count in outcome_counts(store, run_id=run_id).outcomes.items():
            expected[label] += count
    found = outcome_table(store, run_ids=runs, by="strategy").to_pylist()
    assert {row["outcome"]: row["requests"] for row in found} == {k: n for k, n in expected.items() if n}
    assert sum(row["share"] for row in found) == pytest.approx(1)
    assert found[0]["share"] == pytest.approx(found[0]["requests"] / sum(expected.values()))
    with pytest.raises(InputError, match="by: given 'key'; allowed: run_id, strategy, scenario"):
        outcome_table(store, run_ids=runs, by="key")
