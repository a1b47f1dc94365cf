"""How a run went from moment to moment: latencies, who had the load, what happened, and single requests."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from workbench.errors import InputError
from workbench.store.queries.binned import slices_in
from workbench.store.queries.scope import Span, complete_run, requests_in
from workbench.store.store import Store
from workbench.tables import BIN_RATIO, Outcome, Timing

Order = Literal["arrival", "slowest"]
_ORDERS: dict[Order, str] = {"arrival": "arrival_us, req_id", "slowest": "response_us desc, req_id"}
_TIMES = ("wait", "service", "response")


def latency_heat(
    store: Store, *, run_id: int, timing: Timing = Timing.RESPONSE, columns: int = 120, bins: int = 4
) -> pa.Table:
    """Count the ok requests of a run by slice of time and by how long they took.

    Args:
        store: the lake.
        run_id: the run.
        timing: which time.
        columns: at most so many slices, 1 or more.
        bins: how many bins of the histograms, each of ratio 1.02, make one row, 1 or more.

    Returns:
        One row a slice and bin that is not empty: `ts_s` and `end_s` of the slice, `lower_s` and `upper_s`
        of the bin (seconds; both 0 for times of 0), and `count`.

    Raises:
        NotFoundError: no such run, or it is not complete, or it has no histograms.
        InputError: fewer than one column or bin.
    """
    if columns < 1 or bins < 1:
        raise InputError(f"given {columns} columns and {bins} bins; allowed: 1 or more of each")
    scope = slices_in(store, run_id, None)
    lower, upper = (
        f"case when band < 0 then 0.0 else pow({BIN_RATIO!r}, {edge}) / 1e6 end"
        for edge in (f"band * {bins}", f"(band + 1) * {bins}")
    )
    return store.query(
        f"""
        with rows as (
            select * from {scope.requests_sql}
            where outcome_code = {Outcome.OK.value} and timing_code = {timing.value}
        ),
        slices as (
            select ts_us, (row_number() over (order by ts_us) - 1)
                // greatest(ceil((select count(distinct ts_us) from rows) / {columns}), 1)::BIGINT as slice
            from (select distinct ts_us from rows)
        ),
        counted as (
            select slice, case when bin < 0 then -1 else bin // {bins} end as band, sum(n)::BIGINT as count
            from rows join slices using (ts_us) group by slice, band
        ),
        edges as (
            select slice, min(ts_us) as ts_us, max(ts_us + interval_us) as end_us
            from rows join slices using (ts_us) group by slice
        )
        select ts_us / 1e6 as ts_s, end_us / 1e6 as end_s, {lower} as lower_s, {upper} as upper_s, count
        from counted join edges using (slice)
        order by ts_s, lower_s
        """,
        views=(),
    )


def arrivals_over_time(store: Store, *, run_id: int, buckets: int = 120) -> pa.Table:
    """Show how many requests came to each server over the whole run.

    Args:
        store: the lake.
        run_id: the run.
        buckets: at most so many rows a server, 1 or more.

    Returns:
        One row a server and bucket, sorted by server, then time: `ts_s`, `width_s` (seconds), `server_id`,
        `arrivals` and `utilisation` (mean, 0 to 1).

    Raises:
        NotFoundError: no such run, or it is not complete.
        InputError: fewer than one bucket.
    """
    if buckets < 1:
        raise InputError(f"{buckets} buckets; at least 1 is needed")
    complete_run(store, run_id)
    samples = store.relation_sql("samples", run_ids=[run_id])
    return store.query(
        f"""
        with samples as (select * from {samples}),
        bucket as (
            select max(interval_us) * greatest(ceil(count(distinct ts_us) / {buckets}), 1)::BIGINT as width_us
            from samples
        )
        select min(ts_us) / 1e6 as ts_s,
            any_value(width_us) / 1e6 as width_s,
            server_id,
            sum(arrivals)::BIGINT as arrivals,
            sum(utilisation::DOUBLE * interval_us) / sum(interval_us) as utilisation
        from samples, bucket
        group by server_id, ts_us // width_us
        order by server_id, ts_s
        """,
        views=(),
    )


def events_of_run(store: Store, *, run_id: int) -> pa.Table:
    """Return what happened in a run: faults, checks, ejections, panic and weights, in order of time.

    Returns:
        `at_s` (seconds), `kind` (such as `ejected`), `server_id` and `balancer_id` (null where it is about
        none) and `detail`. No rows where nothing can fail.

    Raises:
        NotFoundError: no such run, or it is not complete.
    """
    complete_run(store, run_id)
    events = store.relation_sql("events", run_ids=[run_id])
    sql = f"select ts_us / 1e6 as at_s, kind, server_id, balancer_id, detail from {events} order by ts_us"
    return store.query(sql, views=())


def window_requests(
    store: Store, *, run_id: int, window: Span | None = None, order: Order = "arrival", limit: int = 1000
) -> pa.Table:
    """Return single requests of a window, however they ended.

    Args:
        store: the lake.
        run_id: the run.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured window.
        order: by arrival, or the slowest first.
        limit: at most so many, 1 or more.

    Returns:
        `req_id`, `arrival_s`, `outcome`, `balancer_id`, `server_id`, `queue_depth`, `wait_s`, `service_s`
        and `response_s`; times in seconds.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept no requests.
        InputError: an empty window, another order, or a limit below 1.
    """
    if order not in _ORDERS or limit < 1:
        raise InputError(
            f"given the order {order!r} and a limit of {limit}; allowed: {', '.join(_ORDERS)} and 1 or more"
        )
    times = ", ".join(f"{name}_us / 1e6 as {name}_s" for name in _TIMES)
    return store.query(
        f"""
        select req_id, arrival_us / 1e6 as arrival_s, outcome, balancer_id, server_id, queue_depth, {times}
        from {requests_in(store, run_id, window).sql}
        order by {_ORDERS[order]}
        limit $limit
        """,
        {"limit": limit},
        views=(),
    )
