"""What every run keeps: the workload's requests, what became of them, and how many are in the system."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from numpy.random import Generator

from workbench.errors import SimulationError
from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.reference.clock import Clock
from workbench.simulate.engines.reference.sources import Source, make_source
from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.simulate.streams import Stream, generator
from workbench.simulate.workload import Chunk, Workload
from workbench.tables import Outcome

NOWHERE = -1
MOST_REQUESTS = 30_000_000
"""The engine holds all records in memory, some 300 bytes a request."""

Watch = Callable[[int, float, list[int], int], None]
"""Told of every pick: request, time, which servers were usable, and the server."""

REPORT = 8192
"""Requests between two reports of progress."""


def check_size(requests: float) -> None:
    """Refuse a run that would not fit into memory.

    Raises:
        SimulationError: there are more than 30 million requests.
    """
    if requests > MOST_REQUESTS:
        raise SimulationError(
            f"horizon: given some {requests:,.3g} requests; allowed: at most {MOST_REQUESTS:,} a run, "
            "which the reference engine holds in memory; shorten the horizon"
        )


@dataclass(frozen=True)
class Standing:
    """How a server stands at an instant."""

    ends: list[float]
    """When each request in service will end, seconds; infinite where it does not go on."""
    waiting: list[float]
    """Service demand of each request that waits there, the first in the queue first, seconds."""
    free: int
    """Slots that serve nobody."""
    speed: float
    delay: float
    """One-way network delay, seconds."""
    room: bool
    """Whether a request would be let in."""


class Seen(NamedTuple):
    """What a balancer sees; one entry a server."""

    weight: Sequence[int]
    in_flight: Sequence[int]
    pool: Sequence[int]
    """What is really in flight, from all balancers together."""


class Run(ABC):
    """One run. Lists have one entry a request, in the order of arrival."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        self.scenario: Scenario = workload.scenario
        self.replication = workload.replication
        self.clock = self.make_clock()
        self.progress = progress
        self.watch: Watch | None = None
        self.chunks: Iterator[Chunk] = workload.chunks()
        self.arrival: list[float] = []
        self.demand: list[float] = []
        self.balancer: list[int] = []
        self.key: list[int] = []
        self.answered: list[float] = []
        self.outcome: list[int] = []
        self.in_system = 0
        self.area = 0.0
        self.changed = 0.0
        self.source: Source = self.make_source(workload)

    def make_clock(self) -> Clock:
        """Make the clock of the run, with nothing on it yet."""
        return Clock()

    def make_source(self, workload: Workload) -> Source:
        """Make what the requests come from."""
        return make_source(self, workload)

    def stream(self, use: Stream, index: int = 0) -> Generator:
        """Start a stream of random numbers of this run."""
        return generator(self.scenario.seed, replication=self.replication, stream=use, index=index)

    def more(self) -> bool:
        """Take the next chunk of the workload; False where there is none."""
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        count = len(chunk)
        check_size(len(self.demand) + count)
        self.source.take_times(chunk)
        self.demand += chunk.demand.tolist()
        self.balancer += chunk.balancer.tolist()
        self.key += chunk.key.tolist()
        self.answered.extend([math.nan] * count)
        self.outcome += [Outcome.OK] * count
        self.take(chunk)
        return True

    @abstractmethod
    def take(self, chunk: Chunk) -> None:
        """Make room for what becomes of the requests of a chunk."""

    @abstractmethod
    def arrive(self, request: int, now: float) -> None:
        """A request reaches its balancer."""

    @abstractmethod
    def records(self) -> Records:
        """Gather what became of the requests."""

    @abstractmethod
    def standing(self) -> list[Standing]:
        """Tell how each server stands, for whoever watches a decision."""

    @abstractmethod
    def seen(self, balancer: int) -> Seen:
        """Tell what a balancer sees, for whoever watches a decision."""

    def enter(self, request: int, now: float) -> None:
        """Count a request as in the system."""
        self.area += self.in_system * (now - self.changed)
        self.changed = now
        self.in_system += 1
        if self.progress is not None and request % REPORT == 0:
            self.progress(request)

    def answer(self, request: int, now: float) -> None:
        """The client has its answer."""
        self.answered[request] = now
        self.area += self.in_system * (now - self.changed)
        self.changed = now
        self.in_system -= 1
        if self.source.answered is not None:
            self.source.answered(request, now)

    @property
    def until(self) -> float:
        """When arrivals ended: the horizon where that is a time, else the last arrival, seconds."""
        horizon = self.scenario.horizon
        if horizon is not None and horizon.seconds is not None:
            return horizon.seconds
        return self.arrival[-1] if self.arrival else 0.0
