"""Comparing strategies on the same requests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.errors import InputError
from workbench.experiments import LEVEL, Cell, Method, Standing, Verdict, compare, needed_count, next_count
from workbench.experiments.precision import FIRST
from workbench.settings import Settings, load_settings
from workbench.simulate import EngineName, Measure, Scenario, Strategy, read_strategy, why_reference
from workbench.simulate.arrivals import TraceArrivals
from workbench.store import NewComparison, Store, publish, queries
from workbench.workflows.precision import MOST, check_precision, read_measure
from workbench.workflows.results import ComparisonView, StandingView
from workbench.workflows.running import Source, check_pool, notes, resolve, statistics
from workbench.workflows.simulating import Report, simulate_cells
from workbench.workflows.theory_checking import check_replications

_METHOD_TEXT = {
    Method.PAIRED_T: (
        "less is better; {count} independent replications, the same requests for every strategy; "
        "paired t intervals, those of the differences hold together at {level:.0%} (Bonferroni)"
    ),
    Method.BOOTSTRAP: (
        "less is better; values are those of the trace as recorded, intervals those of {resampled} block "
        "bootstrap resamples of it, on logarithms where no value is 0, the same requests for every "
        "strategy; those of the differences hold together at {level:.0%} (Bonferroni)"
    ),
}


def compare_strategies(
    source: Source,
    *,
    strategies: Sequence[Strategy | str] | None = None,
    replications: int | None = None,
    measure: Measure | str | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    precision: float | None = None,
    most: int = MOST,
    settings: Settings | None = None,
    report: Report | None = None,
) -> ComparisonView:
    """Simulate a scenario under several strategies and rank them.

    Every strategy meets the same requests (common random numbers). What the scenario's own
    `comparison` section says stands in for arguments that are not given.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        strategies: strategies or their labels, at least one.
        replications: runs of each strategy, 2 or more; 3 or more for a trace that is resampled.
        measure: what to compare by, such as `response_p99`; less is better.
        seed: in place of the scenario's own, 0 or more.
        engine: in place of the scenario's own: `auto`, `reference` or `compiled`.
        precision: add replications until every difference to the best is known to this share of the best's
            value, above 0 and below 1.
        most: with a precision, replications of each strategy after which it stops all the same.
        settings: where the lake is and how many processes may work.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the scenario, a strategy, the measure, the precision or the number of replications
            cannot be used.
        StoreError: the lake cannot be read or written.
    """
    scenario = resolve(source, seed=seed, engine=engine)
    plan = scenario.comparison
    chosen = chosen_strategies(scenario, strategies)
    count = replications if replications is not None else plan.replications if plan else 10
    by = read_measure(measure) if measure is not None else plan.measure if plan else Measure.RESPONSE_MEAN
    method = _method(scenario)
    _check_replications(count, method)
    if precision is not None:
        check_precision(scenario, precision, most)
        count = max(count, FIRST)
    variants = {one.label: scenario.with_strategy(one) for one in chosen}
    for variant in variants.values():
        check_pool(variant)
    bounds = {strategy.label for strategy in chosen if strategy.knows_demand}
    with Store(settings or load_settings()) as store:
        simulated = 0
        while True:
            cells = [Cell(variant, number) for variant in variants.values() for number in range(count)]
            result = simulate_cells(store, cells, report=report)
            simulated += result.simulated
            runs = {
                one: result.run_ids[place * count : (place + 1) * count] for place, one in enumerate(variants)
            }
            rows = _summaries(store, result.run_ids)
            values = {
                label: [_number(rows[one][by.column]) for one in run_ids] for label, run_ids in runs.items()
            }
            standings = compare(values, method=method, bounds=bounds)
            hopeless = any(one.verdict is Verdict.NO_ANSWER for one in standings)
            if precision is None or hopeless or (apart := _widest(standings)) <= precision or count >= most:
                break
            count = next_count(apart, count, precision=precision, most=most)
        view = ComparisonView(
            comparison_id=0,
            scenario=scenario.name,
            lake=str(store.lake),
            measure=by.value,
            measure_label=by.label,
            replications=count,
            level=LEVEL,
            method=method.value,
            method_text=_METHOD_TEXT[method].format(count=count, resampled=count - 1, level=LEVEL),
            standings=[
                _view(one, [rows[run_id] for run_id in runs[one.strategy]]).model_copy(
                    update={
                        "engine": _engines(store, runs[one.strategy]),
                        "theory": check_replications(
                            variants[one.strategy], [rows[run_id] for run_id in runs[one.strategy]]
                        ),
                    }
                )
                for one in standings
            ],
            reused=len(cells) - simulated,
            simulated=simulated,
            notes=[
                *_precision_note(standings, precision, count, most),
                *notes(scenario),
                *_trace_note(scenario),
                *_slow_ones(chosen, scenario),
            ],
        )
        view = view.model_copy(update={"comparison_id": _keep(store, scenario, view)})
        if simulated:
            publish(store)
        return view


def chosen_strategies(scenario: Scenario, given: Sequence[Strategy | str] | None) -> list[Strategy]:
    if given is None and scenario.comparison is not None:
        found: list[Strategy] = list(scenario.comparison.strategies)
    else:
        found = [read_strategy(one) if isinstance(one, str) else one for one in given or []]
    labels = [strategy.label for strategy in found]
    if len(found) == 0 or len(set(labels)) < len(labels):
        raise InputError(
            f"strategies: given {', '.join(labels) or 'none'}; allowed: some, each once, by --strategy "
            "or in the scenario's `comparison` section"
        )
    return found


def _widest(standings: Sequence[Standing]) -> float:
    """Give the widest half-width of a difference to the best, as a share of the best's value."""
    best = next((one.measure.value for one in standings if one.verdict is Verdict.BEST), math.nan)
    widest = max((one.difference.high - one.difference.low) / 2.0 for one in standings)
    return widest / best if best > 0.0 and math.isfinite(widest) else (0.0 if widest == 0.0 else math.inf)


