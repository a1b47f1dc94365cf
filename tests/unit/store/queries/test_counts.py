"""Requests are counted by outcome, in windows that lose none."""

from __future__ import annotations

import pytest

from workbench.store.queries import outcome_counts
from workbench.tables import Outcome


def test_outcomes_are_counted_in_the_window(measured, frame, inside, window):
    rows = inside(frame, window)
    found = outcome_counts(measured, run_id=1, window=window)
    expected = [int((rows.outcome == code).sum()) for code in Outcome]
    length = (frame.arrival_us.iloc[-1] - 400_000) / 1e6 if window is None else window[1] - window[0]
    assert found.requests == len(rows)
    assert list(found.outcomes.items()) == [
        *zip([outcome.label for outcome in Outcome], expected, strict=True)
    ]
    assert found.window_s == pytest.approx(length)
    assert found.goodput_per_s == pytest.approx(expected[0] / length)


def test_windows_that_touch_count_each_request_once(measured, frame):
    edge = frame.arrival_us.iloc[700] / 1e6
    counts = [outcome_counts(measured, run_id=1, window=span).requests for span in [(0, edge), (edge, 60)]]
    assert counts == [700, 1300]
