"""Window functions on series small enough to compute by hand; tests/parity compares them with Prometheus."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.alerts.courses import Course, Scene, distinct
from workbench.alerts.labels import Labels
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.alerts.signals import Signal
from workbench.alerts.windows import FUNCTIONS
from workbench.errors import InputError

TIMES = [0.0, 15.0, 30.0, 45.0, 60.0]


def value(samples: list[float], *, at: float = 60.0, **keys: object) -> float:
    source = MemorySource({"m": SeriesSet.gather([(Labels(), TIMES[: len(samples)], samples)])})
    course = Signal.model_validate({"metric": "m", **keys}).over_time(Scene(source, np.array([at])))
    return float(course.values[0, 0]) if course.present[0, 0] else math.nan


@pytest.mark.parametrize(
    ("function", "samples", "expected"),
    [
        ("avg_over_time", [1.0, 2.0, 3.0, 4.0, 5.0], 3.0),
        ("min_over_time", [4.0, 2.0, 3.0, 9.0, 5.0], 2.0),
        ("max_over_time", [4.0, 2.0, 3.0, 9.0, 5.0], 9.0),
        ("sum_over_time", [1.0, 2.0, 3.0, 4.0, 5.0], 15.0),
        ("count_over_time", [1.0, 2.0, 3.0, 4.0, 5.0], 5.0),
        ("last_over_time", [1.0, 2.0, 3.0, 4.0, 8.0], 8.0),
        ("stddev_over_time", [2.0, 4.0, 4.0, 4.0, 6.0], math.sqrt(1.6)),
        ("changes", [1.0, 1.0, 2.0, 2.0, 1.0], 2.0),
        ("resets", [1.0, 5.0, 2.0, 4.0, 0.0], 2.0),
        ("increase", [0.0, 15.0, 30.0, 45.0, 60.0], 60.0),
        ("rate", [0.0, 15.0, 30.0, 45.0, 60.0], 1.0),
        ("increase", [10.0, 25.0, 5.0, 20.0, 35.0], 50.0),  # 15, then from 0 to 5, then 15 twice
        ("irate", [0.0, 0.0, 0.0, 15.0, 60.0], 3.0),
        ("delta", [9.0, 9.0, 7.0, 5.0, 3.0], -6.0),
        ("deriv", [0.0, 30.0, 60.0, 90.0, 120.0], 2.0),
    ],
)
def test_a_function_over_a_minute_of_samples(function: str, samples: list[float], expected: float):
    assert value(samples, function=function, over=60.0) == pytest.approx(expected)


def test_a_quantile_lies_between_its_neighbours():
    assert value([4.0, 1.0, 3.0, 2.0], at=45.0, function="quantile_over_time", over=60.0, quantile=0.5) == 2.5


def test_a_line_is_followed_ahead():
    keys = {"function": "predict_linear", "over": 60.0, "ahead": 30.0}
    assert value([0.0, 15.0, 30.0, 45.0, 60.0], **keys) == pytest.approx(90.0)
    assert value([7.0, 7.0, 7.0, 7.0, 7.0], **keys) == 7.0


@pytest.mark.parametrize("function", list(FUNCTIONS))
@pytest.mark.parametrize("strange", [math.inf, -math.inf, math.nan])
def test_infinite_and_missing_values_go_through_without_a_warning(function: str, strange: float):
    parameter = FUNCTIONS[function].parameter
    keys = {parameter: 0.5} if parameter else {}
    for samples in ([1.0, strange, 2.0, strange, 5.0], [strange] * 5):
        value(samples, function=function, over=60.0, **keys)
        value(samples, function=function, over=60.0, aggregate="avg", **keys)


@pytest.mark.parametrize("function", ["rate", "increase", "irate", "delta", "deriv"])
def test_one_sample_is_too_few_for_a_slope(function: str):
    assert math.isnan(value([5.0], at=0.0, function=function, over=60.0))


def test_a_quantile_of_a_histogram_lies_in_its_bucket():
    # Of 100, 50 are up to 0.1 and 90 up to 0.2: the 70th lies halfway through the second bucket.
    buckets = [
        (Labels({"le": bound}), [0.0], [count]) for bound, count in (("0.1", 50), ("0.2", 90), ("+Inf", 100))
    ]
    source = MemorySource({"m": SeriesSet.gather(buckets)})

    def quantile(q: float) -> float:
        course = Signal(metric="m", histogram_quantile=q).over_time(Scene(source, np.array([0.0])))
        return float(course.values[0, 0])

    assert quantile(0.7) == pytest.approx(0.15)
    assert quantile(0.25) == pytest.approx(0.05)
    assert quantile(0.99) == 0.2  # beyond the last finite bound nothing is known


def pool(**values: float) -> MemorySource:
    series = [(Labels({"server": name, "pool": "x"}), [0.0], [number]) for name, number in values.items()]
    return MemorySource({"m": SeriesSet.gather(series)})


@pytest.mark.parametrize(
    ("how", "expected"), [("sum", 6.0), ("avg", 2.0), ("min", 1.0), ("max", 3.0), ("count", 3.0)]
)
def test_series_are_brought_together_by_a_label(how: str, expected: float):
    signal = Signal(metric="m", aggregate=how, by=["pool"])
    course = signal.over_time(Scene(pool(a=1.0, b=2.0, c=3.0), np.array([0.0])))
    assert course.labels == (Labels({"pool": "x"}),)
    assert course.values[0, 0] == expected


def test_a_signal_is_divided_by_the_one_of_the_same_labels():
    signal = Signal.model_validate({"metric": "m", "divided_by": {"metric": "m", "match": {"server": "a"}}})
    course = signal.over_time(Scene(pool(a=4.0, b=2.0), np.array([0.0])))
    assert course.labels == (Labels({"server": "a", "pool": "x"}),)
    assert course.values[0, 0] == 1.0


def test_two_results_of_the_same_labels_are_an_error():
    twice = Course((Labels(), Labels()), np.zeros((2, 1)), np.ones((2, 1), np.bool_))
    with pytest.raises(InputError, match=r"m: given two results for \{\}; allowed: one for each set"):
        distinct(twice, "m")
