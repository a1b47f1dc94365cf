"""Where a run's requests come from: the workload's arrivals, or users who wait and think."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from workbench.simulate.engines.reference.clock import Clock, Happening, Kind
from workbench.simulate.workload import Chunk, Workload


class Receiver(Protocol):
    """What a source feeds: a run."""

    clock: Clock
    arrival: list[float]

    def more(self) -> bool:
        """Take the next chunk of the workload; False where there is none."""
        ...

    def arrive(self, request: int, now: float) -> None:
        """A request reaches its balancer."""
        ...


class OpenSource:
    """Arrivals as the workload says."""

    answered: Callable[[int, float], None] | None = None

    def __init__(self, run: Receiver) -> None:
        self.run = run
        self.exhausted = False
        """Whether there will be no further request."""

    def take_times(self, chunk: Chunk) -> None:
        """Keep the arrival times of a chunk."""
        self.run.arrival += chunk.arrival.tolist()

    def begin(self) -> None:
        """Put the first arrival on the clock."""
        self.expect(0)

    def expect(self, request: int) -> None:
        """Put the arrival of a request on the clock, if there is such a request."""
        run = self.run
        if request < len(run.arrival) or run.more():
            run.clock.at(run.arrival[request], Kind.ARRIVE, request, self.on_arrive)
        else:
            self.exhausted = True

    def on_arrive(self, event: Happening) -> None:
        """The next request of the workload arrives."""
        self.expect(event.number + 1)
        self.run.arrive(event.number, event.time)


class ClosedSource:
    """Arrivals that follow from the answers: users think, send and wait."""

    def __init__(self, run: Receiver, workload: Workload) -> None:
        self.run = run
        self.think: list[float] = []
        self.user: list[int] = []
        self.thought = 0
        self.thinking = 0
        closed, horizon = workload.scenario.closed, workload.scenario.horizon
        until = horizon.seconds if horizon is not None else None
        self.until = math.inf if until is None else until
        self.users = closed.users if closed is not None else 0

    @property
    def exhausted(self) -> bool:
        """Whether nobody is about to send."""
        return self.thinking == 0

    def take_times(self, chunk: Chunk) -> None:
        """Keep the think times of a chunk."""
        self.think += chunk.arrival.tolist()

    def begin(self) -> None:
        """Let every user think."""
        for user in range(self.users):
            self.begin_to_think(user, 0.0)

    def begin_to_think(self, user: int, now: float) -> None:
        """A user takes the next think time, if there is to be another request."""
        if self.thought < len(self.think) or self.run.more():
            time = now + self.think[self.thought]
            self.thought += 1
            if time <= self.until:
                self.thinking += 1
                self.run.clock.at(time, Kind.ARRIVE, user, self.on_send)

    def on_send(self, event: Happening) -> None:
        """A user sends the next request."""
        request = len(self.run.arrival)
        self.thinking -= 1
        self.run.arrival.append(event.time)
        self.user.append(event.number)
        self.run.arrive(request, event.time)

    def answered(self, request: int, now: float) -> None:
        """The user of a request has the answer and thinks again."""
        self.begin_to_think(self.user[request], now)


Source = OpenSource | ClosedSource


def make_source(run: Receiver, workload: Workload) -> Source:
    """Make the source of a workload's requests."""
    return ClosedSource(run, workload) if workload.scenario.closed else OpenSource(run)
