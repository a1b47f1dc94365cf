"""What cannot be answered is said with its reason; what is empty has an empty answer."""

from __future__ import annotations

import pytest

from workbench.errors import InputError, NotFoundError, StoreError
from workbench.store import write_parts
from workbench.store.queries import (
    latency,
    latency_distribution,
    latency_over_time,
    outcome_counts,
    queue_over_time,
    run_table,
    server_shares,
    slowest_requests,
    summaries,
    summary,
)

QUERIES = [outcome_counts, latency, latency_over_time, latency_distribution, server_shares, slowest_requests]


@pytest.mark.parametrize("query", [*QUERIES, queue_over_time, summary])
def test_run_without_results_says_why(store, make, query):
    run_id = store.begin_run(make.new_run())
    with pytest.raises(NotFoundError, match=f"run {run_id} has no results, it is running"):
        query(store, run_id=run_id)
    store.fail_run(run_id, "the strategy named no server")
    with pytest.raises(NotFoundError, match="it is failed: the strategy named no server"):
        query(store, run_id=run_id)
    with pytest.raises(NotFoundError, match="there is no run 99"):
        query(store, run_id=99)


@pytest.mark.parametrize("query", QUERIES)
def test_run_that_kept_no_requests_says_so(store, make, query):
    run_id = store.begin_run(make.new_run())
    store.finish_run(run_id, make.result(make.requests(run_id)), [])
    with pytest.raises(NotFoundError, match="kept no requests"):
        query(store, run_id=run_id)


@pytest.mark.parametrize("query", QUERIES)
def test_run_in_which_nothing_arrived_gives_an_empty_answer(store, make, query):
    run_id = store.begin_run(make.new_run())
    nothing = make.requests(run_id).slice(0, 0)
    store.finish_run(run_id, make.result(nothing), write_parts(store.lake, run_id, {"requests": nothing}))
    query(store, run_id=run_id)


@pytest.mark.parametrize("window", [(1, 1), (2, 1), (float("nan"), 1), (0, float("inf"))])
def test_window_that_is_empty_is_refused(measured, window):
    with pytest.raises(InputError, match="is empty"):
        outcome_counts(measured, run_id=1, window=window)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        (latency_over_time, {"buckets": 0}),
        (queue_over_time, {"buckets": 0}),
        (slowest_requests, {"count": 0}),
        (latency_distribution, {"bins_ratio": 1.0}),
        (latency_distribution, {"measure": "mood"}),
    ],
)
def test_argument_out_of_range_is_refused(measured, query, wrong):
    with pytest.raises(InputError):
        query(measured, run_id=1, **wrong)


def test_query_reads_the_parts_of_its_run_only(store, add_run):
    first, second = add_run("a"), add_run("b")
    for part in store.parts(run_ids=[first]):
        (store.lake / part.path).unlink()
    for query in (*QUERIES, queue_over_time, summary):
        query(store, run_id=second)
    assert summaries(store, run_ids=[second]).num_rows == run_table(store, limit=1).num_rows == 1
    with pytest.raises(StoreError, match="damaged or gone"):
        latency(store, run_id=first)
