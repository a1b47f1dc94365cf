"""What a run tells of its last moments, whether it still goes on or not."""

from __future__ import annotations

import math

import pyarrow as pa

from workbench.errors import InputError
from workbench.store.store import Store
from workbench.tables import BIN_RATIO, Outcome, Timing, bin_middle_sql

_PERCENTILES = (50, 95, 99)
_LEVELS = ("queue_depth", "in_service", "utilisation")
_COUNTS = ("arrivals", "completions", "refused")


def last_samples(store: Store, *, run_id: int) -> pa.Table:
    """Return the last interval of each server that is sampled to the end.

    Returns:
        One row a server: `server_id`, `ts_s`, `interval_s`, `queue_depth`, `in_service`, `utilisation`,
        `oldest_s` and the counts; null where the system does not tell. No row where nothing was sampled.

    Raises:
        NotFoundError: no such run.
    """
    store.run(run_id)
    source = store.relation_sql("samples", run_ids=[run_id])
    sql = f"""
        with last as (select max(ts_us) as ts_us, arg_max(interval_us, ts_us) as interval_us from {source}),
        late as (
            select samples.* from {source} as samples, last
            where samples.ts_us > last.ts_us - 1.5 * last.interval_us
        )
        select server_id, ts_us / 1e6 as ts_s, interval_us / 1e6 as interval_s, {", ".join(_LEVELS)},
            oldest_us / 1e6 as oldest_s, {", ".join(_COUNTS)}
        from late qualify row_number() over (partition by server_id order by ts_us desc) = 1
        order by server_id
    """
    return store.query(sql, views=())


def recent_samples(store: Store, *, run_id: int, since_s: float, width_s: float) -> pa.Table:
    """Show each server's queue and counts from a time on.

    Args:
        store: the lake.
        run_id: the run.
        since_s: from when on, seconds on the run's clock.
        width_s: what a row brings together, seconds, above 0.

    Returns:
        One row a server and bucket, sorted by server, then time: `ts_s` (its first sample), `server_id`,
        `span_s` (what is known of it), `queue_depth`, `in_service`, `utilisation` (means), `queue_max`, and
        the sums `arrivals`, `completions` and `refused`.

    Raises:
        NotFoundError: no such run.
        InputError: the width is not above 0.
    """
    store.run(run_id)
    since_us, width_us = round(since_s * 1e6), _width_us(width_s)
    means = ", ".join(
        # As DOUBLE: DuckDB multiplies a FLOAT and a BIGINT as FLOATs.
        f"sum({one}::DOUBLE * interval_us) / sum(interval_us) filter (where {one} is not null) as {one}"
        for one in _LEVELS
    )
    sums = ", ".join(f"sum({one})::BIGINT as {one}" for one in _COUNTS)
    return store.query(
        f"""
        select min(ts_us) / 1e6 as ts_s, server_id, sum(interval_us) / 1e6 as span_s, {means},
            max(queue_max) as queue_max, {sums}
        from {store.relation_sql("samples", run_ids=[run_id])}
        where ts_us >= {since_us}
        group by server_id, (ts_us - {since_us}) // {width_us}
        order by server_id, ts_s
        """,
        views=(),
    )


def recent_answers(store: Store, *, run_id: int, since_s: float, width_s: float) -> pa.Table:
    """Show how requests ended from a time on, and how long those took that ended ok.

    A request counts when it was answered, where all requests are stored; else, from histograms, when it
    came. A percentile is the smallest time that so many do not exceed, at most 0.99 % off.

    Args:
        store: the lake.
        run_id: the run.
        since_s: from when on, seconds on the run's clock.
        width_s: what a row brings together, seconds, above 0.

    Returns:
        One row a bucket that is not empty, in order: `ts_s` (its start), `answered`, `ok`, `p50_s`, `p95_s`
        and `p99_s` (null where none ended ok).

    Raises:
        NotFoundError: no such run.
        InputError: the width is not above 0.
    """
    since_us, width_us = round(since_s * 1e6), _width_us(width_s)
    source = _answers_sql(store, run_id, since_us)
    ok = f"outcome_code = {Outcome.OK.value}"
    percentiles = ", ".join(
        f"min(middle_us) filter (where upto >= ceil(total * {one / 100!r})) / 1e6 as p{one}_s"
        for one in _PERCENTILES
    )
    return store.query(
        f"""
        with answers as (select *, (at_us - {since_us}) // {width_us} as bucket from {source}),
        counts as (
            select bucket, sum(n)::BIGINT as answered, coalesce(sum(n) filter (where {ok}), 0)::BIGINT as ok
            from answers group by bucket
        ),
        bins as (
            select bucket, {bin_middle_sql("bin")} as middle_us, sum(n) as n
            from answers where {ok} group by bucket, bin
        ),
        ranked as (
            select bucket, middle_us, sum(n) over (partition by bucket) as total,
                sum(n) over (partition by bucket order by middle_us) as upto
            from bins
        ),
        times as (select bucket, {percentiles} from ranked group by bucket)
        select ({since_us} + bucket * {width_us}) / 1e6 as ts_s, answered, ok, p50_s, p95_s, p99_s
        from counts left join times using (bucket) order by ts_s
        """,
        views=(),
    )


def all_events(store: Store, *, run_id: int) -> pa.Table:
    """Return what has happened in a run so far, in order of time, as `events_of_run` does once it is over.

    Raises:
        NotFoundError: no such run.
    """
    store.run(run_id)
    events = store.relation_sql("events", run_ids=[run_id])
    sql = f"select ts_us / 1e6 as at_s, kind, server_id, balancer_id, detail from {events} order by ts_us"
    return store.query(sql, views=())


def _answers_sql(store: Store, run_id: int, since_us: int) -> str:
    """Build the relation of `at_us`, `outcome_code`, `bin` and `n`."""
    if _keeps_all(store, run_id):
        width = math.log(BIN_RATIO)
        time = f"case when response_us > 0 then floor(ln(response_us) / {width!r})::SMALLINT else -1 end"
        return f"""(
            select arrival_us + response_us as at_us, outcome_code, {time} as bin, 1 as n
            from {store.relation_sql("requests", run_ids=[run_id])}
            where arrival_us + response_us >= {since_us}
        )"""
    return f"""(
        select ts_us as at_us, outcome_code, bin, n
        from {store.relation_sql("histograms", run_ids=[run_id])}
        where server_id is null and timing_code = {Timing.RESPONSE.value} and ts_us >= {since_us}
    )"""


def _keeps_all(store: Store, run_id: int) -> bool:
    run, stored = store.run(run_id), sum(part.rows for part in store.parts("requests", [run_id]))
    if run.state == "complete":
        return stored > 0 and run.records == 1
    # One that goes on says at its end which share it keeps; what it has answered is known before.
    lives = {one.run_id: one for one in store.catalogue.lives.listed()}
    return run_id in lives and 0 < lives[run_id].answered == stored


def _width_us(width_s: float) -> int:
    if not round(width_s * 1e6) > 0:
        raise InputError(f"width: given {width_s:g}; allowed: a time above 0, in seconds")
    return round(width_s * 1e6)
