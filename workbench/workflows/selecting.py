"""Selecting the best of several strategies, with a stated probability or within a budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from workbench.errors import InputError
from workbench.experiments import Cell, Screening, allocate, chance_of_best, kim_nelson
from workbench.experiments.selection import FIRST
from workbench.quantities import parse_duration
from workbench.settings import Settings, load_settings, parse_share
from workbench.simulate import EngineName, Measure, Scenario, Strategy, Workload
from workbench.simulate.arrivals import TraceArrivals
from workbench.store import Store, publish, queries
from workbench.workflows.comparing import chosen_strategies
from workbench.workflows.estimate_views import CandidateView, SelectionView
from workbench.workflows.precision import MOST, read_measure
from workbench.workflows.running import Source, check_pool, notes, resolve
from workbench.workflows.simulating import Report, simulate_cells

_ROUNDS = 5
"""Rounds that a budget is handed out in, after the first stage."""

_FEW = 500_000
"""Requests that are simulated in this process: done before others have started."""


class _Bench:
    """The replications of each strategy so far, simulated as they are asked for."""

    def __init__(
        self, store: Store, variants: dict[str, Scenario], by: Measure, report: Report | None
    ) -> None:
        self._store, self._variants, self._by, self._report = store, variants, by, report
        self.values: dict[str, list[float]] = {label: [] for label in variants}
        self.run_ids: dict[str, list[int]] = {label: [] for label in variants}
        self.simulated = 0

    def fill(self, counts: dict[str, int]) -> None:
        """Simulate what is missing to so many replications of each."""
        cells = [
            (label, Cell(self._variants[label], number))
            for label, count in counts.items()
            for number in range(len(self.values[label]), count)
        ]
        if not cells:
            return
        sizes = [Workload(cell.scenario).expected_requests() or math.inf for _, cell in cells]
        done = simulate_cells(
            self._store,
            [cell for _, cell in cells],
            jobs=1 if math.fsum(sizes) <= _FEW else None,
            report=self._report,
        )
        self.simulated += done.simulated
        rows = queries.summaries(self._store, run_ids=done.run_ids).to_pylist()
        by_run = {row["run_id"]: row[self._by.column] for row in rows}
        for (label, _), run_id in zip(cells, done.run_ids, strict=True):
            value = by_run[run_id]
            if value is None or not math.isfinite(value):
                raise InputError(
                    f"strategy: given {label}; allowed: strategies under which some request ends well "
                    f"in every replication; in run {run_id} none did"
                )
            self.values[label].append(float(value))
            self.run_ids[label].append(run_id)

    @property
    def runs(self) -> int:
        """Replications of all together."""
        return sum(len(row) for row in self.values.values())


def select_best(
    source: Source,
    *,
    strategies: Sequence[Strategy | str] | None = None,
    probability: float = 0.95,
    indifference: float | str = "2%",
    budget: int | None = None,
    most: int = MOST,
    measure: Measure | str = Measure.RESPONSE_MEAN,
    seed: int | None = None,
    engine: EngineName | str | None = None,
    settings: Settings | None = None,
    report: Report | None = None,
) -> SelectionView:
    """Select the best of several strategies, simulating only as much as that takes.

    Without a budget by KN: whoever is clearly worse is dropped as replications come in. Under a budget by
    OCBA: replications go where they tell the best from its rivals.

    Args:
        source: a scenario, the path of its YAML file, or a dict with the same keys.
        strategies: two or more strategies or their labels; the scenario's own plan by default.
        probability: with which the best is selected, if it is better by the indifference; below 1.
        indifference: a difference that does not matter: a share such as `2%` of the least mean of the first
            stage, or a time such as `5ms`, or seconds.
        budget: replications of all strategies together; selects by OCBA.
        most: replications of each strategy after which KN stops undecided, 10 or more.
        measure: what to select by, such as `response_p99`; less is better.
        seed: in place of the scenario's own, 0 or more.
        engine: in place of the scenario's own: `auto`, `reference` or `compiled`.
        settings: where the lake is and how many processes may work.
        report: told how many requests are simulated so far.

    Raises:
        InputError: the scenario, a strategy or a parameter cannot be used, or a trace is replayed.
        StoreError: the lake cannot be read or written.
    """
    scenario = resolve(source, seed=seed, engine=engine)
    by = read_measure(measure)
    variants = _variants(scenario, strategies)
    _check(scenario, variants, probability, budget, most)
    zone = _read_indifference(indifference)
    with Store(settings or load_settings()) as store:
        bench = _Bench(store, variants, by, report)
        if budget is None:
            screening, width = _screen(bench, probability, zone, most, store.settings.jobs)
            view = _kn_view(bench, screening, probability, width)
        else:
            _spend(bench, budget)
            view = _ocba_view(bench, budget)
        if bench.simulated:
            publish(store)
    kept = {
        "scenario": scenario.name,
        "lake": str(store.lake),
        "measure": by.value,
        "measure_label": by.label,
    }
    return view.model_copy(update=kept | {"notes": _all_notes(variants)})


def _variants(scenario: Scenario, strategies: Sequence[Strategy | str] | None) -> dict[str, Scenario]:
    variants = {one.label: scenario.with_strategy(one) for one in chosen_strategies(scenario, strategies)}
    for variant in variants.values():
        check_pool(variant)
    return variants


def _check(
    scenario: Scenario, variants: dict[str, Scenario], probability: float, budget: int | None, most: int
) -> None:
    if knowing := [name for name, one in variants.items() if one.balancers.strategy.knows_demand]:
        raise InputError(
            f"strategies: given {', '.join(knowing)}; allowed: strategies that a balancer could have; "
            "`workbench compare` shows such bounds"
        )
    if len(variants) < 2:
        raise InputError(f"strategies: given {', '.join(variants)}; allowed: two or more")
    if isinstance(scenario.arrivals, TraceArrivals):
        raise InputError(
            "select: given a trace; allowed: scenarios whose arrivals are drawn, for replications of one "
            "recorded trace are not independent; `workbench compare` has intervals for it"
        )
    if not 1.0 / len(variants) < probability < 1.0:
        raise InputError(
            f"probability: given {100 * probability:g}%; allowed: above {100 / len(variants):.3g}%, "
            "which a guess has, and below 100%"
        )
    least = FIRST * len(variants)
    if budget is not None and not least <= budget <= 1_000_000:
        raise InputError(f"budget: given {budget}; allowed: {least} ({FIRST} a strategy) to 1,000,000")
    if not FIRST <= most <= 100_000:
        raise InputError(f"most: given {most}; allowed: {FIRST} to 100,000 replications")


def _read_indifference(given: float | str) -> Callable[[float], float]:
    """Make a function from the least mean of the first stage to the indifference in seconds."""
    text = str(given).strip()
    try:
        if text.endswith("%"):
            share = parse_share(text)
            width, by_share = share, True
        else:
            width, by_share = parse_duration(given), False
    except ValueError:
        width, by_share = 0.0, False
    if not width > 0.0:
        raise InputError(
            f"indifference: given {text}; allowed: a share such as 2%, or a time such as 5ms, above 0"
        )
    return lambda least: width * least if by_share else width


def _screen(
    bench: _Bench, probability: float, zone: Callable[[float], float], most: int, jobs: int
) -> tuple[Screening, float]:
    bench.fill(dict.fromkeys(bench.values, FIRST))
    least = min(math.fsum(row) / len(row) for row in bench.values.values())
    if not (width := zone(least)) > 0.0:
        raise InputError("indifference: given a share of a mean of 0; allowed: a time such as 5ms")
    while True:
        screening = kim_nelson(bench.values, probability=probability, indifference=width)
        if screening.decided or screening.used >= most:
            return screening, width
        # A few ahead, so that every processor has something to do and starting them pays.
        ahead = max(jobs, screening.used // 4)
        count = min(most, screening.most, screening.used + ahead)
        bench.fill(dict.fromkeys(screening.left, count))


def _spend(bench: _Bench, budget: int) -> None:
    bench.fill(dict.fromkeys(bench.values, FIRST))
    step = max(1, math.ceil((budget - bench.runs) / _ROUNDS))
    while bench.runs < budget:
        bench.fill(allocate(bench.values, more=min(step, budget - bench.runs)))


def _kn_view(bench: _Bench, screening: Screening, probability: float, width: float) -> SelectionView:
    mean = {name: math.fsum(row) / len(row) for name, row in bench.values.items()}
    last = sorted(screening.dropped, key=lambda name: (-screening.dropped[name], mean[name]))
    selected = screening.left[0]
    verdicts = dict.fromkeys(screening.left[1:], "not selected") | dict.fromkeys(last, "dropped")
    if not screening.decided:
        verdicts = dict.fromkeys(screening.left, "still in") | dict.fromkeys(last, "dropped")
    return _view(
        bench,
        [*screening.left, *last],
        {selected: "selected"} | verdicts,
        dropped=dict(screening.dropped),
        method="kn",
        probability=probability,
        indifference_s=width,
        decided=screening.decided,
    )


def _ocba_view(bench: _Bench, budget: int) -> SelectionView:
    order = sorted(bench.values, key=lambda name: math.fsum(bench.values[name]) / len(bench.values[name]))
    verdicts = dict.fromkeys(order, "not selected") | {order[0]: "selected"}
    return _view(
        bench,
        order,
        verdicts,
        dropped={},
        method="ocba",
        probability=chance_of_best(bench.values),
        budget=budget,
        decided=True,
    )


def _view(
    bench: _Bench,
    order: list[str],
    verdicts: dict[str, str],
    *,
    dropped: dict[str, int],
    method: str,
    probability: float,
    decided: bool,
    indifference_s: float | None = None,
    budget: int | None = None,
) -> SelectionView:
    best = bench.values[order[0]]
    candidates = []
    for name in order:
        own = bench.values[name]
        both = min(len(own), len(best))
        candidates.append(
            CandidateView(
                strategy=name,
                value=math.fsum(own) / len(own),
                difference=math.fsum(own[:both]) / both - math.fsum(best[:both]) / both,
                replications=len(own),
                dropped_after=dropped.get(name),
                verdict=verdicts[name],
                run_ids=bench.run_ids[name],
            )
        )
    return SelectionView(
        scenario="",
        lake="",
        measure="",
        measure_label="",
        method=method,
        probability=probability,
        indifference_s=indifference_s,
        budget=budget,
        decided=decided,
        candidates=candidates,
        runs=bench.runs,
        simulated=bench.simulated,
        reused=bench.runs - bench.simulated,
        notes=[],
    )


def _all_notes(variants: dict[str, Scenario]) -> list[str]:
    return list(dict.fromkeys(note for variant in variants.values() for note in notes(variant)))
