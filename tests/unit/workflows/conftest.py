"""A lake and a small scenario for workflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.settings import Settings

TRACE = "when,tokens\n" + "".join(f"{0.05 * row:.2f},{1 + row * 7 % 13}\n" for row in range(400))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(lake=tmp_path / "lake", jobs=1)


@pytest.fixture
def scenario() -> dict[str, Any]:
    return {
        "name": "small",
        "arrivals": {"kind": "poisson", "rate": "160/s"},
        "service": {"kind": "exponential", "mean": "20ms"},
        "pool": {"count": 4},
        "balancers": {"strategy": "round_robin"},
        "horizon": "4000 requests",
    }


@pytest.fixture
def traced(tmp_path: Path, scenario: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "trace.csv"
    file.write_text(TRACE)
    arrivals = {"kind": "trace", "file": str(file), "time_column": "when", "resample": "2s"}
    service = {"kind": "trace", "file": str(file), "per": {"tokens": "20ms"}}
    changed = scenario | {"arrivals": arrivals, "service": service}
    del changed["horizon"]
    return changed
