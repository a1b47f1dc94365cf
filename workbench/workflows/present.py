"""A live run, or a real system that is watched, as it stands now and was in the last minutes."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from workbench.errors import NotFoundError
from workbench.monitor import Watched
from workbench.monitor.collection import ENGINE
from workbench.store import Run, Store, queries
from workbench.tables import described
from workbench.workflows.handling import active_alerts
from workbench.workflows.live_alerts import alerts_file
from workbench.workflows.live_views import CommandLine, LiveLine
from workbench.workflows.run_metrics import watched_servers
from workbench.workflows.running import scenario_of
from workbench.workflows.server_states import ServerState, fault_spans, server_states

BUCKETS = 240
"""At most so many points of time in a chart."""
WINDOW = 10
"""Sample intervals that the rates and percentiles of the tiles are of."""
_SAMPLES_A_MINUTE = 60
"""Sample intervals in place of a minute, of a run that goes as fast as it can."""


@dataclass(frozen=True)
class Figures:
    """What the tiles say; None where nobody knows.

    Args:
        waiting: requests that wait, mean over the last interval.
        in_flight: requests that have come and have no answer yet.
        oldest_s: how long the oldest has been waiting, seconds.
        throughput_per_s: requests that servers finished, a second, in the window.
        goodput_per_s: requests that ended ok, a second, in the window.
        p50_s: percentile of the response times of the window, seconds, as the two that follow.
        up: servers that can be sent to.
        servers: all there are.
        firing: alerts that fire.
        window_s: length of the window, seconds.
    """

    waiting: float | None
    in_flight: float | None
    oldest_s: float | None
    throughput_per_s: float | None
    goodput_per_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    up: int
    servers: int
    firing: int | None
    window_s: float


@dataclass(frozen=True, eq=False)
class Present:
    """What there is to see.

    Args:
        run: the run.
        live: how it stands; None of a system that is watched.
        commands: that it was sent, oldest first.
        figures: of now.
        from_s: begin of what the tables tell of, seconds on the run's clock.
        at_s: end of it: until then everything is stored.
        width_s: what a row of the tables brings together, seconds.
        servers: how each stands.
        last: the last interval of each server.
        samples: each server's queue and counts since then.
        answers: how requests ended since then, and percentiles of their times, one row a bucket.
        events: all that has happened.
        faults: `fault`, `server_id`, `begin_s` and `end_s` of each.
    """

    run: Run
    live: LiveLine | None
    commands: tuple[CommandLine, ...]
    figures: Figures
    from_s: float
    at_s: float
    width_s: float
    servers: tuple[ServerState, ...]
    last: pa.Table
    samples: pa.Table
    answers: pa.Table
    events: pa.Table
    faults: pa.Table

    @property
    def names(self) -> list[str]:
        """The servers' names, by their numbers."""
        return [server.name for server in self.servers]

    @property
    def stored_until(self) -> datetime:
        """The time of day until which a watched system is stored."""
        return datetime.fromisoformat(json.loads(self.run.scenario_json)["began"]) + timedelta(
            seconds=self.at_s
        )

    @property
    def goes_on(self) -> bool:
        """Whether there may be something new to see."""
        return self.live is None or self.live.state in ("running", "paused")


def watched_runs(store: Store) -> dict[int, str]:
    """List live runs and collected systems, the newest first: their numbers and what they are called."""
    live = {one.run_id for one in store.catalogue.lives.listed()}
    return {run.run_id: run.scenario for run in store.runs() if run.run_id in live or run.engine == ENGINE}


def newest_watched(store: Store) -> int | None:
    """Choose where nobody says: the newest live run that goes on, else the newest of all."""
    going = [one.run_id for one in store.catalogue.lives.listed() if one.state in ("running", "paused")]
    return next(iter(going or watched_runs(store)), None)


def show_present(store: Store, *, run_id: int, minutes: float = 3.0) -> Present:
    """Show how a live run or a watched system stands, and how its last minutes were.

    Args:
        store: the lake.
        run_id: the run.
        minutes: how far back on the clock of whoever looks, above 0; at the speed of a live run this is
            more on its own clock. Of one that goes as fast as it can a minute is 60 sample intervals.

    Raises:
        NotFoundError: there is no such run, or it is neither live nor collected.
        StoreError: the lake cannot be read.
    """
    run = store.run(run_id)
    live, commands = (None, []) if run.engine == ENGINE else _live(store, run)
    last = queries.last_samples(store, run_id=run_id)
    at_s, sample_s = _reached(live, last)
    span_s = 60 * minutes * (1.0 if live is None else live.speed or sample_s * _SAMPLES_A_MINUTE / 60)
    # Whole intervals on a grid that stays, so that points of a chart keep their values as time goes on.
    width_s = sample_s * max(1, round(span_s / sample_s / BUCKETS))
    from_s = width_s * math.floor(max(0.0, at_s - span_s) / width_s)
    events = queries.all_events(store, run_id=run_id)
    told = events.to_pylist()
    watched, weights = _pool(store, run)
    servers = server_states(told, names=[one.name for one in watched], weights=weights)
    since = max(0.0, at_s - WINDOW * sample_s)
    return Present(
        run=run,
        live=live,
        commands=tuple(commands),
        figures=_figures(store, run, live, last, servers, since=since, at_s=at_s),
        from_s=from_s,
        at_s=at_s,
        width_s=width_s,
        servers=tuple(servers),
        last=last,
        samples=queries.recent_samples(store, run_id=run_id, since_s=from_s, width_s=width_s),
        answers=_unbroken(
            queries.recent_answers(store, run_id=run_id, since_s=from_s, width_s=width_s),
            from_s=from_s,
            at_s=at_s,
            width_s=width_s,
        ),
        events=events,
        faults=pa.Table.from_pylist(fault_spans(told), schema=_FAULTS),
    )


