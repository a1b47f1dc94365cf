"""Planning a change of a balancer: both configurations are simulated on the same requests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.configuration import (
    BalancerConfiguration,
    ConfigurationBook,
    Journal,
    check_usable,
    chosen_balancer,
    differences,
)
from workbench.errors import InputError
from workbench.experiments import LEVEL, Cell, Interval, Method, compare
from workbench.settings import Settings, load_settings
from workbench.simulate import EngineName, Scenario
from workbench.simulate.arrivals import TraceArrivals
from workbench.store import Store, publish, queries
from workbench.workflows.configuration_plan_view import ConfigurationPlanView, EffectView
from workbench.workflows.configuring import changed_configuration, opened_file, view_changes
from workbench.workflows.running import Source, check_pool, notes, resolve, scenario_of
from workbench.workflows.simulating import Report, simulate_cells

_MEASURES = {
    "response_mean_s": "response mean",
    "response_p50_s": "response p50",
    "response_p95_s": "response p95",
    "response_p99_s": "response p99",
    "wait_p99_s": "waiting p99",
    "failed_share": "failed",
    "imbalance": "imbalance",
}
"""Less is better of each."""
_METHODS = {
    Method.PAIRED_T: "paired t intervals, of logarithms where no value is 0",
    Method.BOOTSTRAP: "intervals of block bootstrap resamples of the trace; values are those as recorded",
}


@dataclass(frozen=True)
class _Change:
    """What is planned."""

    balancer: str
    before: str
    after: str
    old: BalancerConfiguration
    new: BalancerConfiguration


def plan_configuration(
    changes: Sequence[str] = (),
    *,
    before: int | None = None,
    after: int | None = None,
    load: Source | None = None,
    run_id: int | None = None,
    replications: int | None = None,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    force: bool = False,
    balancer: str | None = None,
    settings: Settings | None = None,
    report: Report | None = None,
) -> ConfigurationPlanView:
    """Simulate a change on the same requests as what holds, and tell the effect with intervals.

    Nothing is saved or applied. All intervals hold together at 95 % (Bonferroni).

    Args:
        changes: such as `servers.web-1.weight=3`, made to the version `before`; without any, two versions
            are compared.
        before: the version to start from; without changes, the one that was last applied and kept, or the
            one before `after`; with changes, the one that holds.
        after: without changes, the version to go to; the one that holds by default.
        load: a scenario whose requests, faults and network are simulated; the configuration's `load` by
            default.
        run_id: in place of it the scenario of a stored run.
        replications: runs of each, 2 or more, 3 or more for a trace that is resampled; 10 by default.
        seed: in place of the scenario's own.
        engine: in place of the scenario's own.
        force: even if no usable server is left, which simulations refuse all the same.
        balancer: whose configuration; the only one there is by default.
        settings: where the lake is and how many processes may work.
        report: told how many requests are simulated so far.

    Raises:
        InputError: there is nothing to compare, no load, or the load does not fit.
        StoreError: the lake cannot be read or written.

    Example:
        >>> import workbench as wb
        >>> wb.plan_configuration(["balancers.strategy=power_of_two"])  # doctest: +SKIP
    """
    settings = settings or load_settings()
    change = _change(changes, before, after, balancer, settings)
    if not force:
        check_usable(change.new)
    source = _load(change.new, load, run_id, settings)
    requests = resolve(source, seed=seed, engine=engine)
    scenarios = [one.scenario(requests) for one in (change.old, change.new)]
    for scenario in scenarios:
        check_pool(scenario)
    method, count = _method(requests), _replications(requests, replications)
    with Store(settings) as store:
        cells = [Cell(scenario, number) for scenario in scenarios for number in range(count)]
        result = simulate_cells(store, cells, report=report)
        rows = {row["run_id"]: row for row in queries.summaries(store, run_ids=result.run_ids).to_pylist()}
        if result.simulated:
            publish(store)
        ids = result.run_ids[:count], result.run_ids[count:]
        told = [[rows[run_id] for run_id in side] for side in ids]
        return ConfigurationPlanView(
            balancer=change.balancer,
            before=change.before,
            after=change.after,
            load=requests.name,
            changes=view_changes(differences(change.old, change.new)),
            effects=[_effect(column, told[0], told[1], method) for column in _MEASURES],
            replications=count,
            level=LEVEL,
            method=f"{_METHODS[method]}; the same requests before and after; all hold together (Bonferroni)",
            run_ids_before=ids[0],
            run_ids_after=ids[1],
            simulated=result.simulated,
            lake=str(store.lake),
            notes=_notes(scenarios, requests),
        )


def _change(
    changes: Sequence[str], before: int | None, after: int | None, balancer: str | None, settings: Settings
) -> _Change:
    with opened_file(settings) as file:
        book = ConfigurationBook(file, chosen_balancer(file, balancer))
        holding = book.holding()
        if changes:
            if after is not None:
                raise InputError("after: given a version and changes; allowed: one of the two")
            base = holding if before is None else book.one(before)
            name = f"version {base.version}"
            new = changed_configuration(base, changes)
            return _Change(book.balancer, name, f"{name} with the changes", base.configuration, new)
        last = holding if after is None else book.one(after)
        if before is None:
            target = last.configuration.target
            kept = Journal(file).last_kept(book.balancer, target.address) if target else None
            before = kept if kept is not None and kept != last.version else last.version - 1
        if before < 1:
            raise InputError(
                "changes: given none, and there is one version only; allowed: changes such as "
                "servers.web-1.weight=3, or two versions"
            )
        old = book.one(before)
        return _Change(
            book.balancer,
            f"version {old.version}",
            f"version {last.version}",
            old.configuration,
            last.configuration,
        )


def _load(
    configuration: BalancerConfiguration, given: Source | None, run_id: int | None, settings: Settings
) -> Source:
    if given is not None and run_id is not None:
        raise InputError("load: given a scenario and a run; allowed: one of the two")
    if run_id is not None:
        with Store(settings) as store:
            return scenario_of(store.run(run_id))
    if given is not None:
        return given
    if not configuration.load:
        raise InputError(
            "load: given none, and the configuration names none; allowed: --load with a scenario file, or "
            "--run with a stored run's number"
        )
    return Path(configuration.load)


def _method(scenario: Scenario) -> Method:
    arrivals = scenario.arrivals
    resampled = isinstance(arrivals, TraceArrivals) and arrivals.resample is not None
    return Method.BOOTSTRAP if resampled else Method.PAIRED_T


def _replications(scenario: Scenario, given: int | None) -> int:
    planned = scenario.comparison.replications if scenario.comparison else 10
    count, least = planned if given is None else given, _method(scenario).least
    if not least <= count <= 10_000:
        raise InputError(f"replications: given {count}; allowed: {least} to 10,000")
    return count


def _effect(
    column: str, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], method: Method
) -> EffectView:
    values = {
        "before": [_value(row, column) for row in before],
        "after": [_value(row, column) for row in after],
    }
    old, new, apart = _compared(values, method)
    relative = _relative(values, old, apart, method)
    return EffectView(
        measure=column,
        label=_MEASURES[column],
        before=old.value,
        after=new.value,
        difference=apart.value,
        difference_low=apart.low,
        difference_high=apart.high,
        relative=relative.value,
        relative_low=relative.low,
        relative_high=relative.high,
        verdict=_verdict(apart if math.isnan(relative.value) else relative),
        values_before=[*values["before"]],
        values_after=[*values["after"]],
    )


def _compared(values: Mapping[str, Sequence[float]], method: Method) -> tuple[Interval, Interval, Interval]:
    """Give before, after, and the paired difference between them."""
    level = 1 - (1 - LEVEL) / len(_MEASURES)
    # What is a bound is never the best, so the difference is that to what was before.
    found = {one.strategy: one for one in compare(values, method=method, bounds={"after"}, level=level)}
    return found["before"].measure, found["after"].measure, found["after"].difference


def _relative(
    values: Mapping[str, Sequence[float]], old: Interval, apart: Interval, method: Method
) -> Interval:
    """Give the change as a share of what was before: of geometric means where all values are above 0."""
    if method is Method.PAIRED_T and all(one > 0 for side in values.values() for one in side):
        logs = {side: [math.log(one) for one in row] for side, row in values.items()}
        factor = _compared(logs, method)[2]
        return Interval(math.expm1(factor.value), math.expm1(factor.low), math.expm1(factor.high))
    if not old.value > 0:
        return Interval(math.nan, math.nan, math.nan)
    return Interval(apart.value / old.value, apart.low / old.value, apart.high / old.value)


def _value(row: dict[str, Any], column: str) -> float:
    if column == "failed_share":
        return 1 - row["ok"] / row["requests"] if row["requests"] else math.nan
    return math.nan if row[column] is None else float(row[column])


def _verdict(change: Interval) -> str:
    if math.isnan(change.low) or math.isnan(change.high):
        return "no answer"
    if change.low == change.high == 0.0:
        return "same"
    return "better" if change.high < 0 else "worse" if change.low > 0 else "not told apart"


def _notes(scenarios: Sequence[Scenario], requests: Scenario) -> list[str]:
    found = [f"{side}: {note}" for side, one in zip(_SIDES, scenarios, strict=True) for note in notes(one)]
    arrivals = requests.arrivals
    if isinstance(arrivals, TraceArrivals) and arrivals.resample is None:
        found.append(
            "every replication replays the one recorded trace, so the intervals know only the balancers' "
            "own chance; set `resample` in the load's `arrivals` (such as 5min) to learn of other traffic"
        )
    return found


_SIDES = ("before", "after")
