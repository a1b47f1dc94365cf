"""Which formula of queueing theory applies to a scenario, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.simulate.arrivals import ClosedLoop, Gamma, Mmpp, Poisson, Uniform
from workbench.simulate.balancers import Sharing
from workbench.simulate.engines.choosing import what_may_fail
from workbench.simulate.pool import ServerGroup
from workbench.simulate.scenario import Scenario
from workbench.simulate.services import Exponential
from workbench.simulate.theory.central_queue import closed, mmc
from workbench.simulate.theory.dispatching import jsq2, supermarket
from workbench.simulate.theory.sharing import split
from workbench.simulate.theory.stability import stability
from workbench.simulate.theory.stations import NoFormulaError, mixture
from workbench.simulate.theory.times import Times, quantile

SHOWN = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""The quantiles that are compared where a formula gives the whole distribution."""

_SHORTEST = ("join_shortest_queue", "least_connections", "nginx.least_conn", "haproxy.leastconn")
"""With equal servers they differ only in whom equals go to, which the times do not depend on."""

_LIMIT_ERROR = 0.3
"""What the limit of many servers is too low by, times n (1 - load): 0.13 at load .9 and .95, .24 at .7."""

_MOST_ERROR = 0.05
"""Share by which a limit may be off before it says too little."""


@dataclass(frozen=True)
class Prediction:
    """What theory says of one quantity of a scenario."""

    quantity: str
    """As in the summaries, such as `response_mean`, `wait_mean`, `response_p99`, `utilisation`, `refused`."""
    expected: float
    """Seconds, or a share of 0 to 1."""
    tolerance: float = 0.0
    """Share of it by which the formula itself may be off; 0 where it is exact."""


@dataclass(frozen=True)
class Theory:
    """What theory says of a scenario in the long run."""

    model: str
    """The model in queueing theory's notation, such as `M/M/8`; empty where no formula applies."""
    predictions: tuple[Prediction, ...]
    reason: str = ""
    """Why no formula gives the times."""


@dataclass(frozen=True)
class _Found:
    model: str
    times: Times
    tolerance: float = 0.0


def predict(scenario: Scenario) -> Theory:
    """Say what the times, the utilisation and the losses of a scenario are in the long run.

    Raises:
        TraceError: the trace cannot be used.
    """
    try:
        _check(scenario)
        found = _find(scenario)
    except NoFormulaError as none:
        return Theory("", _utilisation(scenario), str(none))
    return Theory(found.model, (*_times(found), *_shares(scenario, found)))


def _check(scenario: Scenario) -> None:
    """Raise where something is in the way of every formula."""
    if parts := what_may_fail(scenario):
        raise NoFormulaError(" and ".join(parts))
    if any(group.limit is not None for group in scenario.pool):
        raise NoFormulaError("limits of requests in flight")
    held = stability(scenario)
    if held is not None and not held.stable and not held.bounded:
        raise NoFormulaError("the scenario is unstable, so there is no long run")


def _find(scenario: Scenario) -> _Found:
    if scenario.closed is not None:
        return _closed(scenario, scenario.closed)
    if isinstance(scenario.arrivals, Mmpp) or split(scenario) is not None:
        model, times = mixture(scenario)
        return _Found(model, times)
    return _dispatched(scenario)


def _closed(scenario: Scenario, loop: ClosedLoop) -> _Found:
    group, *others = scenario.pool
    one = not others and group.count == 1 and group.queue_limit is None
    if not one or not isinstance(scenario.service, Exponential):
        raise NoFormulaError(
            "a closed loop over more than one server, or with other than exponential service"
        )
    service = scenario.service.mean / group.speed
    way = 2.0 * (scenario.network.delay + group.delay)
    times = closed(
        users=loop.users, think=loop.think.moments().mean + way, service=service, slots=group.slots
    )
    return _Found(f"closed M/M/{group.slots} with {loop.users} users", times.later(way))


