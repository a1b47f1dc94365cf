"""The compiled engine: the same records as the reference engine gives, many times faster."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.errors import SimulationError
from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.compiled.finished import Finished
from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.simulate.workload import CHUNK, Workload

MOST_RECORDS = 100_000_000
"""Requests whose records are held in memory, some 100 bytes each."""


class CompiledEngine:
    """Simulates with the strategy and the event loop compiled to machine code by Numba.

    It runs every scenario in which nothing fails; `why_not` says of the others why not.
    """

    name = "compiled"

    def run(self, workload: Workload, *, progress: Progress | None = None) -> Records:
        """Simulate until every request that arrived before the horizon has its answer.

        Raises:
            SimulationError: the engine cannot run the scenario, the strategy returned what is no server,
                or there are more than 100 million requests.
            TraceError: the trace cannot be used.
        """
        from workbench.simulate.engines.compiled.simulation import Simulation

        _check_size(workload.expected_requests() or 0)
        simulation = Simulation(workload)
        parts: list[Finished] = []
        count = 0
        for part in simulation.finished(progress=progress):
            count += len(part)
            _check_size(count)
            parts.append(part.copy())
        return simulation.records(parts)

    def stream(
        self,
        workload: Workload,
        *,
        size: int = CHUNK,
        counted: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[Finished]:
        """Give the records in the order of arrival, a chunk at a time, in memory that is used again.

        Memory does not grow with the number of requests. What is given holds only until the next chunk is
        asked for; `copy` keeps it.

        Args:
            workload: what is simulated.
            size: requests that are taken from the workload at once; the records do not depend on it.
            counted: whether the chunks say how many requests were in the system, which costs time.
            progress: told how many requests have arrived so far.

        Raises:
            SimulationError: the engine cannot run the scenario, or the strategy returned what is no server.
            TraceError: the trace cannot be used.
        """
        from workbench.simulate.engines.compiled.simulation import Simulation

        return Simulation(workload, size=size, counted=counted).finished(progress=progress)


def _check_size(requests: float) -> None:
    if requests > MOST_RECORDS:
        raise SimulationError(
            f"horizon: given some {requests:,.3g} requests; allowed: at most {MOST_RECORDS:,} a run, "
            "whose records are held in memory; shorten the horizon"
        )


def refusal(scenario: Scenario) -> str:
    """Compile a scenario's strategy; where Numba refuses it, say why in a line, else give the empty text."""
    from workbench.simulate.engines.compiled.kernels import refusal_of

    return refusal_of(scenario)
