"""When a rule fires over a whole course of evaluations: the state machine, all times at once.

It gives what `state.step` gives, evaluation by evaluation; a test compares the two. Grids of thresholds
over weeks of evaluations would take hours step by step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.alerts.conditions import Verdicts
from workbench.alerts.courses import Scene
from workbench.alerts.evaluation import Memory, evaluate_all
from workbench.alerts.instances import State
from workbench.alerts.rules import NoData, Rule
from workbench.alerts.series import Bools, Floats, Ints, microseconds


@dataclass(frozen=True, order=True)
class Span:
    """A time during which a rule fires, seconds; `end` is None where it fires until the last evaluation."""

    start: float
    end: float | None

    def overlaps(self, start: float, end: float) -> bool:
        """Tell whether it fires at some time between two."""
        return self.start <= end and (self.end is None or self.end > start)


def runs(truth: Bools) -> tuple[Ints, Ints]:
    """Find the stretches of true values: where each begins, and one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], truth, [False])).astype(np.int8)))
    return edges[::2], edges[1::2]


def fire_and_end(
    trips: Bools, holds: Bools, times: Floats, *, hold: float, keep_firing_for: float
) -> list[tuple[int, int | None]]:
    """Give the evaluations at which one alert fires and at which it is resolved.

    Args:
        trips: at each evaluation, whether the condition holds.
        holds: the same for an alert that fires already.
        times: of the evaluations, seconds, increasing.
        hold: how long the condition must hold before, seconds.
        keep_firing_for: how long the alert goes on afterwards, seconds.
    """
    clock = microseconds(times)
    begin, over = runs(trips)
    fires = np.searchsorted(clock, clock[begin] + int(microseconds(hold)))
    fires = fires[fires < over]
    off, on = runs(~holds)
    ends = np.searchsorted(clock, clock[off] + int(microseconds(keep_firing_for)))
    ends = ends[ends < on]
    found: list[tuple[int, int | None]] = []
    place = 0
    while place < len(fires):
        fired = int(fires[place])
        after = int(np.searchsorted(ends, fired, side="right"))
        if after == len(ends):
            return [*found, (fired, None)]
        found.append((fired, int(ends[after])))
        place = int(np.searchsorted(fires, ends[after], side="right"))
    return found


def firings(rule: Rule, scene: Scene) -> list[Span]:
    """Give the times during which at least one alert of a rule fires.

    Raises:
        WorkbenchError: the rule cannot be evaluated.
    """
    if rule.no_data is NoData.KEEP:
        return _step_by_step(rule, scene)
    return spans_of(rule, rule.condition.over_time(scene), scene.times)


def spans_of(rule: Rule, verdicts: Verdicts, times: Floats) -> list[Span]:
    """Give the times during which at least one alert of a rule fires, from its condition's verdicts."""
    rows = [(verdicts.trips[row], verdicts.holds[row]) for row in np.flatnonzero(verdicts.trips.any(axis=1))]
    if rule.no_data is NoData.ALERT:
        rows.append((~verdicts.any_data, ~verdicts.any_data))
    found = [
        Span(float(times[fired]), None if end is None else float(times[end]))
        for trips, holds in rows
        for fired, end in fire_and_end(
            trips, holds, times, hold=rule.hold, keep_firing_for=rule.keep_firing_for
        )
    ]
    return united(found)


def united(spans: list[Span]) -> list[Span]:
    """Bring spans that overlap or touch together."""
    result: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        last = result[-1] if result else None
        if last is None or (last.end is not None and last.end < span.start):
            result.append(span)
        elif last.end is not None:
            end = None if span.end is None else max(last.end, span.end)
            result[-1] = Span(last.start, end)
    return result


def _step_by_step(rule: Rule, scene: Scene) -> list[Span]:
    firing = [
        any(one.state is State.FIRING for one in evaluation.instances)
        for _, evaluation in evaluate_all([rule], Memory(), scene)
    ]
    begin, end = runs(np.array(firing, dtype=np.bool_))
    times = [*scene.times.tolist(), None]
    return [Span(times[low], times[high]) for low, high in zip(begin, end, strict=True)]
