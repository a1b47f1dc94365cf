"""Watching one decision of a run."""

from __future__ import annotations

import math
from heapq import heapify, heapreplace

from workbench.errors import NotFoundError
from workbench.simulate.decisions import Alternative, Decision
from workbench.simulate.engines.reference.engine import start_run
from workbench.simulate.engines.reference.run import Run, Standing
from workbench.simulate.workload import Workload


def watch_decision(workload: Workload, request: int) -> Decision:
    """Run a workload up to one request and tell how its server was picked.

    Args:
        workload: the requests of one replication.
        request: the request's number, from 0.

    Raises:
        NotFoundError: the run has no such request.
        SimulationError: the strategy returned what is no server.
        TraceError: the trace cannot be used.
    """
    run = start_run(workload)
    seen: list[Decision] = []

    def watch(number: int, now: float, usable: list[int], chosen: int) -> None:
        if number == request:
            seen.append(_decision(run, number, now, usable, chosen))

    run.watch = watch
    while not seen:
        if run.clock.pending == 0:
            raise NotFoundError(f"request {request}: the run has requests 0 to {len(run.arrival) - 1}")
        run.clock.step()
    return seen[0]


def _decision(run: Run, request: int, now: float, usable: list[int], chosen: int) -> Decision:
    number = run.balancer[request]
    seen, every = run.seen(number), run.scenario.balancers.refresh_every
    alternatives = []
    for server, stands in enumerate(run.standing()):
        begin = _begin_in(stands, now)
        alternatives.append(
            Alternative(
                server=server,
                usable=bool(usable[server]),
                weight=seen.weight[server],
                seen_in_flight=seen.in_flight[server],
                in_flight=seen.pool[server],
                waiting=len(stands.waiting),
                begin_in=begin,
                response=begin + _service(run.demand[request], stands) + stands.delay,
            )
        )
    return Decision(
        request=request,
        time=now,
        balancer=number,
        demand=run.demand[request],
        chosen=chosen,
        told=None if every is None else _since_told(now, every, number / run.scenario.balancers.count),
        alternatives=tuple(alternatives),
    )


def _begin_in(server: Standing, now: float) -> float:
    """Seconds until a request sent now would begin at a server, first come, first served."""
    if not server.room:
        return math.inf
    slots = [*server.ends, *[now] * server.free]
    heapify(slots)
    for demand in server.waiting:
        heapreplace(slots, slots[0] + _service(demand, server))
    return max(slots[0], now + server.delay) - now


def _service(demand: float, server: Standing) -> float:
    return demand / server.speed if server.speed else math.inf


def _since_told(now: float, every: float, offset: float) -> float:
    return now if now < (1 + offset) * every else (now / every - offset) % 1.0 * every
