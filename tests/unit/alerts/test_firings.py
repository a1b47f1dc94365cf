"""All evaluations at once give what the state machine gives one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerts.test_state import LABELS, Times, found
from workbench.alerts.firings import Span, fire_and_end, runs, united
from workbench.alerts.instances import State
from workbench.alerts.state import Tracked, step


@given(
    signs=st.text("01h", min_size=1, max_size=60),
    gaps=st.lists(st.sampled_from([5.0, 15.0, 15.0, 40.0]), min_size=60, max_size=60),
    hold=st.sampled_from([0.0, 10.0, 15.0, 20.0, 45.0]),
    keep=st.sampled_from([0.0, 10.0, 15.0, 20.0, 45.0]),
)
def test_firings_are_those_of_the_state_machine(signs: str, gaps: list[float], hold: float, keep: float):
    times = np.cumsum(gaps)[: len(signs)]
    timing = Times(hold=hold, keep_firing_for=keep)
    alerts: dict = {}
    expected: list[tuple[int, int | None]] = []
    for place, sign in enumerate(signs):
        holds = {} if sign == "0" else found(1.0, only_if_firing=sign == "h")
        alerts, changes = step(timing, alerts, holds, float(times[place]))
        for change in changes:
            if change.instance.state is State.FIRING:
                expected.append((place, None))
            elif change.before is State.FIRING:
                expected[-1] = (expected[-1][0], place)
    trips = np.array([sign == "1" for sign in signs])
    held = np.array([sign != "0" for sign in signs])
    assert fire_and_end(trips, held, times, hold=hold, keep_firing_for=keep) == expected
    assert isinstance(alerts.get(LABELS), Tracked | None)


def test_runs_are_where_truth_begins_and_ends():
    begin, end = runs(np.array([True, False, True, True]))
    assert begin.tolist() == [0, 2]
    assert end.tolist() == [1, 4]


def test_spans_that_touch_become_one():
    spans = [Span(5.0, 7.0), Span(0.0, 3.0), Span(2.0, 5.0), Span(9.0, None), Span(10.0, 11.0)]
    assert united(spans) == [Span(0.0, 7.0), Span(9.0, None)]
