"""Gathering the queue metrics of a run of the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from workbench.monitor import Point, Watched, sample_points
from workbench.monitor.collection import ENGINE
from workbench.monitor.latencies import histogram_points
from workbench.store import Run, Store, queries
from workbench.tables import QUANTILES, SAMPLES, EventKind
from workbench.workflows.running import scenario_of

_COUNTS = ("arrivals", "completions", "refused")
_DEAD = ("crash", "hang")
_TRANSITIONS = (EventKind.UP, EventKind.DOWN, EventKind.EJECTED, EventKind.RETURNED)

Event = dict[str, Any]


def end_us(store: Store, run: Run) -> int:
    """Say how far a run has come: to its last answer, or to its last sample, microseconds."""
    source = store.relation_sql("samples", run_ids=[run.run_id])
    sql = f"select max(ts_us + interval_us) as last from {source}"
    return max(run.drained_us or 0, store.query(sql, views=()).to_pylist()[0]["last"] or 0)


def run_points(store: Store, run: Run) -> list[Point]:
    """Gather the metrics of a run at its end, or as far as it has come."""
    servers = watched_servers(store, run)
    last = sample_points(_last_samples(store, run), servers=servers)
    points = [one for one in last if not one.series.endswith("_total")]
    points += _totals(store, run, servers)
    events = _events(store, run)
    points += _health(events, servers)
    if run.engine == ENGINE:
        return [*points, *_targets(events, end_us=end_us(store, run))]
    if store.parts("histograms", [run.run_id]):
        histograms = store.read_table("histograms", run_id=run.run_id)
        points += histogram_points(histograms, servers=servers)
    return [*points, *_retried(store, run, servers), *_percentiles(store, run), *_little(store, run)]


def watched_servers(store: Store, run: Run) -> list[Watched]:
    """List the servers of a run: of its pool, or as they were found while it was collected."""
    if run.engine != ENGINE:
        pool = scenario_of(run).servers()
        return [
            Watched(name, slots, None if limit is None else float(limit))
            for name, slots, limit in zip(pool.names, pool.slots, pool.queue_limit, strict=True)
        ]
    found = [
        (row["server_id"], json.loads(row["detail"]))
        for row in _events(store, run)
        if row["kind"] == EventKind.FOUND
    ]
    return [
        Watched(told["server"], told["slots"], told["queue_limit"], told["pool"])
        for _, told in sorted(found, key=lambda entry: entry[0])
    ]


def _events(store: Store, run: Run) -> list[Event]:
    """Read the events in order; where one gap ends as another begins, the end is first."""
    found = store.read_table("events", run_id=run.run_id).to_pylist()
    return sorted(found, key=lambda row: (row["ts_us"], row["kind"] != EventKind.GAP_ENDS))


def _last_samples(store: Store, run: Run) -> pa.Table:
    """Read the last two intervals of the servers that are sampled to the end."""
    source = store.relation_sql("samples", run_ids=[run.run_id])
    sql = f"""
        with last as (select max(ts_us) as ts_us, arg_max(interval_us, ts_us) as interval_us from {source})
        select samples.* from {source} as samples, last
        where samples.ts_us >= last.ts_us - 1.5 * last.interval_us
        order by server_id, ts_us
    """
    return store.query(sql, views=()).select(SAMPLES.names)


def _totals(store: Store, run: Run, servers: Sequence[Watched]) -> Iterator[Point]:
    source = store.relation_sql("samples", run_ids=[run.run_id])
    sums = ", ".join(f"sum({name})::double as {name}" for name in _COUNTS)
    sql = f"select server_id, {sums} from {source} group by server_id order by server_id"
    for row in store.query(sql, views=()).to_pylist():
        labels = {"server": servers[row["server_id"]].name}
        for name in _COUNTS:
            if row[name] is not None:
                yield Point(f"workbench_{name}_total", labels, row[name])


def _health(events: Sequence[Event], servers: Sequence[Watched]) -> Iterator[Point]:
    """Say which servers are well at the end; of a system that was watched where it tells."""
    found = {row["server_id"]: json.loads(row["detail"])["up"] for row in events if _is(row, EventKind.FOUND)}
    up = {number: found.get(number, True) for number in range(len(servers))}
    transitions = dict.fromkeys(up, 0)
    for row in events:
        number, kind = row["server_id"], EventKind(row["kind"])
        if number is None:
            continue
        transitions[number] += kind in _TRANSITIONS
        if kind is EventKind.DOWN or (kind is EventKind.FAULT_BEGINS and row["detail"] in _DEAD):
            up[number] = False
        elif kind is EventKind.UP or (kind is EventKind.FAULT_ENDS and row["detail"] in _DEAD):
            up[number] = True
    for number, server in enumerate(servers):
        if up[number] is not None:
            labels = {"server": server.name}
            yield Point("workbench_server_up", labels, float(up[number]))
            yield Point("workbench_health_transitions_total", labels, float(transitions[number]))


def _is(row: Event, kind: EventKind) -> bool:
    return bool(row["kind"] == kind)


def _targets(events: Sequence[Event], *, end_us: int) -> Iterator[Point]:
    """Say of each target whether it answered at the end, and for how long it did not."""
    gaps: dict[str, float] = {}
    since: dict[str, int] = {}
    resets: dict[str, int] = {}
    for row in events:
        kind = EventKind(row["kind"])
        if kind not in (EventKind.FOUND, EventKind.GAP_BEGINS, EventKind.GAP_ENDS, EventKind.RESET):
            continue
        target = json.loads(row["detail"])["target"]
        gaps.setdefault(target, 0.0)
        resets[target] = resets.get(target, 0) + (kind is EventKind.RESET)
        if row["server_id"] is not None:  # one server of a target that answers
            continue
        if kind is EventKind.GAP_BEGINS:
            since[target] = row["ts_us"]
        elif kind is EventKind.GAP_ENDS and target in since:
            gaps[target] += row["ts_us"] - since.pop(target)
    for target, gap in gaps.items():
        open_us = end_us - since[target] if target in since else 0
        labels = {"target": target}
        yield Point("workbench_target_up", labels, float(target not in since))
        yield Point("workbench_target_gap_seconds_total", labels, (gap + open_us) / 1e6)
        yield Point("workbench_target_resets_total", labels, float(resets[target]))


def _retried(store: Store, run: Run, servers: Sequence[Watched]) -> Iterator[Point]:
    """Count the attempts that were not a request's first, where attempts are stored."""
    if not store.parts("attempts", [run.run_id]):
        return
    source = store.relation_sql("attempts", run_ids=[run.run_id])
    sql = f"""
        with numbered as (
            select server_id, attempt_id > min(attempt_id) over (partition by req_id) as again from {source}
        )
        select server_id, count(*) filter (where again) as n from numbered
        where server_id is not null group by server_id order by server_id
    """
    for row in store.query(sql, views=()).to_pylist():
        labels = {"server": servers[row["server_id"]].name}
        yield Point("workbench_retried_total", labels, float(row["n"]))


def _percentiles(store: Store, run: Run) -> Iterator[Point]:
    """Give the percentiles of the measured window: exact where all requests are stored."""
    if run.state != "complete" or not store.parts("histograms", [run.run_id]):
        return
    found = queries.latency(store, run_id=run.run_id)
    for timing, statistics in (("response", found.response), ("wait", found.wait)):
        for quantile in QUANTILES:
            percentile = f"{100 * quantile:g}"
            value = getattr(statistics, f"p{percentile.replace('.', '_')}_s")
            labels = {"timing": timing, "percentile": percentile}
            yield Point("workbench_latency_percentile_seconds", labels, value)


def _little(store: Store, run: Run) -> Iterator[Point]:
    if run.state == "complete" and store.parts("summaries", [run.run_id]):
        residual = queries.summary(store, run_id=run.run_id).pool["little_residual"]
        if residual is not None:
            yield Point("workbench_little_residual_ratio", {"pool": "all"}, residual)
