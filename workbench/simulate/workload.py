"""Workloads: a scenario and a seed as arrays, every random draw of the requests made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.simulate.arrivals import Arrivals, ArrivalSource, TraceArrivals
from workbench.simulate.scenario import Scenario
from workbench.simulate.streams import Stream, generator

CHUNK = 65_536


@dataclass(frozen=True, eq=False)
class Chunk:
    """The next requests, one entry each; all arrays have the same length."""

    arrival: NDArray[np.float64]
    """Seconds, never decreasing. In a closed loop the think time before the request instead."""
    demand: NDArray[np.float64]
    """Service demand: seconds at a server of speed 1."""
    balancer: NDArray[np.int64]
    """The balancer that the request comes to."""
    key: NDArray[np.int64]
    """The number of the request's key; 0 where the scenario has no keys."""
    patience: NDArray[np.float64] | None = None
    """Seconds that the client waits for its service to begin; None where it waits for ever."""

    def __len__(self) -> int:
        return len(self.demand)


class Workload:
    """The requests of one replication.

    Args:
        scenario: what is simulated; its strategy plays no part.
        replication: 0 or more; each has streams of its own.
    """

    def __init__(self, scenario: Scenario, *, replication: int = 0) -> None:
        self.scenario = scenario
        self.replication = replication

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """Give the requests in order; all together they do not depend on the size of the chunks.

        In a closed loop under a time horizon there is no end: the engine takes what it needs.

        Raises:
            TraceError: the trace cannot be used.
        """
        scenario, horizon = self.scenario, self.scenario.horizon
        arrivals = self._arrival_source()
        demands = scenario.service.start(self._stream(Stream.SERVICE))
        routing = self._stream(Stream.ROUTING)
        keys = scenario.keys.start(self._stream(Stream.KEYS)) if scenario.keys else _no_keys
        patient = scenario.clients.patience
        patience = patient.start(self._stream(Stream.PATIENCE)) if patient is not None else None
        left = horizon.requests if horizon and horizon.requests is not None else math.inf
        until = (
            horizon.seconds if horizon and horizon.seconds is not None and not scenario.closed else math.inf
        )
        while left > 0:
            asked = int(min(size, left))
            batch = arrivals(asked)
            count = (
                int(np.searchsorted(batch.time, until, side="right")) if until < math.inf else len(batch.time)
            )
            rows = batch.row[:count] if batch.row is not None else None
            own, keyed = (
                rows if self._same_trace(part) else None for part in (scenario.service, scenario.keys)
            )
            several = scenario.balancers.count
            balancer = (routing.random(count) * several if several > 1 else np.zeros(count)).astype(np.int64)
            if count:
                yield Chunk(
                    batch.time[:count],
                    demands(count, own),
                    balancer,
                    keys(count, keyed),
                    None if patience is None else patience(count, None),
                )
            left = left - count if count == asked else 0

    def arrays(self) -> Chunk:
        """Give all requests at once; not for a closed loop under a time horizon, which has no end."""
        chunks = list(self.chunks())
        return Chunk(
            np.concatenate([chunk.arrival for chunk in chunks] or [np.empty(0)]),
            np.concatenate([chunk.demand for chunk in chunks] or [np.empty(0)]),
            np.concatenate([chunk.balancer for chunk in chunks] or [np.empty(0, np.int64)]),
            np.concatenate([chunk.key for chunk in chunks] or [np.empty(0, np.int64)]),
        )

    def expected_requests(self) -> float | None:
        """About how many requests there will be, for a progress bar; None where nobody knows."""
        horizon = self.scenario.horizon
        if isinstance(self.scenario.arrivals, TraceArrivals):
            recorded = len(self.scenario.arrivals.times())
            return min(recorded, horizon.requests) if horizon and horizon.requests else recorded
        if horizon is None or horizon.requests is not None:
            return horizon.requests if horizon else None
        rate = self.scenario.arrivals.mean_rate()
        return None if rate is None or horizon.seconds is None else rate * horizon.seconds

    def _arrival_source(self) -> ArrivalSource:
        closed = self.scenario.closed
        if closed is None:
            return self.scenario.arrivals.start(self._stream(Stream.ARRIVALS), replication=self.replication)
        think = closed.think.start(self._stream(Stream.THINK))
        return lambda count: Arrivals(think(count, None))

    def _same_trace(self, part: object) -> bool:
        arrivals = self.scenario.arrivals
        return isinstance(arrivals, TraceArrivals) and arrivals.file == getattr(part, "file", None)

    def _stream(self, stream: Stream) -> np.random.Generator:
        return generator(self.scenario.seed, replication=self.replication, stream=stream)


def _no_keys(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return np.zeros(count, np.int64)
