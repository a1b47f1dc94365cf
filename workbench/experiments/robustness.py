"""Robustness: the smallest change of circumstances at which another decision is surely better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.experiments.comparison import Verdict
from workbench.experiments.sweeps.answers import Place
from workbench.simulate import Scenario

MOST_LOAD = 0.98
"""Loads above are not tried: the pool would not keep up, and what is measured would depend on the horizon."""

_LOAD_FACTORS = (0.3, 0.5, 0.7, 0.85, 0.95, 1.05, 1.1, 1.2, 1.3, 1.5, 2.0)
_VARIABILITY_FACTORS = (1 / 16, 1 / 4, 1 / 2, 2, 4, 8, 16)
_AGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Ages of a view in mean processing times."""
_MOST_SLOW = 0.5


@dataclass(frozen=True)
class Ladder:
    """The values at which one dial is tried.

    Args:
        dial: its name.
        base: where the scenario stands.
        values: what is tried beside the base, rising.
        reason: why it is not tried; empty where it is.
    """

    dial: str
    base: float
    values: tuple[float, ...]
    reason: str = ""


@dataclass(frozen=True)
class Flip:
    """The nearest value at which another decision is surely better.

    Args:
        value: the dial's value there.
        best: what is best there.
        held: the value nearest to it, towards the base, at which the answer still held.
    """

    value: float
    best: str
    held: float


def ladders(scenario: Scenario) -> list[Ladder]:
    """Choose what is tried of each dial.

    Raises:
        TraceError: the trace cannot be used.
    """
    return [_load(scenario), _variability(scenario), _staleness(scenario), _slow_share(scenario)]


def _load(scenario: Scenario) -> Ladder:
    load = scenario.offered_load()
    if load is None:
        return Ladder("load", math.nan, (), "a closed loop has no load of its own")
    base = load / scenario.capacity()
    values = {min(base * factor, max(base, MOST_LOAD)) for factor in _LOAD_FACTORS} - {base}
    return Ladder("load", base, tuple(sorted(round(value, 6) for value in values)))


def _variability(scenario: Scenario) -> Ladder:
    base = scenario.service.moments().cv2
    if not math.isfinite(base):
        return Ladder("variability", base, (), "the variance of the service demand is infinite")
    values = [base * factor for factor in _VARIABILITY_FACTORS] if base else [0.25, 1.0, 4.0, 16.0]
    return Ladder("variability", base, tuple(round(value, 6) for value in values))


def _staleness(scenario: Scenario) -> Ladder:
    base = scenario.balancers.refresh_every or 0.0
    if scenario.balancers.count == 1:
        return Ladder("staleness", base, (), "one balancer sees all requests that there are")
    if scenario.balancers.view == "private":
        return Ladder(
            "staleness", base, (), "the balancers see their own requests only, which is never stale"
        )
    mean = scenario.service.moments().mean * len(scenario.pool) / sum(one.speed for one in scenario.pool)
    values = (float(f"{age * mean:.3g}") for age in _AGES)
    return Ladder("staleness", base, tuple(value for value in values if value != base))


def _slow_share(scenario: Scenario) -> Ladder:
    count = max(group.count for group in scenario.pool)
    if count == 1:
        return Ladder("slow_share", 0.0, (), "no group of the pool has several servers")
    steps = sorted({round(count * _MOST_SLOW * part / 6) for part in range(1, 7)} - {0})
    return Ladder("slow_share", 0.0, tuple(round(step / count, 6) for step in steps))


def still_holds(place: Place, answer: str) -> bool | None:
    """Tell whether an answer is best, or not told apart from the best; None where it is not known."""
    verdict = {one.standing.strategy: one.standing.verdict for one in place.judged}.get(answer)
    if verdict is None or verdict is Verdict.NO_ANSWER:
        return None
    return verdict is not Verdict.WORSE


def nearest_flip(base: float, places: Mapping[float, Place], answer: str, *, above: bool) -> Flip | None:
    """Find the value nearest to the base, on one side, at which an answer does not hold any more.

    Args:
        base: where the scenario stands.
        places: what was found at each value tried.
        answer: the decision that is best at the base.
        above: which side to look at.
    """
    held = base
    for value in sorted((one for one in places if (one > base) == above and one != base), reverse=not above):
        place = places[value]
        if still_holds(place, answer) is False and place.best is not None:
            return Flip(value, place.best.standing.strategy, held)
        held = value
    return None


def between(base: float, flip: Flip, *, logarithmic: bool) -> float:
    """Choose the next value to try, half-way between where an answer held and where it did not."""
    low, high = flip.held, flip.value
    middle = math.sqrt(low * high) if logarithmic and min(low, high) > 0 else (low + high) / 2
    return float(f"{middle:.6g}")


def spread(values: Sequence[float], count: int) -> list[float]:
    """Choose so many of some values, from the first to the last.

    >>> spread([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    if len(values) <= count:
        return list(values)
    return [values[round(place * (len(values) - 1) / (count - 1))] for place in range(count)]