def _precision_note(
    standings: Sequence[Standing], precision: float | None, count: int, most: int
) -> list[str]:
    if precision is None or any(one.verdict is Verdict.NO_ANSWER for one in standings):
        return []
    reached = _widest(standings)
    asked = f"the differences are known to ±{100 * reached:.2g} % of the best's value"
    if reached <= precision:
        return [f"{asked}; {100 * precision:g} % was asked for, and {count} replications did"]
    needed = needed_count(reached, count, precision=precision)
    return [
        f"{asked}, not to the {100 * precision:g} % that was asked for: {most} replications were the limit, "
        f"about {needed} are needed"
    ]


def _method(scenario: Scenario) -> Method:
    arrivals = scenario.arrivals
    resampled = isinstance(arrivals, TraceArrivals) and arrivals.resample is not None
    return Method.BOOTSTRAP if resampled else Method.PAIRED_T


def _check_replications(count: int, method: Method) -> None:
    if not method.least <= count <= 10_000:
        raise InputError(f"replications: given {count}; allowed: {method.least} to 10,000")


def _summaries(store: Store, run_ids: list[int]) -> dict[int, dict[str, Any]]:
    return {row["run_id"]: row for row in queries.summaries(store, run_ids=run_ids).to_pylist()}


def _view(standing: Standing, rows: list[dict[str, Any]]) -> StandingView:
    best = standing.measure.value - standing.difference.value
    difference = standing.difference
    quantiles = [statistics(row, "response") for row in rows]
    return StandingView(
        strategy=standing.strategy,
        value=standing.measure.value,
        low=standing.measure.low,
        high=standing.measure.high,
        difference=difference.value,
        difference_low=difference.low,
        difference_high=difference.high,
        relative=difference.value / best if best else None,
        verdict=standing.verdict.value,
        values=list(standing.values),
        run_ids=[row["run_id"] for row in rows],
        quantiles={name: _mean([getattr(one, name) for one in quantiles]) for name in _QUANTILES},
    )


def _engines(store: Store, run_ids: Sequence[int]) -> str:
    return " and ".join(sorted({store.run(run_id).engine for run_id in run_ids}))


_QUANTILES = ("p50", "p90", "p95", "p99", "p99_9")


def _slow_ones(chosen: Sequence[Strategy], scenario: Scenario) -> list[str]:
    """Say what the reference engine ran though the other one was asked for."""
    if scenario.engine is not EngineName.COMPILED:
        return []
    reasons = {one.label: why_reference(scenario.with_strategy(one)) for one in chosen}
    return [f"{label} ran on the reference engine: {reason}" for label, reason in reasons.items() if reason]


def _trace_note(scenario: Scenario) -> list[str]:
    arrivals = scenario.arrivals
    if not isinstance(arrivals, TraceArrivals) or arrivals.resample is not None:
        return []
    return [
        "every replication replays the one recorded trace, so the intervals know only the strategies' "
        "own chance; set `resample` in `arrivals` (such as 5min) to learn what other such traffic would show"
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _keep(store: Store, scenario: Scenario, view: ComparisonView) -> int:
    """Store a comparison; one of the same runs by the same measure is there already and keeps its number."""
    run_ids = {
        (standing.strategy, number): run_id
        for standing in view.standings
        for number, run_id in enumerate(standing.run_ids)
    }
    for known in store.comparisons():
        if known.metric == view.measure and dict(known.run_ids) == run_ids:
            return known.comparison_id
    return store.add_comparison(
        NewComparison(
            name=scenario.name,
            scenario_json=scenario.to_json(),
            metric=view.measure,
            replications=view.replications,
            run_ids=run_ids,
            result_json=view.model_dump_json(),
        )
    )
