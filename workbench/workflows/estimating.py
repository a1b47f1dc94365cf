"""Simulating until a measure is known to a precision."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import InputError
from workbench.experiments import LEVEL, Cell, Interval, is_precise, mean_interval, needed_count, next_count
from workbench.experiments.precision import FIRST
from workbench.settings import Settings, load_settings
from workbench.simulate import EngineName, Measure, Scenario, Strategy
from workbench.store import Store, publish, queries
from workbench.workflows.estimate_views import EstimateView
from workbench.workflows.precision import MOST, check_precision, read_measure
from workbench.workflows.running import Source, notes, resolve
from workbench.workflows.simulating import Report, simulate_cells
from workbench.workflows.theory_checking import check_replications


def estimate(
    source: Source,
    *,
    precision: float,
    measure: Measure | str = Measure.RESPONSE_MEAN,
    most: int = MOST,
    strategy: Strategy | str | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    settings: Settings | None = None,
    report: Report | None = None,
) -> EstimateView:
    """Simulate replications of a scenario until a measure is known to a precision.

    The error is at most the precision with a probability of 95 %: Student's interval over the
    replications, ten or more.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        precision: error by the true value, above 0 and below 1.
        measure: what is estimated, such as `response_p99`.
        most: replications after which it stops all the same, 10 or more.
        strategy: in place of the scenario's own.
        seed: in place of the scenario's own, 0 or more.
        engine: in place of the scenario's own: `auto`, `reference` or `compiled`.
        settings: where the lake is and how many processes may work.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the scenario or a parameter cannot be used, a trace is replayed, which replications tell
            no more about, or there is nothing to measure.
        StoreError: the lake cannot be read or written.
    """
    scenario = resolve(source, strategy=strategy, seed=seed, engine=engine)
    by = read_measure(measure)
    check_precision(scenario, precision, most)
    with Store(settings or load_settings()) as store:
        count, simulated = FIRST, 0
        while True:
            found = simulate_cells(store, [Cell(scenario, number) for number in range(count)], report=report)
            simulated += found.simulated
            rows = queries.summaries(store, run_ids=found.run_ids).to_pylist()
            interval = _interval([row[by.column] for row in rows], by, scenario)
            if is_precise(interval, precision) or count >= most:
                break
            count = next_count(interval.relative, count, precision=precision, most=most)
        if simulated:
            publish(store)
    reached = is_precise(interval, precision)
    needed = None if reached else needed_count(interval.relative, count, precision=precision)
    return EstimateView(
        scenario=scenario.name,
        strategy=scenario.balancers.strategy.label,
        seed=scenario.seed,
        lake=str(store.lake),
        measure=by.value,
        measure_label=by.label,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=LEVEL,
        precision=precision,
        reached=reached,
        relative=interval.relative,
        replications=count,
        needed=needed,
        requests=sum(row["requests"] for row in rows),
        values=[row[by.column] for row in rows],
        run_ids=[row["run_id"] for row in rows],
        simulated=simulated,
        reused=count - simulated,
        theory=check_replications(scenario, rows),
        notes=notes(scenario),
    )


def _interval(values: Sequence[float | None], by: Measure, scenario: Scenario) -> Interval:
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < len(values):
        raise InputError(
            f"measure: given {by.value}; allowed: what every replication has; in "
            f"{len(values) - len(known)} of {len(values)} of {scenario.name} no request ended well"
        )
    return mean_interval(known)
