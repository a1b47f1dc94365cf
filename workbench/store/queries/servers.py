"""How evenly the servers were used, and how their queues went."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workbench.errors import InputError, NotFoundError
from workbench.store.queries import binned
from workbench.store.queries.scope import Scope, Span, complete_run, keeps_requests, requests_in, span_us
from workbench.store.store import Store
from workbench.tables import Outcome


@dataclass(frozen=True)
class ServerShares:
    """How the requests of a window were spread over the servers.

    Args:
        window_s: length of the window, seconds.
        servers: one row a server, in order: `server_id`, `requests` (sent to it, refused ones
            included), `share` (of all that were sent to a server, 0 to 1), `ok` (of its requests,
            those that ended ok) and `utilisation` (share of its slots that was busy, 0 to 1; null where
            no sample lies in the window).
        imbalance: largest share by the mean share; 1 is even, NaN where nothing was sent.
        jain: Jain's fairness index of the shares; 1 is even, NaN where nothing was sent.
    """

    window_s: float
    servers: pa.Table
    imbalance: float
    jain: float


def server_shares(store: Store, *, run_id: int, window: Span | None = None) -> ServerShares:
    """Show which part of the load each server had.

    The utilisation of the measured window is that of the run's summary; of another window it is the
    mean of the samples, each weighted by its overlap with the window.

    Args:
        store: the lake.
        run_id: the run.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured
            window.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept neither requests nor histograms; or it
            did not keep them all and a window is given.
        InputError: the window does not end after it begins.
    """
    if keeps_requests(store, run_id):
        scope = requests_in(store, run_id, window)
        sent = _sent_sql(scope)
    elif window is None:
        scope = binned.slices_in(store, run_id, None)
        sent = binned.shares_sql(store, run_id)
    else:
        raise NotFoundError(
            f"run {run_id} did not keep every request; "
            "what each server had is known of its measured window only"
        )
    use = _utilisation_sql(store, run_id, window)
    servers = store.query(_shares_sql(sent, use), views=())
    shares = servers.column("share").to_numpy()
    return ServerShares(scope.window_s, servers, _imbalance(shares), _jain(shares))


def queue_over_time(store: Store, *, run_id: int, buckets: int = 300) -> pa.Table:
    """Show how the queue of each server went over the whole run.

    Where there are more sampling intervals than buckets, neighbours are merged: means weighted by
    the length of the interval, and the largest of the largest.

    Args:
        store: the lake.
        run_id: the run.
        buckets: at most so many rows a server, 1 or more.

    Returns:
        One row a server and bucket, sorted by server, then time: `ts_s` (start of the bucket,
        seconds), `server_id`, `queue_depth` (mean), `queue_max`, `in_service` (mean) and
        `utilisation` (mean, 0 to 1).

    Raises:
        NotFoundError: no such run, or it is not complete.
        InputError: fewer than one bucket.
    """
    if buckets < 1:
        raise InputError(f"{buckets} buckets; at least 1 is needed")
    complete_run(store, run_id)
    samples = store.relation_sql("samples", run_ids=[run_id])
    return store.query(_queue_sql(samples, buckets), views=())


def _imbalance(shares: np.ndarray) -> float:
    mean = shares.mean() if len(shares) else 0.0
    return float(shares.max() / mean) if mean > 0 else math.nan


def _jain(shares: np.ndarray) -> float:
    squares = len(shares) * np.square(shares).sum()
    return float(np.square(shares.sum()) / squares) if squares > 0 else math.nan


def _utilisation_sql(store: Store, run_id: int, window: Span | None) -> str:
    summaries = store.relation_sql("summaries", run_ids=[run_id])
    servers = f"select server_id, utilisation from {summaries} where server_id is not null"
    if window is None:
        return f"({servers})"
    start, end = span_us(window)
    overlap = f"(least(ts_us + interval_us, {end}) - greatest(ts_us, {start}))"
    return f"""(
        with seen as (
            select server_id, sum(utilisation::DOUBLE * {overlap}) / sum({overlap}) as utilisation
            from {store.relation_sql("samples", run_ids=[run_id])}
            where ts_us < {end} and ts_us + interval_us > {start}
            group by server_id
        )
        select server_id, seen.utilisation from ({servers}) as servers left join seen using (server_id)
    )"""


def _sent_sql(scope: Scope) -> str:
    return f"""(
        select server_id,
            count(*) as requests,
            count(*) filter (where outcome_code = {Outcome.OK.value}) as ok
        from {scope.sql}
        where server_id is not null
        group by server_id
    )"""


def _shares_sql(sent_sql: str, utilisation_sql: str) -> str:
    return f"""
        with sent as (select * from {sent_sql}),
        servers as (
            select server_id, coalesce(requests, 0) as requests, coalesce(ok, 0) as ok, utilisation
            from sent full join {utilisation_sql} as used using (server_id)
        )
        select server_id,
            requests,
            requests / greatest(sum(requests) over (), 1) as share,
            ok,
            utilisation
        from servers
        order by server_id
    """


def _mean_sql(column: str) -> str:
    # As DOUBLE: DuckDB multiplies a FLOAT and a BIGINT as FLOATs.
    # What is not known has no part in it.
    return f"sum({column}::DOUBLE * interval_us) / sum(interval_us) filter (where {column} is not null)"


def _queue_sql(samples_sql: str, buckets: int) -> str:
    return f"""
        with samples as (select * from {samples_sql}),
        bucket as (
            select max(interval_us) * greatest(
                ceil((max(ts_us + interval_us) - min(ts_us)) / max(interval_us) / {buckets}), 1
            )::BIGINT as width_us
            from samples
        )
        select min(ts_us) / 1e6 as ts_s,
            server_id,
            {_mean_sql("queue_depth")} as queue_depth,
            max(queue_max) as queue_max,
            {_mean_sql("in_service")} as in_service,
            {_mean_sql("utilisation")} as utilisation
        from samples, bucket
        group by server_id, ts_us // width_us
        order by server_id, ts_s
    """
