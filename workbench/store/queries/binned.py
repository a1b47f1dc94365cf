"""The same questions answered from histograms: at most 0.99 % off, for runs that kept no or few requests.

A window is answered by the slices that overlap it; the measured window is met exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import pyarrow as pa

from workbench.errors import InputError, NotFoundError
from workbench.store.queries.scope import Scope, Span, complete_run, measured_window, span_us
from workbench.store.store import Store
from workbench.tables import QUANTILES, Outcome, Timing, bin_middle_sql, quantile_column

_OK = f"outcome_code = {Outcome.OK.value}"


def slices_in(store: Store, run_id: int, window: Span | None) -> Scope:
    """Find the slices of a run's histograms in a window; `sql` has the pool's rows.

    Raises:
        NotFoundError: no such run, or it is not complete, or it has no histograms.
        InputError: the window does not end after it begins.
    """
    run = complete_run(store, run_id)
    if not store.parts("histograms", [run_id]):
        raise NotFoundError(
            f"run {run_id} kept no requests and has no histograms; its summaries and samples are there"
        )
    source = store.relation_sql("histograms", run_ids=[run_id])
    pool = f"(select *, ts_us as arrival_us from {source} where server_id is null)"
    if window is None:
        start, end = measured_window(run)
        return Scope(pool, start, end + 1, (end - start) / 1e6)
    start, end = span_us(window)
    overlap = f"ts_us < {end} and ts_us + interval_us > {start}"
    sql = f"select min(ts_us) as low, max(ts_us + interval_us) as high from {pool} where {overlap}"
    found = store.query(sql, views=()).to_pylist()[0]
    low, high = (found["low"], found["high"]) if found["low"] is not None else (start, end)
    return Scope(pool, low, high, (high - low) / 1e6)


def outcomes(store: Store, scope: Scope) -> dict[str, int]:
    """Count requests by outcome."""
    sql = (
        f"select outcome, sum(n)::BIGINT as n from {scope.sql} where {_of(Timing.RESPONSE)} group by outcome"
    )
    return {row["outcome"]: row["n"] for row in store.query(sql, views=()).to_pylist()}


def statistics(store: Store, scope: Scope, timing: Timing) -> dict[str, Any]:
    """Give `n`, `mean_us`, `max_us` and `quantiles_us`, a list as `QUANTILES`; None where there were none."""
    sql = f"select * from {_quantiles_sql(f'{scope.sql} where {_OK} and {_of(timing)}', (), QUANTILES)}"
    rows = store.query(sql, views=()).to_pylist()
    none = {"n": 0, "mean_us": None, "max_us": None, "quantiles_us": [None] * len(QUANTILES)}
    return rows[0] if rows else none


def over_time(store: Store, scope: Scope, buckets: int) -> pa.Table:
    """Give the rows of `latency_over_time`, one a slice or several neighbours."""
    grouped = f"""
        with slices as (select distinct ts_us from {scope.requests_sql}),
        numbered as (
            select ts_us, (row_number() over (order by ts_us) - 1)
                // greatest(ceil((select count(*) from slices) / {buckets}), 1)::BIGINT as bucket
            from slices
        )
        select * from {scope.requests_sql} join numbered using (ts_us) where {_of(Timing.RESPONSE)}
    """
    return store.query(
        f"""
        with counted as ({grouped}),
        sums as (select bucket, min(ts_us) as ts_us, sum(n)::BIGINT as requests from counted group by bucket),
        times as (select * from {_quantiles_sql(f"counted where {_OK}", ("bucket",), (0.5, 0.95, 0.99))})
        select ts_us / 1e6 as ts_s, requests, mean_us / 1e6 as mean_s, quantiles_us[1] / 1e6 as p50_s,
            quantiles_us[2] / 1e6 as p95_s, quantiles_us[3] / 1e6 as p99_s
        from sums left join times using (bucket)
        order by ts_s
        """,
        views=(),
    )


def shares_sql(store: Store, run_id: int) -> str:
    """Build the relation of `server_id`, `requests` and `ok` in the measured window."""
    start, _ = measured_window(complete_run(store, run_id))
    return f"""(
        select server_id, sum(n)::BIGINT as requests,
            coalesce(sum(n) filter (where {_OK}), 0)::BIGINT as ok
        from {store.relation_sql("histograms", run_ids=[run_id])}
        where server_id is not null and ts_us >= {start} and {_of(Timing.RESPONSE)}
        group by server_id
    )"""


def percentiles(
    store: Store,
    *,
    run_ids: Collection[int],
    timing: Timing = Timing.RESPONSE,
    quantiles: Sequence[float] = QUANTILES,
    by: Literal["run_id", "strategy", "scenario"] = "run_id",
) -> pa.Table:
    """Compute percentiles of the ok requests of many runs from their histograms.

    Histograms merge, so runs of one strategy give the percentiles of all their requests together. Each
    value is at most 0.99 % off.

    Args:
        store: the lake.
        run_ids: the runs; those without histograms have no part in it.
        timing: which time.
        quantiles: each 0 to 1.
        by: what a row stands for.

    Returns:
        A row for each: `by`, `runs`, `requests`, and a column a quantile, such as `response_p99_s`.

    Raises:
        InputError: no quantile, one outside 0 to 1, or another `by`.
    """
    _check_by(by)
    if not quantiles or not all(0 <= quantile <= 1 for quantile in quantiles):
        raise InputError(f"quantiles: given {list(quantiles)}; allowed: some, each from 0 to 1")
    columns = ", ".join(
        f"quantiles_us[{place + 1}] / 1e6 as {quantile_column(timing.label, quantile)}"
        for place, quantile in enumerate(quantiles)
    )
    key = by if by == "run_id" else f"run_id, {by}"
    sql = f"""
        with counted as materialized (
            select {key}, bin, sum(n) as n
            from {store.relation_sql("histograms", run_ids=run_ids)} join runs using (run_id)
            where server_id is null and ts_us >= warm_up_us and {_OK} and {_of(timing)}
            group by {key}, bin
        ),
        sizes as (select {by}, count(distinct run_id) as runs from counted group by {by})
        select {by}, runs, n as requests, {columns}
        from {_quantiles_sql("counted", (by,), quantiles)} join sizes using ({by}) order by {by}
    """
    return store.query(sql, views=("runs",))


def outcome_table(
    store: Store, *, run_ids: Collection[int], by: Literal["run_id", "strategy", "scenario"] = "run_id"
) -> pa.Table:
    """Count the requests of many runs by outcome, in their measured windows, from their histograms.

    Args:
        store: the lake.
        run_ids: the runs; those without histograms have no part in it.
        by: what a row stands for.

    Returns:
        A row for each `by` and outcome that occurs: `requests`, and their `share` of all of this `by`,
        0 to 1.

    Raises:
        InputError: another `by`.
    """
    _check_by(by)
    sql = f"""
        select {by}, outcome, sum(n)::BIGINT as requests,
            sum(n) / sum(sum(n)) over (partition by {by}) as share
        from {store.relation_sql("histograms", run_ids=run_ids)} join runs using (run_id)
        where server_id is null and ts_us >= warm_up_us and {_of(Timing.RESPONSE)}
        group by {by}, outcome
        order by {by}, outcome
    """
    return store.query(sql, views=("runs",))


def _check_by(by: str) -> None:
    if by not in ("run_id", "strategy", "scenario"):
        raise InputError(f"by: given {by!r}; allowed: run_id, strategy, scenario")


def _of(timing: Timing) -> str:
    return f"timing_code = {timing.value}"


def _quantiles_sql(source: str, by: Sequence[str], quantiles: Sequence[float]) -> str:
    """Build the relation of `by`, `n`, `mean_us`, `max_us` and `quantiles_us` over bins.

    As numpy does, a quantile lies between the two neighbours of its rank; each is found in its bin.
    """
    names = "".join(f"{name}, " for name in by)
    group = f"partition by {', '.join(by)}" if by else ""
    values = ", ".join(_quantile_sql(float(quantile)) for quantile in quantiles)
    return f"""(
        with bins as (
            select {names}{bin_middle_sql("bin")} as middle_us, sum(n)::BIGINT as n
            from {source} group by {names}bin
        ),
        ranked as (
            select *, sum(n) over ({group} order by middle_us)::BIGINT as upto,
                sum(n) over ({group})::BIGINT as total
            from bins
        )
        select {names}sum(n)::BIGINT as n, sum(n * middle_us) / sum(n) as mean_us, max(middle_us) as max_us,
            [{values}] as quantiles_us
        from ranked {f"group by {', '.join(by)}" if by else "having count(*) > 0"}
    )"""


def _quantile_sql(quantile: float) -> str:
    rank = f"((total - 1) * {quantile!r})"
    low = f"min(middle_us) filter (where upto > floor({rank}))"
    high = f"min(middle_us) filter (where upto > ceil({rank}))"
    return f"{low} + ({high} - {low}) * (any_value({rank}) - floor(any_value({rank})))"
