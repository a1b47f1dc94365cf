"""One run of the compiled engine: chunks of the workload in, chunks of finished requests out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.compiled.agenda import KIND_SHIFT, make_agenda, put
from workbench.simulate.engines.compiled.drawing import bank_of, memory_of
from workbench.simulate.engines.compiled.finished import KEPT, Finished
from workbench.simulate.engines.compiled.kernels import Kernel, kernel_for
from workbench.simulate.engines.compiled.level_sets import make_level_sets
from workbench.simulate.engines.compiled.occupancy import Occupancy
from workbench.simulate.engines.compiled.state import (
    Count,
    Run,
    Sum,
    make_pool,
    make_slots,
    make_views,
    make_window,
)
from workbench.simulate.engines.reference.clock import Kind
from workbench.simulate.records import Records
from workbench.simulate.streams import Stream, generator
from workbench.simulate.workload import CHUNK, Chunk, Workload

_GIVEN = ("think", "demand", "balancer", "key")


class Simulation:
    """One run: `finished` may be read once.

    Args:
        workload: what is simulated.
        size: requests that are taken from the workload at once.
        counted: whether `run.sums` is to hold the integral of the number in the system, once all is over.

    Raises:
        SimulationError: the compiled engine cannot run the scenario.
    """

    def __init__(self, workload: Workload, *, size: int = CHUNK, counted: bool = True) -> None:
        self.scenario = scenario = workload.scenario
        self.chunks = workload.chunks(size)
        self.servers = servers = scenario.servers()
        settings = scenario.balancers
        streams = [
            generator(scenario.seed, replication=workload.replication, stream=Stream.BALANCER, index=number)
            for number in range(settings.count)
        ]
        self.rng: Generator = streams[0]
        numbers, left_over = memory_of(self.rng)
        keys = scenario.keys.names() if scenario.keys else []
        views = make_views(settings, servers, keys)
        self.kernel: Kernel = kernel_for(scenario)
        self.run = Run(
            counts=np.zeros(len(Count), np.int64),
            sums=np.zeros(len(Sum)),
            window=make_window(2 * size),
            pool=make_pool(servers),
            views=views,
            slots=make_slots(settings, servers, len(views.usable)),
            agenda=make_agenda(0),
            sets=make_level_sets(views, wanted=self.kernel.sets),
            bank=bank_of(streams),
            numbers=numbers,
            left_over=left_over,
        )
        apart = counted and not self.kernel.agenda
        self.occupancy = Occupancy(self.run) if apart else None
        self._set_out()

    def _set_out(self) -> None:
        settings, closed = self.scenario.balancers, self.scenario.closed
        self.run.counts[Count.USERS] = closed.users if closed else 0
        horizon = self.scenario.horizon
        until = horizon.seconds if horizon is not None else None
        self.run.sums[Sum.UNTIL] = math.inf if until is None else until
        self._make_room()
        run = self.run
        if settings.refresh_every is not None:
            run.sums[Sum.REFRESH] = settings.refresh_every
            for number in range(settings.count):
                first = (1 + number / settings.count) * settings.refresh_every
                code = int(Kind.REFRESH) << KIND_SHIFT | number
                run.counts[Count.EVENTS] = put(run.agenda, number, first, code)

    def finished(self, *, progress: Progress | None = None) -> Iterator[Finished]:
        """Simulate, giving requests whose answer is known as soon as all before them are known, too.

        Raises:
            SimulationError: the strategy failed, or returned what is no server that may be picked.
        """
        counts = self.run.counts
        more = True
        while more:
            self._take(next(self.chunks, None))
            before = int(counts[Count.ARRIVED])
            more = self.kernel.advance(self.run, self.rng)
            until = self._now() if more else math.inf
            if self.occupancy is not None:
                window, begin, end = self.run.window, before - int(counts[Count.BASE]), self._arrived
                self.occupancy.add(self.run, window.arrival[begin:end], window.answered[begin:end], until)
            if progress is not None:
                progress(int(counts[Count.ARRIVED]))
            if done := _done(self.run.window.answered[: self._arrived], until):
                yield self._give(done)
                self._forget(done)

    def _take(self, chunk: Chunk | None) -> None:
        """Put a chunk of the workload behind what is in the window."""
        counts = self.run.counts
        if chunk is None:
            counts[Count.LAST] = 1
            return
        begin = int(counts[Count.KNOWN] - counts[Count.BASE])
        self._make_room(begin + len(chunk))
        window, end = self.run.window, begin + len(chunk)
        if self.scenario.closed:
            window.think[begin:end] = chunk.arrival
        else:
            window.arrival[begin:end] = chunk.arrival
        window.demand[begin:end] = chunk.demand
        if len(self.run.bank) > 1:
            window.balancer[begin:end] = chunk.balancer
        if self.scenario.keys is not None:
            window.key[begin:end] = chunk.key
        counts[Count.KNOWN] += len(chunk)

    def _make_room(self, requests: int = 0) -> None:
        """See to it that the window holds so many requests, and the agenda all their events."""
        run = self.run
        if requests > len(run.window.arrival):
            wider = make_window(2 * requests)
            _carry_over(run.window, wider)
            run = run._replace(window=wider)
        events = len(run.window.arrival) + len(run.bank) + int(run.counts[Count.USERS])
        if self.run.pool.shares.any():
            # Ends that have moved stay there for a while; see `sharing.plan`.
            events = 4 * (events + len(run.pool.free))
        if events > len(run.agenda.time):
            longer = make_agenda(events)
            _carry_over(run.agenda, longer)
            run = run._replace(agenda=longer)
        self.run = run

    @property
    def _arrived(self) -> int:
        """The requests of the window that have arrived."""
        return int(self.run.counts[Count.ARRIVED] - self.run.counts[Count.BASE])

    def _now(self) -> float:
        """When the last request arrived."""
        return float(self.run.window.arrival[self._arrived - 1]) if self._arrived else 0.0

    def _give(self, done: int) -> Finished:
        window = self.run.window
        known = self.kernel.agenda or self.occupancy is not None
        return Finished(
            int(self.run.counts[Count.BASE]),
            **{name: getattr(window, name)[:done] for name in KEPT},
            area=float(self.run.sums[Sum.AREA]) if known else math.nan,
        )

    def _forget(self, done: int) -> None:
        """Move the rest of the window to its head."""
        counts = self.run.counts
        known = int(counts[Count.KNOWN] - counts[Count.BASE])
        for values in self.run.window:
            values[: known - done] = values[done:known].copy()
        counts[Count.BASE] += done

    def records(self, parts: list[Finished]) -> Records:
        """Put chunks, which are used up, together to the records of the whole run."""
        columns: dict[str, Any] = {}
        for name in KEPT:
            kind = np.float64 if name in ("arrival", "begin", "finish", "answered") else np.int64
            whole = [getattr(part, name) for part in parts]
            columns[name] = np.concatenate(whole, dtype=kind) if whole else np.empty(0, kind)
        horizon = self.scenario.horizon
        last = float(columns["arrival"][-1]) if parts else 0.0
        until = last if horizon is None or horizon.seconds is None else horizon.seconds
        return Records(
            **columns, delay=np.array(self.servers.delay), until=until, area=float(self.run.sums[Sum.AREA])
        )


def _done(answered: NDArray[np.float64], until: float) -> int:
    """Count the requests at the head that are answered by a time."""
    still_open = ~(answered <= until)
    return int(np.argmax(still_open)) if still_open.any() else len(answered)


def _carry_over(old: Iterable[Any], new: Iterable[Any]) -> None:
    """Copy arrays to the heads of longer ones."""
    for short, long in zip(old, new, strict=True):
        long[: len(short)] = short
