"""Where things fail, the compiled engine gives the reference engine's records too, bit for bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.engines.failing import scenario as failing
from tests.engines.test_conservation import FUZZ, scenarios
from workbench.errors import SimulationError
from workbench.simulate import Records, Scenario, Workload
from workbench.simulate.engines.compiled.resilient.run import CompiledRun
from workbench.simulate.engines.reference.resilient import ResilientRun

COLUMNS = ("arrival", "begin", "finish", "answered", "balancer", "server", "outcome", "queue_depth", "delay")


def reference(scenario: Scenario) -> Records | str:
    """Give the records of the reference engine, or its message."""
    run = ResilientRun(Workload(scenario), None)
    try:
        run.clock.run()
        return run.records()
    except SimulationError as error:
        return str(error)


def compiled(scenario: Scenario, size: int) -> Records | str:
    """Give the records of the compiled engine, or its message."""
    try:
        return CompiledRun(Workload(scenario), size=size).go()
    except SimulationError as error:
        return str(error)


def assert_same(ours: Records | str, theirs: Records | str) -> None:
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    assert ours.attempts is not None
    assert theirs.attempts is not None
    named = [(name, ours, theirs) for name in COLUMNS]
    named += [(field.name, ours.attempts, theirs.attempts) for field in fields(ours.attempts)]  # type: ignore[misc]
    for name, one, other in named:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert [tuple(event) for event in ours.events] == [tuple(event) for event in theirs.events]
    assert (ours.until, ours.area) == (theirs.until, theirs.area)


def check(scenario: Scenario, *, size: int = 65_536) -> Records | str:
    theirs = reference(scenario)
    assert_same(compiled(scenario, size), theirs)
    return theirs


@pytest.mark.slow
@settings(max_examples=300, **FUZZ)
@given(scenarios())
def test_random_scenarios_have_the_same_records(content: dict[str, Any]):
    check(failing(**content))
