"""Series: windows are found to the microsecond, and a marker ends a series at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.alerts.courses import Scene
from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Matcher
from workbench.alerts.selectors import equalities, parse_matchers
from workbench.alerts.series import STALE, MemorySource, SeriesSet, is_stale
from workbench.alerts.signals import Signal

A, B = Labels({"server": "a"}), Labels({"server": "b"})


def found(times: list[float], at: float, *, over: float, left_open: bool = False) -> list[float]:
    series = SeriesSet.gather([(B, [0.0], [9.0]), (A, times, times), (Labels(), [0.0], [9.0])])
    low, high = series.locate(np.array([at]), over=over, left_open=left_open)
    return series.values[low[1, 0] : high[1, 0]].tolist()


def test_both_ends_of_a_window_belong_to_it():
    assert found([10.0, 20.0, 30.0, 40.0], 30.0, over=20.0) == [10.0, 20.0, 30.0]


def test_a_left_open_window_leaves_its_begin_out():
    assert found([10.0, 20.0, 30.0, 40.0], 30.0, over=20.0, left_open=True) == [20.0, 30.0]


def test_windows_before_and_after_all_samples_are_empty():
    assert found([10.0, 20.0], 5.0, over=4.0) == []
    assert found([10.0, 20.0], 500.0, over=4.0) == []


def test_windows_are_exact_at_todays_large_times():
    base = 1_700_000_000.1
    assert found([base, base + 0.1, base + 0.2], base + 0.2, over=0.2) == [base, base + 0.1, base + 0.2]


def test_a_stale_marker_is_no_other_nan():
    assert is_stale(np.array([STALE, math.nan, 1.0])).tolist() == [True, False, False]


def values(times: list[float], samples: list[float], at: list[float], **keys: object) -> list[float]:
    source = MemorySource({"depth": SeriesSet.gather([(A, times, samples)])})
    signal = Signal.model_validate({"metric": "depth", **keys})
    course = signal.over_time(Scene(source, np.array(at)))
    return np.where(course.present, course.values, math.nan)[0].tolist()


def test_a_sample_stands_for_five_minutes_and_not_longer():
    shown = values([0.0], [7.0], [0.0, 300.0, 300.001])
    assert shown[:2] == [7.0, 7.0]
    assert math.isnan(shown[2])


def test_a_marker_ends_a_series_at_once_but_not_its_windows():
    last = values([0.0, 15.0], [7.0, STALE], [14.0, 15.0])
    assert last[0] == 7.0
    assert math.isnan(last[1])
    assert values([0.0, 15.0], [7.0, STALE], [15.0], function="count_over_time", over=60.0) == [1.0]


@pytest.mark.parametrize(
    ("series", "complaint"),
    [
        ([(A, [0.0], [1.0]), (A, [0.0], [1.0])], "same labels"),
        ([(A, [0.0, 0.0], [1.0, 2.0])], "increase"),
        ([(A, [0.0, 1.0], [1.0])], "as many values"),
    ],
)
def test_series_that_cannot_be_are_refused(series: list, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        SeriesSet.gather(series)


def test_matchers_choose_series():
    series = SeriesSet.gather([(A, [0.0], [1.0]), (B, [0.0], [2.0])])
    assert series.chosen(parse_matchers('server=~"a|c"')).labels == (A,)
    assert series.chosen(parse_matchers('server!="a"')).values.tolist() == [2.0]
    assert len(series.chosen(parse_matchers('zone="x"'))) == 0


def test_absent_has_the_labels_that_are_set_to_one_value():
    # Prometheus documents: absent(x{job="a", instance=~".*"}) is {job="a"}.
    assert equalities(parse_matchers('job="a", instance=~".*"')) == Labels({"job": "a"})
    assert equalities((Matcher("job", "=", "a"), Matcher("job", "=", "b"))) == Labels()
