"""Which kernel runs a scenario, compiled for its strategy; and why none does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from types import FunctionType
from typing import Any

from numba.core.errors import NumbaError
from numpy.random import PCG64, Generator

from workbench.errors import SimulationError
from workbench.simulate.balancers import Sharing
from workbench.simulate.engines.compiled import events, queues
from workbench.simulate.engines.compiled.binding import bind, plain, reads
from workbench.simulate.engines.compiled.resilient import plugs
from workbench.simulate.engines.compiled.state import Count, Run, example_run
from workbench.simulate.scenario import Scenario
from workbench.simulate.strategies import Fewest, Strategy

_LOOKS_AT_FEW = (
    "envoy.least_request",
    "finagle.p2c_least_loaded",
    "haproxy.random",
    "nginx.random_two_least_conn",
    "power_of_two",
)
"""Strategies that look at a few servers for a pick, however many there are."""
_FEW = 32
"""Servers up to which looking at all of them costs less than an agenda."""
_SCANNED = 12
"""Servers up to which looking at all of them costs less than keeping them in sets."""
_HOOKS = ("taken", "ended", "answered")


@dataclass(frozen=True)
class Kernel:
    """A compiled event loop for one strategy."""

    strategy: Strategy
    compiled: Callable[[Run, Generator], int]
    agenda: bool
    """Whether it goes event by event, and so counts what is in the system."""
    sets: bool = False
    """Whether it keeps the servers in sets by level."""

    def advance(self, run: Run, rng: Generator) -> bool:
        """Simulate until more of the workload is needed; False where all is over.

        Raises:
            SimulationError: the strategy failed, or returned what is no server that may be picked.
        """
        try:
            ended = self.compiled(run, rng)
        except Exception as error:
            raise SimulationError(f"strategy {self.strategy.kind} failed: {error!r}") from error
        if ended == events.WRONG_PICK:
            named = f"a usable server, from 0 to {len(run.pool.free) - 1}"
            given = int(run.counts[Count.WRONG])
            raise SimulationError(f"strategy {self.strategy.kind} picked {given}; allowed: {named}")
        return bool(ended == events.MORE)


@cache
def _example() -> tuple[Run, Generator]:
    return example_run(), Generator(PCG64(1))


def kernel_for(scenario: Scenario) -> Kernel:
    """Compile the kernel of a scenario, or find it compiled.

    Raises:
        SimulationError: there is none, with the reason.
    """
    if not scenario.never_fails():
        raise SimulationError(
            "engine: given a stream of requests that may fail or be repeated; allowed: a run of them"
        )
    with refused(scenario):
        return _compile(scenario)


@contextmanager
def refused(scenario: Scenario) -> Iterator[None]:
    """Say of a scenario's own functions that Numba refuses them.

    Raises:
        SimulationError: with Numba's reason.
    """
    if refusal := scenario.why_not_shared():
        raise SimulationError(f"discipline: given ps; allowed: {refusal}")
    strategy = scenario.balancers.strategy
    try:
        yield
    except SimulationError:
        raise
    except Exception as error:
        if not (strategy.code() or isinstance(error, NumbaError)):
            raise
        raise SimulationError(f"strategy {strategy.kind} cannot be compiled: {_line(error)}") from error


def refusal_of(scenario: Scenario) -> str:
    """Say in a line why a scenario has no kernel; empty where it has one."""
    try:
        if scenario.never_fails():
            kernel_for(scenario)
        else:
            with refused(scenario):
                plugs.kernel_for(scenario)
    except SimulationError as error:
        return str(error).partition(": ")[2]
    return ""


def _compile(scenario: Scenario) -> Kernel:
    balancers, strategy = scenario.balancers, scenario.balancers.strategy
    kind = type(strategy)
    hooks = {name: hook for name in _HOOKS if (hook := getattr(kind, name)) is not None}
    functions = {"pick": kind.pick, **hooks}
    for name, function in functions.items():
        if not isinstance(plain(function), FunctionType):
            raise TypeError(f"{name} is no plain function")
    one = balancers.count == 1 or balancers.view is Sharing.SHARED
    kept = _keeps_sets(scenario)
    places: dict[str, Any] = {
        "ONE_VIEW": one,
        "ONE_BALANCER": balancers.count == 1,
        "HAS_KEYS": scenario.keys is not None,
        "CLOSED": scenario.closed is not None,
        "KNOWS_DEMAND": strategy.knows_demand,
        "SORTED": kept,
        "SHARING": any(scenario.servers().shares),
        "BY_CHANCE": strategy.fewest is Fewest.BY_CHANCE,
        "view_of": queues.view_with_levels if one else queues.view_without_levels,
        **functions,
    }
    foreign = frozenset(map(plain, functions.values())) if strategy.code() else frozenset()
    build = partial(bind, places=places, careful=foreign, example=_example())
    levels = reads(kind.pick, "in_flight")
    cheap = not levels or (one and (strategy.kind in _LOOKS_AT_FEW or len(scenario.servers().slots) <= _FEW))
    if not foreign and cheap and not kept and _needs_no_agenda(scenario):
        return Kernel(strategy, build(queues.advance_queues), agenda=False)
    return Kernel(strategy, build(events.advance), agenda=True, sets=kept)


def _keeps_sets(scenario: Scenario) -> bool:
    """Tell whether sets of servers by level answer for the strategy, and pay."""
    strategy, servers = scenario.balancers.strategy, scenario.servers()
    weights = {weight for weight in servers.weight if weight}
    alike = strategy.fewest is Fewest.BY_CHANCE or (strategy.fewest is Fewest.IN_TURN and len(weights) == 1)
    return alike and not strategy.code() and servers.count > _SCANNED


def _needs_no_agenda(scenario: Scenario) -> bool:
    """Tell whether each end of service is known on arrival, and nobody is told of it.

    Besides, it is for strategies of ours alone, in which no index is checked.
    """
    kind, servers = type(scenario.balancers.strategy), scenario.servers()
    return (
        scenario.closed is None
        and kind.ended is None
        and kind.answered is None
        and scenario.balancers.view is not Sharing.REFRESHED
        and set(servers.slots) == {1}
        and not any(servers.delay)
        and not any(servers.shares)
        and not any(limit is not None for limit in servers.limit)
    )


def _line(error: Exception) -> str:
    """Give the line of a compiler's message that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Failed in", "During:", "File ", "-", "<"))]
    return telling[0] if telling else type(error).__name__
