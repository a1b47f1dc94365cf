"""Simulating cells into the store: what is there already is taken from there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from workbench import __version__
from workbench.errors import WorkbenchError
from workbench.experiments import Cell, run_cells
from workbench.settings import Settings
from workbench.simulate import (
    Choice,
    CompiledEngine,
    Condensed,
    Progress,
    Records,
    ReferenceEngine,
    Scenario,
    Workload,
    choose_engine,
    condense,
    events_table,
    histograms,
    kept_requests,
    measured_window,
    outages_table,
    sample,
    summarise,
    why_compiled,
    why_reference,
)
from workbench.store import NewRun, RunResult, Store, maintenance, write_parts

Report = Callable[[float, float | None], None]
"""Told how many requests are simulated so far, and how many there will be, where that is known."""


def cell_key(cell: Cell) -> str:
    """Hash all that a cell's records depend on; whichever engine runs, they are the reference engine's."""
    return cell.scenario.key(replication=cell.replication, engine=ReferenceEngine.name)


def engine_reason(scenario: Scenario, engine: str) -> str:
    """Say why an engine ran a scenario, as far as the scenario tells."""
    if engine != ReferenceEngine.name:
        return why_compiled(scenario)
    return why_reference(scenario) or "chosen when it was simulated"


@dataclass(frozen=True)
class Simulation:
    """Simulates one cell into a lake, in whatever process it is called."""

    settings: Settings
    progress: Progress | None = None
    choice: Choice | None = None
    """The engine; chosen for each cell by default."""

    def __call__(self, cell: Cell) -> int:
        """Simulate, store and return the run's number.

        Raises:
            WorkbenchError: the simulation or the store failed; the run is then marked as failed.
        """
        engine = (self.choice or choose_engine(cell.scenario)).engine
        with Store(self.settings) as store:
            run_id = store.begin_run(new_run(cell, engine.name))
            try:
                workload = Workload(cell.scenario, replication=cell.replication)
                maintenance.room_for_requests(store, requests=workload.expected_requests())
                begun = time.process_time()
                if store.settings.records == 0 and streams(cell.scenario, engine.name):
                    condensed = condense(workload, run_id=run_id, progress=self.progress)
                    _keep_condensed(store, run_id, condensed, time.process_time() - begun)
                else:
                    records = engine.run(workload, progress=self.progress)
                    keep(store, run_id, cell, records, time.process_time() - begun)
            except WorkbenchError as error:
                store.fail_run(run_id, str(error))
                raise
            except KeyboardInterrupt:
                store.fail_run(run_id, "stopped by the user")
                raise
        return run_id


@dataclass(frozen=True)
class Simulated:
    """Cells that the store holds."""

    run_ids: list[int]
    """The run of each cell, in their order."""
    simulated: int
    """How many of the runs were simulated now."""


def simulate_cells(
    store: Store, cells: Sequence[Cell], *, jobs: int | None = None, report: Report | None = None
) -> Simulated:
    """Make sure that the store holds every cell; what it holds already is not simulated again.

    Args:
        store: the lake.
        cells: in the order in which their runs are given back.
        jobs: processes at once; those of the settings by default.
        report: told how many requests are simulated so far.
    """
    keys = [cell_key(cell) for cell in cells]
    found = {key: run.run_id for key in keys if (run := store.find_run(key)) is not None}
    missing = {key: cell for key, cell in zip(keys, cells, strict=True) if key not in found}
    sizes = {key: Workload(cell.scenario).expected_requests() for key, cell in missing.items()}
    known = [size for size in sizes.values() if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    maintenance.room_for_requests(store, requests=sum(known), runs=len(missing))
    # What must be compiled is compiled once, and found on disk by the processes that simulate.
    for scenario in {cell.strategy: cell.scenario for cell in missing.values()}.values():
        choose_engine(scenario)
    done = 0.0
    for cell, run_id in run_cells(
        Simulation(store.settings), list(missing.values()), jobs=jobs or store.settings.jobs
    ):
        found[cell_key(cell)] = run_id
        done += sizes[cell_key(cell)] or 0.0
        if report is not None:
            report(done, total)
    return Simulated([found[key] for key in keys], len(missing))


def streams(scenario: Scenario, engine: str) -> bool:
    """Tell whether a run that keeps no requests is one whose requests are never held, either."""
    return engine == CompiledEngine.name and scenario.never_fails()


def _keep_condensed(store: Store, run_id: int, condensed: Condensed, elapsed: float) -> None:
    bounds = condensed.bounds
    begin_us, end_us = bounds.window_us
    result = RunResult(
        requests=bounds.requests,
        warm_up_us=begin_us,
        end_us=end_us,
        drained_us=round(bounds.drained * 1e6),
        elapsed_s=elapsed,
        records=0.0,
    )
    store.finish_run(run_id, result, write_parts(store.files, run_id, condensed.tables))


def new_run(cell: Cell, engine: str) -> NewRun:
    """Say of a cell what is known before it runs."""
    return NewRun(
        key=cell_key(cell),
        scenario=cell.scenario.name,
        scenario_json=cell.scenario.to_json(),
        strategy=cell.strategy,
        seed=cell.scenario.seed,
        replication=cell.replication,
        engine=engine,
        version=__version__,
    )


def keep(
    store: Store,
    run_id: int,
    cell: Cell,
    records: Records,
    elapsed: float,
    *,
    samples: pa.Table | None = None,
) -> None:
    """Store all that a run's records say, and complete the run.

    Args:
        store: where.
        run_id: the run.
        cell: what was simulated.
        records: what became of it.
        elapsed: processor time that it took, seconds.
        samples: those that are known already; taken from the records by default.
    """
    begin, end = measured_window(records, cell.scenario.warm_up)
    result = RunResult(
        requests=len(records),
        warm_up_us=round(begin * 1e6),
        end_us=round(end * 1e6),
        drained_us=round(records.drained * 1e6),
        elapsed_s=elapsed,
        records=store.settings.records,
    )
    requests = records.to_table(run_id)
    tables = {
        "histograms": histograms(requests, measured_us=(result.warm_up_us, result.end_us), run_id=run_id),
        "samples": sample(records, cell.scenario, run_id=run_id) if samples is None else samples,
        "summaries": summarise(records, cell.scenario, run_id=run_id),
    }
    if records.attempts is not None:
        desks = 1 if cell.scenario.balancers.view == "shared" else cell.scenario.balancers.count
        tables["events"] = events_table(records.events, run_id)
        tables["outages"] = outages_table(records, desks=desks, run_id=run_id)
        if result.records == 1:
            tables["attempts"] = records.attempts.to_table(run_id)
    if result.records > 0:
        tables["requests"] = kept_requests(requests, result.records)
    store.finish_run(run_id, result, write_parts(store.files, run_id, tables))
