"""The reference engine: written to be read, complete, and the place to debug."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np

from workbench.errors import SimulationError
from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.reference.balancer import make_balancers
from workbench.simulate.engines.reference.clock import Clock, Happening, Kind
from workbench.simulate.engines.reference.server import Server
from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.simulate.streams import Stream, generator
from workbench.simulate.workload import Chunk, Workload
from workbench.tables import Outcome

_NOWHERE = -1
MOST_REQUESTS = 30_000_000
"""The engine holds all records in memory, some 300 bytes a request."""

Watch = Callable[[int, float, list[int], int], None]
"""Told of every pick: request, time, which servers were usable, and the server."""

_REPORT = 8192
"""Requests between two reports of progress."""


class ReferenceEngine:
    """Simulates with SimPy: an event for each arrival and departure.

    Where there is a network delay, one more for each way.
    """

    name = "reference"

    def run(self, workload: Workload, *, progress: Progress | None = None) -> Records:
        """Simulate until every request that arrived before the horizon has its answer.

        Raises:
            SimulationError: the strategy returned what is no server, or there are more than 30 million
                requests.
            TraceError: the trace cannot be used.
        """
        _check_size(workload.expected_requests() or 0)
        run = start_run(workload, progress)
        run.clock.run()
        return run.records()


def start_run(workload: Workload, progress: Progress | None = None) -> Run:
    """Put the first arrivals of a run on its clock."""
    return _ClosedRun(workload, progress) if workload.scenario.closed else _OpenRun(workload, progress)


def _check_size(requests: float) -> None:
    if requests > MOST_REQUESTS:
        raise SimulationError(
            f"horizon: given some {requests:,.3g} requests; allowed: at most {MOST_REQUESTS:,} a run, "
            "which the reference engine holds in memory; shorten the horizon"
        )


class Run(ABC):
    """The state of one run. Lists have one entry a request, in the order of arrival."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        scenario = workload.scenario
        pool = scenario.servers()
        self.scenario: Scenario = scenario
        self.clock = Clock()
        self.servers = [
            Server(index, slots=slots, speed=speed, queue_limit=limit, delay=delay)
            for index, (slots, speed, limit, delay) in enumerate(
                zip(pool.slots, pool.speed, pool.queue_limit, pool.delay, strict=True)
            )
        ]
        self.balancers = make_balancers(
            scenario.balancers,
            pool,
            scenario.keys.names() if scenario.keys else [],
            lambda number: generator(
                scenario.seed, replication=workload.replication, stream=Stream.BALANCER, index=number
            ),
        )
        self.refresh_every = scenario.balancers.refresh_every
        for number in range(len(self.balancers) if self.refresh_every else 0):
            first = (1 + number / len(self.balancers)) * (self.refresh_every or 0.0)
            self.clock.at(first, Kind.REFRESH, number, self.on_refresh)
        self.knows_demand = scenario.balancers.strategy.knows_demand
        self.progress = progress
        self.watch: Watch | None = None
        self.chunks: Iterator[Chunk] = workload.chunks()
        self.arrival: list[float] = []
        self.demand: list[float] = []
        self.balancer: list[int] = []
        self.key: list[int] = []
        self.begin: list[float] = []
        self.finish: list[float] = []
        self.answered: list[float] = []
        self.server: list[int] = []
        self.outcome: list[int] = []
        self.queue_depth: list[int] = []
        self.in_system = 0
        self.area = 0.0
        self.changed = 0.0

    def more(self) -> bool:
        """Take the next chunk of the workload; False where there is none."""
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        count = len(chunk)
        _check_size(len(self.demand) + count)
        self.take_times(chunk)
        self.demand += chunk.demand.tolist()
        self.balancer += chunk.balancer.tolist()
        self.key += chunk.key.tolist()
        for times in (self.begin, self.finish, self.answered):
            times.extend([math.nan] * count)
        self.server += [_NOWHERE] * count
        self.outcome += [Outcome.OK] * count
        self.queue_depth += [_NOWHERE] * count
        return True

    @abstractmethod
    def take_times(self, chunk: Chunk) -> None:
        """Keep the arrival times, or think times, of a chunk."""

    def arrive(self, request: int, now: float) -> None:
        """A request reaches its balancer, which picks a server."""
        self.area += self.in_system * (now - self.changed)
        self.changed = now
        self.in_system += 1
        if self.progress is not None and request % _REPORT == 0:
            self.progress(request)
        balancer = self.balancers[self.balancer[request]]
        index = balancer.choose(now, self.key[request], self.demand[request])
        if self.watch is not None:
            self.watch(request, now, list(balancer.view.usable), index)
        if index < 0:
            self.outcome[request] = Outcome.NO_HEALTHY_SERVER
            self.answer(request, now)
            return
        self.server[request] = index
        balancer.take(index)
        server = self.servers[index]
        if server.delay:
            self.clock.at(now + server.delay, Kind.REACH, request, self.on_reach)
        else:
            self.reach(server, request, now)

    def on_refresh(self, event: Happening) -> None:
        """A balancer is told what all have in flight, and again later unless only such events are left."""
        self.balancers[event.number].refresh()
        if self.clock.pending >= len(self.balancers) and self.refresh_every is not None:
            self.clock.at(event.time + self.refresh_every, Kind.REFRESH, event.number, self.on_refresh)

    def on_reach(self, event: Happening) -> None:
        """A request comes out of the network."""
        self.reach(self.servers[self.server[event.number]], event.number, event.time)

    def reach(self, server: Server, request: int, now: float) -> None:
        """A request reaches its server: it is served, waits or is refused."""
        waiting = len(server.waiting)
        self.queue_depth[request] = waiting
        if server.free == 0 and server.limit is not None and waiting >= server.limit:
            self.outcome[request] = Outcome.REFUSED
            self.send_back(server, request, now)
            return
        if self.knows_demand:
            service = self.demand[request] / server.speed
            self.balancers[self.balancer[request]].took_on(server.index, now, service)
        if server.free:
            server.free -= 1
            self.serve(server, request, now)
        else:
            server.waiting.append(request)

    def serve(self, server: Server, request: int, now: float) -> None:
        """A slot begins a request."""
        self.begin[request] = now
        self.clock.at(now + self.demand[request] / server.speed, Kind.FINISH, request, self.on_finish)

    def on_finish(self, event: Happening) -> None:
        """A service ends; the slot takes the next request."""
        request, now = event.number, event.time
        server = self.servers[self.server[request]]
        self.finish[request] = now
        if server.waiting:
            self.serve(server, server.waiting.popleft(), now)
        else:
            server.free += 1
        self.send_back(server, request, now)

    def send_back(self, server: Server, request: int, now: float) -> None:
        """A server's answer or refusal goes back to the balancer."""
        if server.delay:
            self.clock.at(now + server.delay, Kind.ANSWER, request, self.on_answer)
        else:
            self.end(request, now)

    def on_answer(self, event: Happening) -> None:
        """An answer comes out of the network."""
        self.end(event.number, event.time)

    def end(self, request: int, now: float) -> None:
        """The balancer has the answer and no longer counts the request."""
        balancer = self.balancers[self.balancer[request]]
        balancer.let_go(self.server[request], now, now - self.arrival[request])
        self.answer(request, now)

    def answer(self, request: int, now: float) -> None:
        """The client has its answer."""
        self.answered[request] = now
        self.area += self.in_system * (now - self.changed)
        self.changed = now
        self.in_system -= 1

    def records(self) -> Records:
        """Gather what became of the requests."""
        horizon = self.scenario.horizon
        count = len(self.arrival)
        until = horizon.seconds if horizon is not None and horizon.seconds is not None else None
        return Records(
            arrival=np.array(self.arrival),
            begin=np.array(self.begin[:count]),
            finish=np.array(self.finish[:count]),
            answered=np.array(self.answered[:count]),
            balancer=np.array(self.balancer[:count], np.int64),
            server=np.array(self.server[:count], np.int64),
            outcome=np.array(self.outcome[:count], np.int64),
            queue_depth=np.array(self.queue_depth[:count], np.int64),
            delay=np.array([server.delay for server in self.servers]),
            until=until if until is not None else self.arrival[-1] if count else 0.0,
            area=self.area,
        )


