"""A small sweep."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def scenario() -> dict[str, Any]:
    return {
        "name": "small",
        "arrivals": {"kind": "poisson", "rate": "160/s"},
        "service": {"kind": "exponential", "mean": "20ms"},
        "pool": {"count": 4},
        "balancers": {"strategy": "round_robin"},
        "horizon": "2000 requests",
    }


@pytest.fixture
def document(scenario: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "small sweep",
        "question": "Which?",
        "scenario": scenario,
        "parameters": {"load": ["50%", "80%"], "balancers.strategy": ["random", "join_shortest_queue"]},
        "replications": 3,
    }
