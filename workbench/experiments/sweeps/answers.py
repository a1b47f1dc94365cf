"""What the cells of a sweep say: at each circumstance, which decision is best and which hold the target."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputError
from workbench.experiments.comparison import Method, Standing, Verdict, compare
from workbench.experiments.designs import Option
from workbench.experiments.sweeps.document import Sweep
from workbench.experiments.sweeps.measures import SweepMeasure
from workbench.experiments.sweeps.space import Point
from workbench.simulate import Scenario, read_strategy
from workbench.simulate.arrivals import TraceArrivals

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One decision at one circumstance.

    Args:
        point: its point's number.
        options: what was decided, by parameter.
        standing: how it stands against the other decisions there.
        holds: whether its interval lies below the target; None without a target.
        figures: every measure, mean over the replications; NaN where there is none.
    """

    point: int
    options: Mapping[str, Option]
    standing: Standing
    holds: bool | None
    figures: Mapping[SweepMeasure, float]


@dataclass(frozen=True)
class Place:
    """One circumstance with all decisions that were tried there, the best first.

    Args:
        label: the circumstance in words; empty where there is only one.
        options: the circumstances, by parameter.
        judged: the decisions all of whose cells are there.
        missing: cells that are not there yet.
    """

    label: str
    options: Mapping[str, Option]
    judged: Sequence[Judged]
    missing: int

    @property
    def best(self) -> Judged | None:
        """The best, where there is an answer."""
        return next((one for one in self.judged if one.standing.verdict is Verdict.BEST), None)

    @property
    def close(self) -> list[str]:
        """What is not told apart from the best."""
        alike = (Verdict.SAME, Verdict.NOT_TOLD_APART)
        return [one.standing.strategy for one in self.judged if one.standing.verdict in alike]

    @property
    def least(self) -> Judged | None:
        """Of those that hold the target, the first in the order of the document."""
        return min((one for one in self.judged if one.holds), key=lambda one: one.point, default=None)


@dataclass(frozen=True)
class Verdicts:
    """What a sweep says."""

    places: Sequence[Place]
    answer: str
    notes: Sequence[str]


def judge(sweep: Sweep, points: Sequence[Point], rows: Mapping[int, Sequence[Row | None]]) -> Verdicts:
    """Judge every circumstance of a sweep.

    Args:
        sweep: the question.
        points: its points.
        rows: the result of each replication of each point, by the point's number; None for a cell that
            is not there yet.
    """
    by_place: dict[str, list[int]] = {}
    for number, point in enumerate(points):
        by_place.setdefault(point.place, []).append(number)
    places = [_place(sweep, label, points, numbers, rows) for label, numbers in by_place.items()]
    return Verdicts(places, _answer(sweep, places), _notes(sweep, places))


def method_of(scenario: Scenario) -> Method:
    """Tell where the spread of a scenario's intervals comes from."""
    resampled = isinstance(scenario.arrivals, TraceArrivals) and scenario.arrivals.resample is not None
    return Method.BOOTSTRAP if resampled else Method.PAIRED_T


def _place(
    sweep: Sweep,
    label: str,
    points: Sequence[Point],
    numbers: Sequence[int],
    rows: Mapping[int, Sequence[Row | None]],
) -> Place:
    ours, method = sweep.decisions(), method_of(sweep.scenario)
    there = {number: [row for row in rows[number] if row is not None] for number in numbers}
    missing = sum(sweep.replications - len(found) for found in there.values())
    whole = [number for number in numbers if len(there[number]) == sweep.replications]
    options = {name: one for name, one in points[numbers[0]].options if name not in ours}
    values = {points[number].decision: [sweep.measure.of(row) for row in there[number]] for number in whole}
    bounds = [points[number].decision for number in whole if _is_bound(points[number])]
    standings = compare(values, method=method, bounds=bounds) if values else []
    by_decision = {points[number].decision: number for number in whole}
    judged = []
    for standing in standings:
        number = by_decision[standing.strategy]
        decided = {name: one for name, one in points[number].options if name in ours}
        figures = {measure: _mean([measure.of(row) for row in there[number]]) for measure in SweepMeasure}
        judged.append(Judged(number, decided, standing, _holds(sweep, standing), figures))
    return Place(label, options, judged, missing)


def _is_bound(point: Point) -> bool:
    """Tell whether a point's strategy knows what no balancer knows, so that it is shown but cannot win."""
    named = dict(point.settings).get("balancers.strategy")
    if isinstance(named, dict):
        named = named.get("kind")
    try:
        return isinstance(named, str) and read_strategy(named).knows_demand
    except InputError:  # it lacks a parameter that is set beside it
        return False


def _holds(sweep: Sweep, standing: Standing) -> bool | None:
    if sweep.target is None:
        return None
    return standing.measure.high <= sweep.target


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _answer(sweep: Sweep, places: Sequence[Place]) -> str:
    there = [place for place in places if place.best is not None]
    if not there:
        return "none yet: no circumstance has all of its cells"
    if sweep.target is not None:
        return _least_answer(sweep, there)
    best = Counter(place.best.standing.strategy for place in there if place.best is not None)
    good = Counter(name for place in there for name in (*place.close, _best_of(place)))
    if len(there) == 1:
        close = f"; not told apart from it: {', '.join(there[0].close)}" if there[0].close else ""
        return f"{_best_of(there[0])}{close}"
    most = max(good.values())
    first = sorted((name for name in good if good[name] == most), key=lambda name: -best[name])
    are = "is" if len(first) == 1 else "are"
    told = (
        f"{' and '.join(first)} {are} best or not told apart from it at {most} of {len(there)} circumstances"
    )
    left = [_best_of(place) for place in there if not {*place.close, _best_of(place)} & set(first)]
    others = [f"{name} at {count}" for name, count in Counter(left).most_common()]
    return told + (f"; elsewhere the best is {', '.join(others)}" if others else "")


def _best_of(place: Place) -> str:
    return place.best.standing.strategy if place.best is not None else ""


def _least_answer(sweep: Sweep, places: Sequence[Place]) -> str:
    limit = sweep.measure.shown(sweep.target)
    told = []
    for place in places:
        least = place.least
        where = f"{place.label}: " if place.label else ""
        told.append(f"{where}{least.standing.strategy if least else 'none of those tried'}")
    few = told if len(told) <= 12 else [*told[:12], f"and {len(told) - 12} more"]
    return f"first that surely holds {sweep.measure.label} at {limit}: {'; '.join(few)}"


def _notes(sweep: Sweep, places: Sequence[Place]) -> list[str]:
    notes = []
    if missing := sum(place.missing for place in places):
        notes.append(f"{missing:,} cells are missing; run the sweep again, it goes on from here")
    failing = [
        place.label or sweep.name
        for place in places
        if place.best is not None and place.best.figures[SweepMeasure.FAILED] > 1e-3
    ]
    if failing and sweep.measure.value.startswith(("response", "wait")):
        notes.append(
            f"at {len(failing)} of {len(places)} circumstances more than 0.1 % of the best's requests fail; "
            "times are of those that ended ok, so look at `failed`, too"
        )
    unstable = [
        place.label or sweep.name
        for place in places
        if place.best is not None and place.best.figures[SweepMeasure.UTILISATION] > 0.99
    ]
    if unstable:
        notes.append(
            f"the pool is full at {', '.join(unstable[:5])}: what is measured depends on the horizon"
        )
    return notes
