"""The state machine of one alert: the sequences that Prometheus documents, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.state import Found, Tracked, step

LABELS = Labels({"alertname": "A"})
NONE, PENDING, FIRING, RESOLVED = None, "pending", "firing", "resolved"


@dataclass(frozen=True)
class Times:
    hold: float = 0.0
    keep_firing_for: float = 0.0


def found(value: float, *, only_if_firing: bool = False) -> dict[Labels, Found]:
    def make(active_at: float) -> AlertInstance:
        return AlertInstance("A", LABELS, {"value": str(value)}, "page", State.PENDING, active_at, value)

    return {LABELS: Found(value, make, only_if_firing)}


def walk(timing: Times, truth: str, *, every: float = 15.0) -> list[Tracked | None]:
    """Go through evaluations: 1 holds, 0 does not, h holds for an alert that fires only."""
    alerts: dict[Labels, Tracked] = {}
    seen: list[Tracked | None] = []
    for number, sign in enumerate(truth):
        given = {} if sign == "0" else found(float(number), only_if_firing=sign == "h")
        alerts, _ = step(timing, alerts, given, every * number)
        seen.append(alerts.get(LABELS))
    return seen


def states(timing: Times, truth: str, *, every: float = 15.0) -> list[str | None]:
    return [None if one is None else one.alert.state.value for one in walk(timing, truth, every=every)]


@pytest.mark.parametrize(
    ("timing", "truth", "expected"),
    [
        (Times(), "1", [FIRING]),
        (Times(hold=20.0), "111", [PENDING, PENDING, FIRING]),
        (Times(hold=30.0), "111", [PENDING, PENDING, FIRING]),
        (Times(hold=30.0), "1101", [PENDING, PENDING, NONE, PENDING]),
        (Times(hold=15.0), "110", [PENDING, FIRING, RESOLVED]),
        (Times(keep_firing_for=30.0), "1000", [FIRING, FIRING, FIRING, RESOLVED]),
        (Times(keep_firing_for=30.0), "1001000", [FIRING, FIRING, FIRING, FIRING, FIRING, FIRING, RESOLVED]),
        (Times(hold=15.0, keep_firing_for=60.0), "100", [PENDING, NONE, NONE]),
        (Times(), "101", [FIRING, RESOLVED, FIRING]),
        (Times(), "hh1hh0", [NONE, NONE, FIRING, FIRING, FIRING, RESOLVED]),
        (Times(hold=15.0), "1h1h", [PENDING, NONE, PENDING, NONE]),
    ],
)
def test_states_follow_from_what_holds(timing: Times, truth: str, expected: list[str | None]):
    assert states(timing, truth) == expected


def test_an_alert_is_active_since_its_condition_first_held():
    last = walk(Times(hold=30.0), "01111")[-1]
    assert last is not None
    assert (last.alert.active_at, last.alert.fired_at) == (15.0, 45.0)


def test_what_it_says_is_of_the_last_time_that_it_held():
    last = walk(Times(keep_firing_for=60.0), "1100")[-1]
    assert last is not None
    assert last.alert.annotations == {"value": "1.0"}


def test_a_resolved_alert_is_kept_for_fifteen_minutes():
    seen = states(Times(), "1" + "0" * 63)
    assert seen[1:62] == [RESOLVED] * 61  # resolved at 15 s, still there 900 s later
    assert seen[62:] == [NONE, NONE]


def test_a_tenth_of_a_second_ten_times_is_a_second():
    assert states(Times(hold=1.0), "1" * 11, every=0.1)[9:] == [PENDING, FIRING]


def test_each_change_is_told_with_what_was_before():
    alerts: dict[Labels, Tracked] = {}
    told = []
    for number, sign in enumerate("110"):
        alerts, changes = step(Times(hold=15.0), alerts, found(1.0) if sign == "1" else {}, 15.0 * number)
        told += [(one.before.value, one.instance.state.value, one.at) for one in changes]
    assert told == [("inactive", PENDING, 0.0), (PENDING, FIRING, 15.0), (FIRING, RESOLVED, 30.0)]


def test_nothing_that_was_given_is_changed():
    first, _ = step(Times(hold=15.0), {}, found(1.0), 0.0)
    kept = dict(first)
    step(Times(hold=15.0), first, {}, 15.0)
    assert first == kept
