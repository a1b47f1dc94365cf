"""Response and waiting times: percentiles, over time, and as a distribution.

They are exact where the run kept every request, and within 0.99 % where its histograms answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from workbench.errors import InputError
from workbench.store.queries import binned
from workbench.store.queries.scope import Scope, Span, complete_run, keeps_requests, requests_in
from workbench.store.store import Store
from workbench.tables import QUANTILES, Outcome, Timing

Measure = Literal["response", "wait", "service"]
"""Response time, waiting time at the server, or service time."""

_COLUMNS: dict[Measure, str] = {"response": "response_us", "wait": "wait_us", "service": "service_us"}
_IS_OK = f"outcome_code = {Outcome.OK.value}"


@dataclass(frozen=True)
class LatencyStatistics:
    """Statistics of one measure over ok requests, seconds; NaN where there were none.

    Quantiles interpolate linearly between the two neighbours, as numpy's default does.
    """

    mean_s: float
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    p99_9_s: float
    max_s: float


@dataclass(frozen=True)
class Latency:
    """How long the ok requests of a window took.

    Args:
        window_s: length of the window, seconds.
        requests: the ok requests that arrived in it.
        response: their response times.
        wait: their waiting times at the server.
        exact: whether they come from the requests; else from histograms, each time at most 0.99 % off.
    """

    window_s: float
    requests: int
    response: LatencyStatistics
    wait: LatencyStatistics
    exact: bool = True


def latency(store: Store, *, run_id: int, window: Span | None = None) -> Latency:
    """Compute means and percentiles of response and waiting time over ok requests.

    Args:
        store: the lake.
        run_id: the run.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured
            window.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept neither requests nor histograms.
        InputError: the window does not end after it begins.
    """
    if not keeps_requests(store, run_id):
        return _binned_latency(store, binned.slices_in(store, run_id, window))
    scope = requests_in(store, run_id, window)
    row = store.query(_statistics_sql(scope), views=()).to_pylist()[0]
    response, wait = (_statistics(row, measure) for measure in ("response", "wait"))
    return Latency(scope.window_s, row["requests"], response, wait)


def latency_over_time(store: Store, *, run_id: int, buckets: int = 200) -> pa.Table:
    """Show how the response time went over the whole run, warm-up included.

    Args:
        store: the lake.
        run_id: the run.
        buckets: stretches of equal length that the run is cut into, 1 or more.

    Returns:
        One row a bucket, in order of time: `ts_s` (start of the bucket, seconds), `requests` (that
        arrived in it), and over its ok requests `mean_s`, `p50_s`, `p95_s` and `p99_s` (seconds;
        null where there were none).

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept neither requests nor histograms.
        InputError: fewer than one bucket.
    """
    if buckets < 1:
        raise InputError(f"{buckets} buckets; at least 1 is needed")
    if not keeps_requests(store, run_id):
        return binned.over_time(store, binned.slices_in(store, run_id, None), buckets)
    scope = requests_in(store, run_id, None)
    length_us = (complete_run(store, run_id).end_us or 0) + 1
    return store.query(_over_time_sql(scope, length_us, math.ceil(length_us / buckets)), views=())


def latency_distribution(
    store: Store,
    *,
    run_id: int,
    measure: Measure = "response",
    window: Span | None = None,
    bins_ratio: float = 1.02,
) -> pa.Table:
    """Count the ok requests of a window in bins of equal ratio.

    Args:
        store: the lake.
        run_id: the run.
        measure: response, wait or service.
        window: from and to, seconds on the simulated clock, the end outside; None is the measured
            window.
        bins_ratio: upper edge of a bin by its lower edge, more than 1.

    Returns:
        One row a bin that is not empty, in rising order: `lower_s`, `upper_s` (seconds) and
        `count`. Times of zero have a bin of their own, from 0 to 0.

    Raises:
        NotFoundError: no such run, or it is not complete, or it kept neither requests nor histograms.
        InputError: an unknown measure, a ratio of 1 or less, or an empty window.
    """
    if measure not in _COLUMNS:
        raise InputError(f"unknown measure {measure}; known are {', '.join(_COLUMNS)}")
    if not 1 < bins_ratio < math.inf:
        raise InputError(f"bins of ratio {bins_ratio:g}; the ratio must be more than 1")
    column = _COLUMNS[measure]
    if keeps_requests(store, run_id):
        source = (
            f"(select {column} as us, 1 as n from {requests_in(store, run_id, window).sql} where {_IS_OK})"
        )
    else:
        scope, timing = binned.slices_in(store, run_id, window), Timing[measure.upper()].value
        source = f"(select middle_us as us, n from {scope.sql} where {_IS_OK} and timing_code = {timing})"
    return store.query(_distribution_sql(source, bins_ratio), views=())


def _binned_latency(store: Store, scope: Scope) -> Latency:
    response, wait = (binned.statistics(store, scope, timing) for timing in (Timing.RESPONSE, Timing.WAIT))
    return Latency(scope.window_s, response["n"], _from_bins(response), _from_bins(wait), exact=False)


def _from_bins(row: Mapping[str, Any]) -> LatencyStatistics:
    values = (row["mean_us"], *row["quantiles_us"], row["max_us"])
    return LatencyStatistics(*(_seconds(value) for value in values))


def _statistics(row: dict[str, float | None], measure: str) -> LatencyStatistics:
    values = (row[f"{measure}_mean"], *(row[f"{measure}_{place}"] for place in range(len(QUANTILES))))
    return LatencyStatistics(*(_seconds(value) for value in (*values, row[f"{measure}_max"])))


def _seconds(microseconds: float | None) -> float:
    return math.nan if microseconds is None else microseconds / 1e6


def _statistics_sql(scope: Scope) -> str:
    measures = ("response", "wait")
    columns = ", ".join(
        f"avg({measure}_us) as {measure}_mean, max({measure}_us) as {measure}_max, "
        f"quantile_cont({measure}_us, {list(QUANTILES)}) as {measure}_q"
        for measure in measures
    )
    quantiles = ", ".join(
        f"{measure}_q[{place + 1}] as {measure}_{place}"
        for measure in measures
        for place in range(len(QUANTILES))
    )
    return f"""
        select * exclude (response_q, wait_q), {quantiles}
        from (select count(*) as requests, {columns} from {scope.sql} where {_IS_OK})
    """


def _over_time_sql(scope: Scope, length_us: int, width_us: int) -> str:
    last = (length_us - 1) // width_us
    return f"""
        with found as (
            select arrival_us // {width_us} as bucket,
                count(*) as requests,
                avg(response_us) filter (where {_IS_OK}) / 1e6 as mean_s,
                quantile_cont(response_us, [0.5, 0.95, 0.99]) filter (where {_IS_OK}) as quantiles
            from {scope.requests_sql}
            where arrival_us < {length_us}
            group by bucket
        )
        select bucket * {width_us} / 1e6 as ts_s,
            coalesce(requests, 0) as requests,
            mean_s,
            quantiles[1] / 1e6 as p50_s,
            quantiles[2] / 1e6 as p95_s,
            quantiles[3] / 1e6 as p99_s
        from range({last + 1}) as every(bucket) left join found using (bucket)
        order by bucket
    """


def _distribution_sql(source: str, ratio: float) -> str:
    return f"""
        with binned as (
            select case when us > 0 then floor(ln(us) / ln({ratio!r}))::INTEGER end as bin, n
            from {source}
        )
        select case when bin is null then 0.0 else pow({ratio!r}, bin) / 1e6 end as lower_s,
            case when bin is null then 0.0 else pow({ratio!r}, bin + 1) / 1e6 end as upper_s,
            sum(n)::BIGINT as count
        from binned
        group by bin
        order by bin nulls first
    """
