"""A run as it would be without any lag, into which tests put one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench.traces.overhead import Overhead
from workbench.traces.recorder import Load, Plan
from workbench.traces.recorder.taken import Taken

IDLE = Overhead(f1=100e-6, f2=200e-6, r1=150e-6, r2=50e-6)
COUNT = 200


@pytest.fixture
def idle() -> Overhead:
    return IDLE


@pytest.fixture
def plan() -> Plan:
    return Plan.model_validate({"proxy": "haproxy", "weights": [1, 1], "n": COUNT})


@pytest.fixture
def run() -> Callable[..., Taken]:
    """Give a function that makes a run: each request takes 10 ms and is sent, read and answered in time."""

    def make(**changes: Any) -> Taken:
        arrival = np.arange(1, COUNT + 1) * 20_000
        received = arrival + 300
        service = np.full(COUNT, 10_000)
        columns: dict[str, Any] = {
            "load": Load(arrival, service, [f"k{number % 3}" for number in range(COUNT)]),
            "send": arrival,
            "latency": np.full(COUNT, 10_500),
            "status": np.full(COUNT, 200),
            "server": np.arange(COUNT) % 2,
            "received": received,
            "start": received,
            "finish": received + service,
            "sent": received + service,
            "stalls": {"client": 0.0, "server 0": 0.0, "server 1": 0.0},
            "connections": 64,
        }
        return Taken(**(columns | changes))

    return make


@pytest.fixture
def log() -> list[str]:
    """The proxy's log of that run."""
    line = "127.0.0.1:40376 [23/Nov/2026:18:46:22.309] fe be/s1 0/0/1/20/21 200 115 - - ---- 1/1/0/0/0 0/0 "
    return [f'{number} {line}{{{number}}} "GET /k1 HTTP/1.1"' for number in range(COUNT)]
