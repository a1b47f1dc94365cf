"""Watching one decision of a run."""

from __future__ import annotations

import math
from heapq import heapify, heapreplace

from workbench.errors import NotFoundError
from workbench.simulate.decisions import Alternative, Decision
from workbench.simulate.engines.reference.engine import Run, start_run
from workbench.simulate.engines.reference.server import Server
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
    balancer, every = run.balancers[number], run.refresh_every
    in_service = _in_service(run)
    alternatives = []
    for server in run.servers:
        begin = _begin_in(run, server, now, in_service[server.index])
        alternatives.append(
            Alternative(
                server=server.index,
                usable=bool(usable[server.index]),
                weight=balancer.view.weight[server.index],
                seen_in_flight=balancer.view.in_flight[server.index],
                in_flight=balancer.pool[server.index],
                waiting=len(server.waiting),
                begin_in=begin,
                response=begin + run.demand[request] / server.speed + server.delay,
            )
        )
    return Decision(
        request=request,
        time=now,
        balancer=number,
        demand=run.demand[request],
        chosen=chosen,
        told=None if every is None else _since_told(now, every, number / len(run.balancers)),
        alternatives=tuple(alternatives),
    )


def _in_service(run: Run) -> list[list[float]]:
    """For each server when each request in service will end."""
    ends: list[list[float]] = [[] for _ in run.servers]
    for request, begin in enumerate(run.begin):
        if not math.isnan(begin) and math.isnan(run.finish[request]):
            server = run.servers[run.server[request]]
            ends[server.index].append(begin + run.demand[request] / server.speed)
    return ends


def _begin_in(run: Run, server: Server, now: float, ends: list[float]) -> float:
    """Seconds until a request sent now would begin at a server, first come, first served."""
    if server.free == 0 and server.limit is not None and len(server.waiting) >= server.limit:
        return math.inf
    slots = [*ends, *[now] * server.free]
    heapify(slots)
    for waiting in server.waiting:
        heapreplace(slots, slots[0] + run.demand[waiting] / server.speed)
    return max(slots[0], now + server.delay) - now


def _since_told(now: float, every: float, offset: float) -> float:
    return now if now < (1 + offset) * every else (now / every - offset) % 1.0 * every