_FAULTS = pa.schema(
    [
        described("fault", pa.string(), "what is wrong, such as crash"),
        described("server_id", pa.int16(), "the server, from 0", nullable=True),
        described("begin_s", pa.float64(), "when it began", unit="s"),
        described("end_s", pa.float64(), "when it ended; null while it lasts", unit="s", nullable=True),
    ]
)


def _live(store: Store, run: Run) -> tuple[LiveLine, list[CommandLine]]:
    """Read how a live run stands.

    Raises:
        NotFoundError: it is none.
    """
    try:
        found = store.catalogue.lives.one(run.run_id)
    except NotFoundError:
        raise NotFoundError(
            f"run {run.run_id} was neither live nor collected; its own page shows it"
        ) from None
    commands = [CommandLine.of(one) for one in store.catalogue.lives.commands(run.run_id)]
    strategies = [
        one.command.removeprefix("strategy=")
        for one in commands
        if one.state == "applied" and one.command.startswith("strategy=")
    ]
    return LiveLine.of(found, strategy=strategies[-1] if strategies else found.strategy), commands


def _pool(store: Store, run: Run) -> tuple[list[Watched], list[float | None]]:
    servers = watched_servers(store, run)
    if run.engine == ENGINE:
        return servers, [None] * len(servers)
    return servers, [float(one) for one in scenario_of(run).servers().weight]


def _reached(live: LiveLine | None, last: pa.Table) -> tuple[float, float]:
    """Say until when everything is stored, and how long an interval is, seconds."""
    if not last.num_rows:
        return (live.at_s, live.sample_s) if live is not None else (0.0, 1.0)
    begin, length = (last.column(name).to_numpy() for name in ("ts_s", "interval_s"))
    return float((begin + length).max()), live.sample_s if live is not None else float(np.median(length))


def _figures(
    store: Store,
    run: Run,
    live: LiveLine | None,
    last: pa.Table,
    servers: Sequence[ServerState],
    *,
    since: float,
    at_s: float,
) -> Figures:
    window = max(at_s - since, 1e-6)
    samples = queries.recent_samples(store, run_id=run.run_id, since_s=since, width_s=2 * window)
    answers = queries.recent_answers(store, run_id=run.run_id, since_s=since, width_s=window)
    told = next(iter(answers.to_pylist()), {})
    done = _sum(samples, "completions")
    waiting, serving = (_sum(last, name) for name in ("queue_depth", "in_service"))
    flying = None if waiting is None or serving is None else waiting + serving
    return Figures(
        waiting=waiting,
        in_flight=flying if live is None else float(live.requests - live.answered),
        oldest_s=_most(last, "oldest_s"),
        throughput_per_s=None if done is None else done / window,
        goodput_per_s=None if live is None else told.get("ok", 0) / window,
        p50_s=told.get("p50_s"),
        p95_s=told.get("p95_s"),
        p99_s=told.get("p99_s"),
        up=sum(one.serves for one in servers),
        servers=len(servers),
        firing=_firing(store, run, live),
        window_s=window,
    )


def _unbroken(answers: pa.Table, *, from_s: float, at_s: float, width_s: float) -> pa.Table:
    """Give the buckets in which nothing was answered a row, too."""
    there = {round((row["ts_s"] - from_s) / width_s): row for row in answers.to_pylist()}
    count = max(1, math.ceil((at_s - from_s) / width_s - 1e-6))
    rows = [
        there.get(place, {"ts_s": from_s + place * width_s, "answered": 0, "ok": 0}) for place in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=answers.schema)


def _firing(store: Store, run: Run, live: LiveLine | None) -> int | None:
    """Count the alerts that fire: those of the rules that a live run began with, else those of the lake."""
    state = None if live is None else alerts_file(store, run.run_id)
    if state is not None and not state.is_file():
        return None
    try:
        view = active_alerts(settings=store.settings, state=state)
    except NotFoundError:
        return None
    return sum(one.state == "firing" for one in view.alerts)


def _known(table: pa.Table, name: str) -> list[float]:
    return [float(value) for value in table.column(name).to_pylist() if value is not None]


def _sum(table: pa.Table, name: str) -> float | None:
    known = _known(table, name)
    return sum(known) if known else None


def _most(table: pa.Table, name: str) -> float | None:
    return max(_known(table, name), default=None)
