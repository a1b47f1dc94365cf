"""Scenarios of unit service for the tests of theory."""

from __future__ import annotations

from typing import Any

from workbench.simulate import Scenario, load_scenario


def scenario(**changes: Any) -> Scenario:
    """M/M/1 of eight servers under random choice at load 0.8, with changes."""
    plain: dict[str, Any] = {
        "name": "theory",
        "arrivals": {"kind": "poisson", "rate": 6.4},
        "service": {"kind": "exponential", "mean": 1},
        "pool": {"count": 8},
        "balancers": {"strategy": "random"},
        "horizon": "100k requests",
    }
    return load_scenario(plain | changes)
