"""A scenario in which everything happens that a live run may be told about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.settings import Settings
from workbench.simulate import Scenario, load_scenario


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=tmp_path / "lake")


@pytest.fixture
def content() -> dict[str, Any]:
    return {
        "name": "live",
        "arrivals": {"kind": "poisson", "rate": "200/s"},
        "service": {"kind": "exponential", "mean": "10ms"},
        "pool": {"name": "web", "count": 4},
        "balancers": {"strategy": "round_robin"},
        "horizon": "20s",
    }


@pytest.fixture
def scenario(content: dict[str, Any]) -> Scenario:
    return load_scenario(content)
