"""Simulating the cells of a sweep: each leaves one row."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.experiments.sweeps.measures import RESULTS
from workbench.experiments.sweeps.settings import with_settings
from workbench.experiments.sweeps.space import SweepCell
from workbench.simulate import (
    EngineName,
    Records,
    Scenario,
    Workload,
    choose_engine,
    outages_table,
    summarise,
)
from workbench.tables import EventKind

Chunk = tuple[SweepCell, ...]
"""Cells that one worker simulates in one go."""


@dataclass(frozen=True)
class ChunkWork:
    """Simulates chunks of cells, in whatever process it is called.

    Args:
        scenario: the sweep's scenario.
        compiled: the points whose kernels pay, taken over all of their cells.
    """

    scenario: Scenario
    compiled: frozenset[int] = frozenset()

    def __call__(self, chunk: Chunk) -> pa.Table:
        """Simulate cells.

        Raises:
            WorkbenchError: a cell cannot be simulated.
        """
        rows, scenario, point = [], self.scenario, -1
        for cell in chunk:
            if cell.point != point:
                scenario, point = with_settings(self.scenario, cell.settings), cell.point
                if point in self.compiled and scenario.engine is EngineName.AUTO:
                    scenario = scenario.model_copy(update={"engine": EngineName.COMPILED})
            rows.append({"key": cell.key} | simulate(scenario, cell.replication))
        return pa.Table.from_pylist(rows, schema=RESULTS)


def simulate(scenario: Scenario, replication: int) -> dict[str, Any]:
    """Simulate one replication of a scenario and give its row of the results, without the key."""
    engine = choose_engine(scenario).engine
    begun = time.process_time()
    records = engine.run(Workload(scenario, replication=replication))
    pool = summarise(records, scenario).slice(0, 1).to_pylist()[0]
    row = {name: pool[name] for name in RESULTS.names if name in pool}
    row |= _failures(records, scenario)
    return row | {"engine": engine.name, "elapsed_s": time.process_time() - begun}


def _failures(records: Records, scenario: Scenario) -> dict[str, Any]:
    if records.attempts is None:
        return {"ejections": 0, "false_ejections": 0, "outages": 0, "undetected": 0}
    balancers = scenario.balancers
    desks = 1 if balancers.view == "shared" else balancers.count
    outages = outages_table(records, desks=desks)
    detected, settled = (_mean(outages[name].to_pylist()) for name in ("detected_s", "settled_s"))
    found, false = _ejections(records)
    return {
        "ejections": found,
        "false_ejections": false,
        "outages": len(outages),
        "undetected": outages["detected_s"].null_count,
        "detected_s": detected,
        "settled_s": settled,
    }


def _ejections(records: Records) -> tuple[int, int]:
    """Count servers held down or ejected, and those among them that nothing was wrong with."""
    wrong: dict[int, int] = {}
    found = false = 0
    for event in records.events:
        if event.kind in (EventKind.FAULT_BEGINS, EventKind.FAULT_ENDS):
            change = 1 if event.kind is EventKind.FAULT_BEGINS else -1
            wrong[event.server] = wrong.get(event.server, 0) + change
        elif event.kind in (EventKind.DOWN, EventKind.EJECTED):
            found += 1
            false += not (wrong.get(event.server, 0) or wrong.get(-1, 0))
    return found, false


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
