"""Servers that each get a stream of their own: the formula of each, and of all together."""

from __future__ import annotations

import math

from workbench.simulate.arrivals import Mmpp, Poisson
from workbench.simulate.pool import ServerGroup
from workbench.simulate.scenario import Scenario
from workbench.simulate.services import Exponential
from workbench.simulate.theory.central_queue import mgc_sharing, mmc, mmck
from workbench.simulate.theory.dispatching import mmpp_m1
from workbench.simulate.theory.one_server import gim1, mg1
from workbench.simulate.theory.sharing import Split, gap_transform, shared_transform, split
from workbench.simulate.theory.times import Times, mix


class NoFormulaError(Exception):
    """No formula applies; the text names what is in the way."""


def mixture(scenario: Scenario) -> tuple[str, Times]:
    """Give the model and the times of a scenario whose strategy never looks at the queues.

    Raises:
        NoFormulaError: no formula applies to one of its servers.
        TraceError: the trace cannot be used.
    """
    how = split(scenario)
    if how is None:
        raise NoFormulaError(f"{scenario.balancers.strategy.kind} under {scenario.arrivals.kind} arrivals")
    used = [(group, share) for group, share in zip(scenario.pool, how.shares, strict=True) if share > 0.0]
    names, parts = [], []
    for group, share in used:
        name, times = _station(scenario, group, how, share)
        names.append(name)
        parts.append(times.later(2.0 * (scenario.network.delay + group.delay)))
    counts = [group.count for group, _ in used]
    model = " and ".join(dict.fromkeys(names))
    whole = mix(parts, shares=[share for _, share in used], counts=counts)
    return (f"{sum(counts)} x {model}" if sum(counts) > 1 else model), whole


def _station(scenario: Scenario, group: ServerGroup, how: Split, share: float) -> tuple[str, Times]:
    """Give the model and the times of one server.

    Under processor sharing exponential service leaves the number of requests as it is under first come, first
    served, and with it the means; with Poisson arrivals any service does.
    """
    if not group.discipline.shares:
        return _in_order(scenario, group, how, share)
    if isinstance(scenario.service, Exponential):
        name, times = _in_order(scenario, group, how, share)
        return f"{name} shared", times.means()
    poisson = isinstance(scenario.arrivals, Poisson) and (how.by_chance or how.turn == 1)
    if not poisson or group.queue_limit is not None:
        raise NoFormulaError(f"processor sharing with {_kinds(scenario)}")
    rate, service = scenario.arrivals.mean_rate() or 0.0, scenario.service.moments().mean / group.speed
    times = mgc_sharing(rate=rate * share, service=service, slots=group.slots)
    return f"M/G/{group.slots} shared", times


def _in_order(scenario: Scenario, group: ServerGroup, how: Split, share: float) -> tuple[str, Times]:
    arrivals, moments = scenario.arrivals, scenario.service.moments()
    rate, service = (arrivals.mean_rate() or 0.0) * share, moments.mean / group.speed
    memoryless = isinstance(scenario.service, Exponential)
    poisson = isinstance(arrivals, Poisson) and (how.by_chance or how.turn == 1)
    if memoryless and poisson and group.queue_limit is not None:
        name = f"M/M/{group.slots}/{group.slots + group.queue_limit}"
        return name, mmck(rate=rate, service=service, slots=group.slots, room=group.queue_limit)
    if group.queue_limit is not None:
        raise NoFormulaError(
            f"queue limits with {arrivals.kind} arrivals and {scenario.service.kind} service"
        )
    if memoryless and poisson:
        return f"M/M/{group.slots}", mmc(rate=rate, service=service, slots=group.slots)
    if group.slots > 1:
        raise NoFormulaError(f"{group.slots} slots a server with {_kinds(scenario)}")
    if poisson and math.isinf(moments.cv2):
        raise NoFormulaError("the variance of service is infinite, and with it the mean wait")
    if poisson:
        return "M/G/1", mg1(rate=rate, service=service, cv2=moments.cv2)
    if not memoryless:
        raise NoFormulaError(_kinds(scenario))
    if isinstance(arrivals, Mmpp) and how.turn == 1:
        return "MMPP/M/1", mmpp_m1(rates=arrivals.rates, dwell=arrivals.dwell, service=service)
    gaps = gap_transform(arrivals)
    if gaps is None or not (how.by_chance or how.turn):
        raise NoFormulaError(_kinds(scenario))
    times = gim1(shared_transform(gaps, how, share), rate=rate, service=service)
    turns = isinstance(arrivals, Poisson) and not how.by_chance
    return (f"E{how.turn}/M/1" if turns else "GI/M/1"), times


def _kinds(scenario: Scenario) -> str:
    return (
        f"{scenario.arrivals.kind} arrivals and {scenario.service.kind} service under "
        f"{scenario.balancers.strategy.kind}"
    )