class _OpenRun(Run):
    """A run whose arrivals are the workload's."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        super().__init__(workload, progress)
        self.expect(0)

    def take_times(self, chunk: Chunk) -> None:
        """Keep the arrival times of a chunk."""
        self.arrival += chunk.arrival.tolist()

    def expect(self, request: int) -> None:
        """Put the arrival of a request on the clock, if there is such a request."""
        if request < len(self.arrival) or self.more():
            self.clock.at(self.arrival[request], Kind.ARRIVE, request, self.on_arrive)

    def on_arrive(self, event: Happening) -> None:
        """The next request of the workload arrives."""
        self.expect(event.number + 1)
        self.arrive(event.number, event.time)


class _ClosedRun(Run):
    """A run whose arrivals follow from the answers: users think, send and wait."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        super().__init__(workload, progress)
        self.think: list[float] = []
        self.user: list[int] = []
        self.thought = 0
        closed, horizon = workload.scenario.closed, workload.scenario.horizon
        until = horizon.seconds if horizon is not None else None
        self.until = math.inf if until is None else until
        for user in range(closed.users if closed is not None else 0):
            self.begin_to_think(user, 0.0)

    def take_times(self, chunk: Chunk) -> None:
        """Keep the think times of a chunk."""
        self.think += chunk.arrival.tolist()

    def begin_to_think(self, user: int, now: float) -> None:
        """A user takes the next think time, if there is to be another request."""
        if self.thought < len(self.think) or self.more():
            time = now + self.think[self.thought]
            self.thought += 1
            if time <= self.until:
                self.clock.at(time, Kind.ARRIVE, user, self.on_send)

    def on_send(self, event: Happening) -> None:
        """A user sends the next request."""
        request = len(self.arrival)
        self.arrival.append(event.time)
        self.user.append(event.number)
        self.arrive(request, event.time)

    def answer(self, request: int, now: float) -> None:
        """The client has its answer and thinks again."""
        super().answer(request, now)
        self.begin_to_think(self.user[request], now)
