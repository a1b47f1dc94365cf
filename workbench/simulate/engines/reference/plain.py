"""A run in which nothing fails, event by event."""

from __future__ import annotations

import math

import numpy as np

from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.reference.balancer import make_balancers
from workbench.simulate.engines.reference.clock import Happening, Kind
from workbench.simulate.engines.reference.run import NOWHERE, Run, Seen, Standing
from workbench.simulate.engines.reference.server import Server
from workbench.simulate.engines.reference.sharing import SharingServer
from workbench.simulate.records import Records
from workbench.simulate.streams import Stream
from workbench.simulate.workload import Chunk, Workload
from workbench.tables import Outcome

_OK = Outcome.OK.value


class PlainRun(Run):
    """A run in which every request is sent once and none is lost."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        super().__init__(workload, progress)
        scenario, pool = self.scenario, self.scenario.servers()
        self.servers = [
            (SharingServer if shares else Server)(
                index, slots=slots, speed=speed, queue_limit=limit, delay=delay
            )
            for index, (shares, slots, speed, limit, delay) in enumerate(
                zip(pool.shares, pool.slots, pool.speed, pool.queue_limit, pool.delay, strict=True)
            )
        ]
        self.balancers = make_balancers(
            scenario.balancers,
            pool,
            scenario.keys.names() if scenario.keys else [],
            lambda number: self.stream(Stream.BALANCER, number),
        )
        self.refresh_every = scenario.balancers.refresh_every
        for number in range(len(self.balancers) if self.refresh_every else 0):
            first = (1 + number / len(self.balancers)) * (self.refresh_every or 0.0)
            self.clock.at(first, Kind.REFRESH, number, self.on_refresh)
        self.knows_demand = scenario.balancers.strategy.knows_demand
        self.begin: list[float] = []
        self.finish: list[float] = []
        self.server: list[int] = []
        self.queue_depth: list[int] = []
        self.source.begin()

    def take(self, chunk: Chunk) -> None:
        """Make room for what becomes of the requests of a chunk."""
        count = len(chunk)
        for times in (self.begin, self.finish):
            times.extend([math.nan] * count)
        self.server += [NOWHERE] * count
        self.queue_depth += [NOWHERE] * count

    def arrive(self, request: int, now: float) -> None:
        """A request reaches its balancer, which picks a server."""
        self.enter(request, now)
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
        if isinstance(server, SharingServer):
            self.share(server, request, now)
            return
        waiting = len(server.waiting)
        self.queue_depth[request] = waiting
        if server.free == 0 and server.limit is not None and waiting >= server.limit:
            self.outcome[request] = Outcome.REFUSED
            self.send_back(server, request, now)
            return
        self.tell(server, request, now)
        if server.free:
            server.free -= 1
            self.serve(server, request, now)
        else:
            server.waiting.append(request)

    def tell(self, server: Server, request: int, now: float) -> None:
        """The balancer learns what work it has sent, if it is one that knows demands."""
        if self.knows_demand:
            service = self.demand[request] / server.speed
            self.balancers[self.balancer[request]].took_on(server.index, now, service)

    def share(self, server: SharingServer, request: int, now: float) -> None:
        """A request reaches a server that all share: it is served or refused."""
        self.queue_depth[request] = server.beyond
        if server.full:
            self.outcome[request] = Outcome.REFUSED
            self.send_back(server, request, now)
            return
        self.tell(server, request, now)
        server.admit(request, self.demand[request], now)
        self.plan(server)

    def plan(self, server: SharingServer) -> None:
        """Put the next end of a service at a shared server on the clock; another event moves it."""
        self.clock.at(server.due, Kind.FINISH, server.inside[0][1], self.on_shared_finish)

    def on_shared_finish(self, event: Happening) -> None:
        """A service ends at a shared server, unless its end has moved meanwhile."""
        request, now = event.number, event.time
        server = self.servers[self.server[request]]
        if not isinstance(server, SharingServer) or math.isfinite(self.finish[request]):
            return
        if not server.ends(request, now):
            return
        self.finish[request] = now
        reached = self.arrival[request] + server.delay
        self.begin[request] = max(reached, now - self.demand[request] / server.speed)
        server.leave(now)
        if server.inside:
            self.plan(server)
        self.send_back(server, request, now)

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
        good = self.outcome[request] == _OK
        balancer.let_go(self.server[request], now, now - self.arrival[request], good)
        self.answer(request, now)

    def records(self) -> Records:
        """Gather what became of the requests."""
        count = len(self.arrival)
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
            until=self.until,
            area=self.area,
        )

    def standing(self) -> list[Standing]:
        """Tell how each server stands, for whoever watches a decision."""
        ends = [
            server.all_ends(self.clock.now) if isinstance(server, SharingServer) else []
            for server in self.servers
        ]
        for request, begin in enumerate(self.begin):
            if not math.isnan(begin) and math.isnan(self.finish[request]):
                server = self.servers[self.server[request]]
                ends[server.index].append(begin + self.demand[request] / server.speed)
        return [
            Standing(
                ends=ends[server.index],
                waiting=[self.demand[request] for request in server.waiting],
                free=server.free_slots,
                speed=server.speed,
                delay=server.delay,
                room=not server.full,
            )
            for server in self.servers
        ]

    def seen(self, balancer: int) -> Seen:
        """Tell what a balancer sees, for whoever watches a decision."""
        one = self.balancers[balancer]
        return Seen(one.view.weight, one.view.in_flight, one.pool)
