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
MOST_FAILING = 30_000_000
"""The same where requests may fail, some 300 bytes each, and as many for each further attempt."""
MOST_LINKS = 100_000_000
"""Ways between balancers and servers of which some may be cut."""


class CompiledEngine:
    """Simulates with the strategy and the event loop compiled to machine code by Numba.

    Where requests may fail, the reference engine's own code has the control: faults, checks, ejections and
    weights. What becomes of the requests is compiled all the same.
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

        expected = workload.expected_requests() or 0
        if not workload.scenario.never_fails():
            check_size(expected, most=MOST_FAILING)
            return _run_what_fails(workload, progress)
        check_size(expected)
        simulation = Simulation(workload)
        parts: list[Finished] = []
        count = 0
        for part in simulation.finished(progress=progress):
            count += len(part)
            check_size(count)
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


def _run_what_fails(workload: Workload, progress: Progress | None) -> Records:
    from workbench.simulate.engines.compiled.kernels import refused
    from workbench.simulate.engines.compiled.resilient.run import CompiledRun

    with refused(workload.scenario):
        run = CompiledRun(workload, progress)
    return run.go()


def check_size(requests: float, *, most: int = MOST_RECORDS) -> None:
    """Refuse a run that would not fit into memory.

    Raises:
        SimulationError: there are more than `most` requests.
    """
    if requests > most:
        raise SimulationError(
            f"horizon: given some {requests:,.3g} requests; allowed: at most {most:,} a run, "
            "whose records are held in memory; shorten the horizon"
        )


def refusal(scenario: Scenario) -> str:
    """Compile a scenario's strategy; where Numba refuses it, say why in a line, else give the empty text."""
    from workbench.simulate.engines.compiled.kernels import refusal_of

    return refusal_of(scenario)
