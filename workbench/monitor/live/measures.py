"""The metrics of a live run as of now, from what its intervals have told.

They are those of the samples and histograms that are stored, by the same definitions; what is old is put
together into one row a server, so that it takes no more room however long the run lasts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.monitor.latencies import histogram_points
from workbench.monitor.live.simulation import LiveSimulation, Slice
from workbench.monitor.live.slices import tally
from workbench.monitor.points import Point
from workbench.monitor.samples import Watched, sample_points
from workbench.simulate import Scenario
from workbench.tables import HISTOGRAMS, SAMPLES, EventKind, Outcome

_COUNTERS = ("arrivals", "completions", "refused")
_HEALTH = (EventKind.DOWN, EventKind.UP, EventKind.EJECTED, EventKind.RETURNED)
_BINS = ("server_id", "timing", "outcome", "bin")
_GOODPUT = "workbench_goodput_per_second"
_WIDE = pa.schema([field.with_type(pa.int64()) if field.name in _COUNTERS else field for field in SAMPLES])
"""As samples, but a whole run may count more than an interval does."""


def watched(scenario: Scenario) -> list[Watched]:
    """Say of each server of a scenario what metrics need to know."""
    servers = scenario.servers()
    return [
        Watched(name, slots, limit)
        for name, slots, limit in zip(servers.names, servers.slots, servers.queue_limit, strict=True)
    ]


class LiveMetrics:
    """Keeps the metrics of a run up to date.

    Args:
        simulation: the run, before its first interval, or at a snapshot from which on it is counted.
    """

    def __init__(self, simulation: LiveSimulation) -> None:
        self._simulation = simulation
        self._servers = watched(simulation.run.scenario)
        self._samples: pa.Table = _WIDE.empty_table()
        self._counts: pa.Table = HISTOGRAMS.empty_table()
        self._good: Counter[int] = Counter()
        self._attempts = self._events = 0
        self._asked: set[int] = set()
        self._retried: Counter[int] = Counter()
        self._turns: Counter[int] = Counter()

    def add(self, told: Slice) -> None:
        """Take in an interval, right after it."""
        last = self._samples
        if last.num_rows > told.samples.num_rows:
            last = _put_together(last)
        self._samples = pa.concat_tables([last, told.samples.cast(_WIDE)])
        self._good = Counter(_good_servers(told.requests))
        if told.requests.num_rows:
            new = tally(told.requests, self._simulation.sample_us, self._simulation.run_id)
            self._counts = _added(self._counts, new)
        run = self._simulation.run
        for attempt in run.attempts[self._attempts :]:
            if attempt.call.request in self._asked:
                self._retried[attempt.server] += 1
            self._asked.add(attempt.call.request)
        self._attempts = len(run.attempts)
        self._turns.update(event.server for event in run.events[self._events :] if event.kind in _HEALTH)
        self._events = len(run.events)

    def points(self) -> list[Point]:
        """Give all metrics as of the end of the last interval."""
        if not self._samples.num_rows:
            return []
        times = histogram_points(self._counts, servers=self._servers)
        return [
            *sample_points(self._samples, servers=self._servers),
            *(point for point in times if point.series != _GOODPUT),
            *self._others(),
        ]

    def _others(self) -> Iterator[Point]:
        run, length = self._simulation.run, self._simulation.sample_us / 1e6
        for number, (server, machine) in enumerate(zip(self._servers, run.machines, strict=True)):
            labels = {"server": server.name}
            hangs = 0.0 in machine.factors
            up = not machine.crashes and not hangs and all(desk.checks.up[number] for desk in run.desks)
            yield Point("workbench_server_up", labels, float(up))
            yield Point("workbench_health_transitions_total", labels, float(self._turns[number]))
            yield Point("workbench_retried_total", labels, float(self._retried[number]))
            yield Point(_GOODPUT, labels, self._good[number] / length)


def _good_servers(requests: pa.Table) -> list[int]:
    good = requests["outcome"].to_numpy() == Outcome.OK
    servers: list[int] = requests["server_id"].to_numpy()[good].astype(np.int64).tolist()
    return servers


def _put_together(samples: pa.Table) -> pa.Table:
    """Make one row a server of several: counters are summed, levels are those of the last."""
    last = [name for name in SAMPLES.names if name not in ("server_id", "ts_us", "interval_us", *_COUNTERS)]
    ordered = samples.sort_by([("server_id", "ascending"), ("ts_us", "ascending")])
    found = ordered.group_by("server_id", use_threads=False).aggregate(
        [
            ("ts_us", "min"),
            ("interval_us", "sum"),
            *((name, "sum") for name in _COUNTERS),
            *((name, "last") for name in last),
        ]
    )
    columns: dict[str, Any] = {
        "server_id": found["server_id"],
        "ts_us": found["ts_us_min"],
        "interval_us": found["interval_us_sum"],
        **{name: found[f"{name}_sum"] for name in _COUNTERS},
        **{name: found[f"{name}_last"] for name in last},
    }
    return pa.table({field.name: columns[field.name].cast(field.type) for field in _WIDE}, schema=_WIDE)


def _added(counts: pa.Table, new: pa.Table) -> pa.Table:
    """Add counts of the same bin, whatever their slice."""
    found = (
        pa.concat_tables([counts, new])
        .group_by(list(_BINS), use_threads=False)
        .aggregate([("n", "sum"), ("run_id", "max"), ("ts_us", "min"), ("interval_us", "max")])
    )
    renamed = {"n": "n_sum", "run_id": "run_id_max", "ts_us": "ts_us_min", "interval_us": "interval_us_max"}
    columns: dict[str, Any] = {
        field.name: found[renamed.get(field.name, field.name)].cast(field.type) for field in HISTOGRAMS
    }
    return pa.table(columns, schema=HISTOGRAMS)
