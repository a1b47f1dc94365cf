"""What every engine has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from workbench.simulate.records import Records
from workbench.simulate.workload import Workload

Progress = Callable[[int], None]
"""Told now and then how many requests have arrived so far."""


class Engine(Protocol):
    """Runs a workload under its scenario's strategy."""

    name: str

    def run(self, workload: Workload, *, progress: Progress | None = None) -> Records:
        """Simulate until every request that arrived before the horizon has its answer.

        Raises:
            SimulationError: the strategy returned what is no server.
            TraceError: the trace cannot be used.
        """
        ...
