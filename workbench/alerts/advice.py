"""Advice: which threshold and `for` to give a rule.

Every pair of a grid is run over the same episodes. Of those that no other pair beats in everything, the
Pareto front, one is chosen by how many false alarms a day may be. The episodes by which it is chosen are
not those from which its figures are: the best of many looks better than it is where it was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.alerts.backtest import Episode, Score, score
from workbench.alerts.conditions import Threshold
from workbench.alerts.courses import Course
from workbench.alerts.firings import spans_of
from workbench.alerts.rules import Rule
from workbench.errors import InputError

HOLDS = (0.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""The values of `for` that are tried by default, seconds."""

_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0)


@dataclass(frozen=True)
class Candidate:
    """One pair of the grid, and what the rule does with it."""

    threshold: float
    hold: float
    """`for`, seconds."""
    score: Score

    def beats(self, other: Candidate) -> bool:
        """Tell whether it is as good in everything and better in something."""
        mine, its = self._figures(), other._figures()
        return mine != its and all(one <= two for one, two in zip(mine, its, strict=True))

    def _figures(self) -> tuple[float, float, float]:
        return self.score.false_alarms, -self.score.detected, self.score.delay(0.5).value


@dataclass(frozen=True)
class Advice:
    """What to give a rule."""

    candidates: tuple[Candidate, ...]
    """The whole grid."""
    front: tuple[Candidate, ...]
    """Those that none beats, by rising false alarms."""
    chosen: Candidate | None
    """None where no pair keeps to the budget and detects anything."""
    confirmed: Score | None
    """What the chosen pair does over episodes that had no part in its choice."""
    present: Score
    """What the rule does as it is, over the same episodes as `confirmed`."""


def grid(
    rule: Rule,
    episodes: Sequence[Episode],
    *,
    thresholds: Sequence[float],
    holds: Sequence[float],
    interval: float,
) -> list[Candidate]:
    """Run a rule with every pair of threshold and `for`.

    Raises:
        InputError: the rule has no threshold.
        WorkbenchError: the rule cannot be evaluated.
    """
    condition = _threshold_of(rule)
    scenes = [episode.scene(interval) for episode in episodes]
    found = []
    for threshold in thresholds:
        changed = condition.at(threshold, clear_at=_moved_clear(condition, threshold))
        verdicts = [changed.over_time(scene) for scene in scenes]
        for hold in holds:
            other = changed_rule(rule, threshold=threshold, hold=hold)
            alarms = [spans_of(other, one, scene.times) for one, scene in zip(verdicts, scenes, strict=True)]
            found.append(Candidate(threshold, hold, score(rule.name, episodes, alarms)))
    return found


def advise(
    rule: Rule,
    episodes: Sequence[Episode],
    *,
    interval: float,
    budget: float,
    thresholds: Sequence[float] = (),
    holds: Sequence[float] = HOLDS,
) -> Advice:
    """Choose a threshold and `for`.

    Args:
        rule: a rule with a threshold.
        episodes: two or more; every other one serves to choose, the rest to say how good the choice is.
        interval: between evaluations, seconds.
        budget: false alarms a day that may be.
        thresholds: those to try; by default spread over the values that the signal had.
        holds: the values of `for` to try, seconds.

    Raises:
        InputError: the rule has no threshold, or there are too few episodes or no incidents.
        WorkbenchError: the rule cannot be evaluated.
    """
    chosen_by, confirmed_by = episodes[::2], episodes[1::2]
    if not confirmed_by or not any(episode.incidents for episode in chosen_by):
        raise InputError("episodes: given fewer than two with incidents; allowed: two or more replications")
    tried = sorted(set(thresholds)) or spread(rule, chosen_by, interval=interval)
    candidates = grid(rule, chosen_by, thresholds=tried, holds=sorted(set(holds)), interval=interval)
    chosen = choose(candidates, budget=budget)
    return Advice(
        candidates=tuple(candidates),
        front=tuple(pareto_front(candidates)),
        chosen=chosen,
        confirmed=None if chosen is None else _confirm(rule, confirmed_by, chosen, interval),
        present=_confirm(rule, confirmed_by, None, interval),
    )