def _dispatched(scenario: Scenario) -> _Found:
    """The strategies that look at queues, over servers that are all alike."""
    strategy, balancers = scenario.balancers.strategy, scenario.balancers
    group = _alike(scenario)
    if not isinstance(scenario.arrivals, Poisson):
        raise NoFormulaError(f"{strategy.kind} under {scenario.arrivals.kind} arrivals")
    if not isinstance(scenario.service, Exponential):
        raise NoFormulaError(f"{strategy.kind} with {scenario.service.kind} service")
    if balancers.count > 1 and balancers.view is not Sharing.SHARED:
        raise NoFormulaError(f"{strategy.kind} of several balancers with views of their own")
    rate, service = scenario.arrivals.rate, scenario.service.mean / group.speed
    if strategy.kind == "least_work_left" and group.discipline.shares:
        raise NoFormulaError("least_work_left over servers that share")
    if strategy.kind == "least_work_left":
        return _Found(f"M/M/{group.count}", mmc(rate=rate, service=service, slots=group.count))
    choices = int(strategy.model_dump().get("choices", 0)) if strategy.kind == "power_of_two" else 0
    if group.count == 2 and (strategy.kind in _SHORTEST or choices >= 2):
        return _Found("join the shortest of 2 queues, M/M/1 each", jsq2(rate=rate, service=service))
    if choices >= 2:
        return _supermarket(rate * service / group.count, service, choices, group.count)
    raise NoFormulaError(f"{strategy.kind} over {group.count} servers")


def _supermarket(load: float, service: float, choices: int, count: int) -> _Found:
    """The limit for many servers, where it is near enough: finite pools are slower by about 1 / n."""
    error = _LIMIT_ERROR / (count * (1.0 - load))
    if error > _MOST_ERROR:
        raise NoFormulaError(f"power_of_two over {count} servers, too few for the limit of many")
    name = f"power of {choices} choices, limit of many servers (may be {100 * error:.1g} % low)"
    return _Found(name, supermarket(load=load, service=service, choices=choices), error)


def _alike(scenario: Scenario) -> ServerGroup:
    """Give the group that stands for all servers.

    Raises:
        NoFormulaError: servers differ, serve several at once, refuse, or are a network delay away.
    """
    kind = scenario.balancers.strategy.kind
    used = [group for group in scenario.pool if group.weight]
    if len({(group.speed, group.weight, group.discipline) for group in used}) > 1:
        raise NoFormulaError(f"{kind} over servers that differ")
    if any(group.slots > 1 or group.queue_limit is not None for group in used):
        raise NoFormulaError(f"{kind} over servers with several slots or a queue limit")
    if any(scenario.network.delay + group.delay > 0 for group in used):
        raise NoFormulaError(f"{kind} over a network with delay")
    return used[0].model_copy(update={"count": sum(group.count for group in used)})


def _times(found: _Found) -> list[Prediction]:
    times = found.times
    means = {"response_mean": times.response_mean, "wait_mean": times.wait_mean}
    given = [Prediction(name, one, found.tolerance) for name, one in means.items()]
    if (tail := times.response_tail) is None:
        return given
    return given + [
        Prediction(f"response_{name}", quantile(tail, q, scale=times.response_mean))
        for name, q in SHOWN.items()
    ]


def _shares(scenario: Scenario, found: _Found) -> list[Prediction]:
    slots = sum(group.count * group.slots for group in scenario.pool)
    busy = found.times.busy if not found.tolerance else (scenario.offered_load() or 0.0)
    given = [Prediction("utilisation", busy / slots)]
    return given + ([Prediction("refused", found.times.refused)] if found.times.refused else [])


def _utilisation(scenario: Scenario) -> tuple[Prediction, ...]:
    """The utilisation law, which holds whatever the strategy where all servers have the same speed."""
    steady = isinstance(scenario.arrivals, Poisson | Gamma | Uniform | Mmpp)
    load = scenario.offered_load() if steady else None
    speeds = {group.speed for group in scenario.pool if group.weight}
    lossless = scenario.never_fails() and all(
        group.queue_limit is None and group.limit is None for group in scenario.pool
    )
    if load is None or len(speeds) > 1 or not lossless or load >= scenario.capacity():
        return ()
    slots = sum(group.count * group.slots for group in scenario.pool)
    return (Prediction("utilisation", load / speeds.pop() / slots),)
