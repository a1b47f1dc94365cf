"""Which engine runs a scenario, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import SimulationError
from workbench.quantities import Extent
from workbench.simulate.clients import Clients
from workbench.simulate.engines._base import Engine
from workbench.simulate.engines.compiled import MOST_LINKS, CompiledEngine, refusal
from workbench.simulate.engines.reference import ReferenceEngine
from workbench.simulate.faults import Partition
from workbench.simulate.scenario import EngineName, Scenario
from workbench.simulate.workload import Workload

WORTH_COMPILING = 200_000
"""Requests from which `auto` compiles: so many the reference engine has done when Numba has started."""

_TRIED = 2000
"""Requests that both engines run before a user's own strategy is left to the compiled one."""


@dataclass(frozen=True)
class Choice:
    """An engine, and why it is this one."""

    engine: Engine
    reason: str


def choose_engine(scenario: Scenario) -> Choice:
    """Choose the engine of a scenario, and compile what it needs.

    Raises:
        TraceError: the trace cannot be used.
    """
    reason = why_reference(scenario)
    if not reason and (refused := refusal(scenario)):
        reason = f"Numba refuses {scenario.balancers.strategy.kind}: {refused}"
    if not reason and scenario.balancers.strategy.code():
        reason = _disagreement(scenario)
    if reason:
        return Choice(ReferenceEngine(), reason)
    return Choice(CompiledEngine(), why_compiled(scenario))


def why_compiled(scenario: Scenario) -> str:
    """Say why a scenario is left to the compiled engine."""
    return "asked for" if scenario.engine is EngineName.COMPILED else "it runs this scenario, and faster"


def why_reference(scenario: Scenario) -> str:
    """Say why a scenario is left to the reference engine; empty where its strategy must be compiled to know.

    Raises:
        TraceError: the trace cannot be used.
    """
    if scenario.engine is EngineName.REFERENCE:
        return "asked for"
    if parts := beyond_arrays(scenario):
        return f"the compiled engine has no {' and no '.join(parts)}"
    requests = Workload(scenario).expected_requests()
    if scenario.engine is EngineName.AUTO and requests is not None and requests < WORTH_COMPILING:
        return f"fewer than {WORTH_COMPILING:,} requests, done before the compiled engine has started"
    return ""


def beyond_arrays(scenario: Scenario) -> list[str]:
    """Name what a scenario has that only the reference engine can do."""
    links = scenario.balancers.count * sum(group.count for group in scenario.pool)
    cut = any(isinstance(fault, Partition) for fault in scenario.faults)
    return [f"partitions among more than {MOST_LINKS:,} ways"] if cut and links > MOST_LINKS else []


def what_may_fail(scenario: Scenario) -> list[str]:
    """Name what makes a run of a scenario one in which requests may fail or be sent again."""
    if scenario.never_fails():
        return []
    balancers = scenario.balancers
    named = {
        "faults": bool(scenario.faults),
        "queue at the balancer": balancers.queues is not None,
        "health checks": balancers.checks is not None,
        "slow start": balancers.slow_start is not None,
        "changing weights": balancers.weights is not None,
        "breaker": balancers.breaker is not None,
        "clients that give up or try again": scenario.clients != Clients(),
        "priorities": any(group.priority for group in scenario.pool),
        "failover": balancers.failover is not None,
        "retries of refused requests": scenario.retries_refusals(),
    }
    return [name for name, given in named.items() if given]


def _disagreement(scenario: Scenario) -> str:
    """Run a few requests of a user's own strategy in both engines; say where they differ.

    Compiled code reads global variables once and holds whole numbers in 64 bits, so that a function
    that counts on more is another one when compiled.
    """
    few = scenario.model_copy(update={"horizon": Extent(requests=_TRIED)})
    try:
        ours, theirs = (engine.run(Workload(few)) for engine in (CompiledEngine(), ReferenceEngine()))
    except SimulationError:
        return ""
    same = (ours.server == theirs.server) & (ours.answered == theirs.answered)
    if same.all():
        return ""
    kind, request = scenario.balancers.strategy.kind, int(np.argmin(same))
    return (
        f"{kind} behaves otherwise when compiled, from request {request} on: it picks server "
        f"{ours.server[request]}, interpreted {theirs.server[request]}"
    )