def pareto_front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give those that none beats, by rising false alarms, equals once."""
    front: dict[tuple[float, float, float], Candidate] = {}
    for one in candidates:
        if not any(other.beats(one) for other in candidates):
            front.setdefault(one._figures(), one)
    return [front[key] for key in sorted(front)]


def choose(candidates: Sequence[Candidate], *, budget: float) -> Candidate | None:
    """Give the one that detects most, then soonest, of those with at most so many false alarms a day."""
    kept = [one for one in candidates if one.score.false_per_day.value <= budget and one.score.detected]
    if not kept:
        return None
    return min(
        kept,
        key=lambda one: (
            -one.score.detected,
            one.score.delay(0.5).value,
            one.score.false_alarms,
            # Of equals the one that is farthest from a false alarm: the longest `for` first.
            -one.hold,
        ),
    )


def changed_rule(rule: Rule, *, threshold: float, hold: float) -> Rule:
    """Give a rule with another threshold and `for`; its `clear_at` keeps its share of it.

    Raises:
        InputError: the rule has no threshold.
    """
    condition = _threshold_of(rule)
    other = condition.at(threshold, clear_at=_moved_clear(condition, threshold))
    keys = {name: getattr(rule, name) for name in type(rule).model_fields}
    return Rule.model_validate(keys | {"condition": other, "hold": hold})


def spread(rule: Rule, episodes: Sequence[Episode], *, interval: float) -> list[float]:
    """Spread thresholds over the values that a rule's signal had while all was well and while it was not.

    Raises:
        InputError: the rule has no threshold, or its signal no data.
    """
    condition = _threshold_of(rule)
    sick: list[float] = []
    well: list[float] = []
    for episode in episodes:
        scene = episode.scene(interval)
        extreme = _extreme(condition.of.over_time(scene), largest=condition.above is not None)
        for at, value in zip(scene.times.tolist(), extreme.tolist(), strict=True):
            if math.isfinite(value):
                (well if episode.is_healthy(at) else sick).append(value)
    if not well and not sick:
        raise InputError(f"{rule.name}: given a signal without data; allowed: metrics that the episodes have")
    side = _QUANTILES if condition.above is not None else [1.0 - q for q in _QUANTILES]
    values = [
        float(np.quantile(part, side)[place]) for part in (well, sick) if part for place in range(len(side))
    ]
    return sorted({float(f"{value:.3g}") for value in values})


def _threshold_of(rule: Rule) -> Threshold:
    if not isinstance(rule.condition, Threshold):
        allowed = "allowed: a rule whose condition is a threshold"
        raise InputError(f"{rule.name}: given a condition of kind {rule.condition.kind}; {allowed}")
    return rule.condition


def _moved_clear(condition: Threshold, threshold: float) -> float | None:
    if condition.clear_at is None:
        return None
    # Its distance, as a share where it can be one, so that a small threshold keeps a `clear_at` that is met.
    if condition.limit:
        return threshold * condition.clear_at / condition.limit
    return threshold + condition.clear_at


def _extreme(course: Course, *, largest: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """At each time the value of the series that would fire first, NaN where there is none."""
    values = np.where(course.present, course.values, np.nan)
    if not len(values):
        return np.full(values.shape[1], np.nan)
    return np.asarray((np.fmax if largest else np.fmin).reduce(values, axis=0), dtype=np.float64)


def _confirm(rule: Rule, episodes: Sequence[Episode], chosen: Candidate | None, interval: float) -> Score:
    condition = _threshold_of(rule)
    threshold = condition.limit if chosen is None else chosen.threshold
    hold = rule.hold if chosen is None else chosen.hold
    return grid(rule, episodes, thresholds=[threshold], holds=[hold], interval=interval)[0].score
