"""The reference engine: written to be read, complete, and the place to debug."""

from __future__ import annotations

from workbench.errors import SimulationError
from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.reference.plain import PlainRun
from workbench.simulate.engines.reference.resilient import ResilientRun
from workbench.simulate.engines.reference.run import Run, check_size
from workbench.simulate.records import Records
from workbench.simulate.workload import Workload


class ReferenceEngine:
    """Simulates with SimPy: an event for each arrival and departure.

    Where there is a network delay, one more for each way; where things fail, one for each timer, check
    and fault.
    """

    name = "reference"

    def run(self, workload: Workload, *, progress: Progress | None = None) -> Records:
        """Simulate until every request that arrived before the horizon has its answer.

        Raises:
            SimulationError: the strategy returned what is no server, there are more than 30 million
                requests, or a request would wait for ever.
            TraceError: the trace cannot be used.
        """
        check_size(workload.expected_requests() or 0)
        run = start_run(workload, progress)
        run.clock.run()
        return run.records()


def start_run(workload: Workload, progress: Progress | None = None) -> Run:
    """Put the first arrivals of a run on its clock.

    Raises:
        SimulationError: servers are shared, and something may fail.
    """
    if refusal := workload.scenario.why_not_shared():
        raise SimulationError(f"discipline: given ps; allowed: {refusal}")
    kind = PlainRun if workload.scenario.never_fails() else ResilientRun
    return kind(workload, progress)
