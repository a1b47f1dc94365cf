"""Ranking strategies: the intervals, checked against scipy and by their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from workbench.errors import InputError
from workbench.experiments import Method, Verdict, compare

T, B = Method.PAIRED_T, Method.BOOTSTRAP


def by_name(values, **options):
    return {standing.strategy: standing for standing in compare(values, **options)}


def test_the_least_mean_is_best_and_the_rest_follow_in_order():
    standings = compare({"c": [3.0, 3.1], "a": [1.0, 1.1], "b": [2.0, 2.1]}, method=T)
    assert [standing.strategy for standing in standings] == ["a", "b", "c"]
    assert standings[0].verdict is Verdict.BEST


def test_the_interval_of_a_difference_is_students_t_on_the_pairs():
    rng = np.random.default_rng(1)
    a, b = rng.normal(1.0, 0.1, 12), rng.normal(1.3, 0.2, 12)
    found = by_name({"a": a, "b": b}, method=T)["b"].difference
    low, high = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_several_differences_share_the_level_by_bonferroni():
    rng = np.random.default_rng(2)
    rows = {name: rng.normal(mean, 0.1, 9) for name, mean in (("a", 1.0), ("b", 1.2), ("c", 1.4), ("d", 1.6))}
    found = by_name(rows, method=T)["c"].difference
    low, high = stats.ttest_rel(rows["c"], rows["a"]).confidence_interval(1 - 0.05 / 3)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_common_noise_cancels_in_the_difference_but_not_in_the_measures():
    noise = np.random.default_rng(3).normal(0.0, 10.0, 10)
    found = by_name({"a": 100 + noise, "b": 101 + noise}, method=T)["b"]
    assert found.verdict is Verdict.WORSE
    assert found.difference.high - found.difference.low < 1e-9
    assert found.measure.high - found.measure.low > 5


def test_nine_in_ten_or_more_joint_intervals_hold_the_true_differences():
    # 400 comparisons of five strategies; 95 % joint coverage is 380 with a standard error of 4.4.
    rng, truth, held = np.random.default_rng(4), np.array([1.0, 1.02, 1.1, 1.3, 1.5]), 0
    for _ in range(400):
        rows = {str(n): rng.normal(mean, 0.1, 10) for n, mean in enumerate(truth)}
        standings = compare(rows, method=T)
        best = truth[int(standings[0].strategy)]
        held += all(
            s.difference.low <= truth[int(s.strategy)] - best <= s.difference.high for s in standings[1:]
        )
    assert 362 <= held <= 400


def test_a_trace_is_judged_as_recorded_with_the_spread_of_its_resamples():
    recorded, ratio = 10.0, np.exp(np.random.default_rng(5).normal(0.3, 0.05, 19))
    base = np.random.default_rng(6).lognormal(2.0, 0.4, 19)
    rows = {"a": [recorded, *base], "b": [recorded * 1.35, *(base * ratio)]}
    found = by_name(rows, method=B)["b"].difference
    half = stats.t.ppf(0.975, 18) * np.log(ratio).std(ddof=1)
    assert found.value == pytest.approx(3.5)
    assert found.low == pytest.approx(recorded * (1.35 * math.exp(-half) - 1))
    assert found.high == pytest.approx(recorded * (1.35 * math.exp(half) - 1))


def test_more_resamples_do_not_shrink_what_one_trace_can_tell():
    rng = np.random.default_rng(7)
    few, many = (rng.lognormal(0.0, 0.5, (2, count)) for count in (20, 2000))
    widths = [
        (found.high - found.low) / found.value
        for rows in (few, many)
        for found in [by_name({"a": [1.0, *rows[0]], "b": [2.0, *rows[1]]}, method=B)["a"].measure]
    ]
    assert widths[1] > 0.5 * widths[0]


def test_waits_of_zero_are_compared_without_logarithms():
    found = by_name({"a": [0.0, 0.0, 0.0], "b": [0.5, 0.4, 0.6]}, method=B)["b"]
    assert found.difference.value == pytest.approx(0.5)
    assert math.isfinite(found.difference.low)


def test_a_strategy_that_knows_demand_is_a_bound_and_never_the_best():
    rows = {"oracle": [1.0, 1.1, 1.2], "real": [2.0, 2.1, 2.2], "other": [3.0, 3.1, 3.2]}
    found = by_name(rows, method=T, bounds=["oracle"])
    assert found["oracle"].verdict is Verdict.BOUND
    assert found["oracle"].difference.value == pytest.approx(-1.0)
    assert found["real"].verdict is Verdict.BEST
    alone = by_name({"oracle": rows["oracle"]}, method=T, bounds=["oracle"])
    assert alone["oracle"].verdict is Verdict.BEST


def test_equal_strategies_are_the_same_and_near_ones_not_told_apart():
    found = by_name({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "c": [1.1, 1.9, 3.1]}, method=T)
    assert found["b"].verdict is Verdict.SAME
    assert found["c"].verdict is Verdict.NOT_TOLD_APART


def test_a_strategy_without_an_answer_comes_last_and_says_so():
    found = compare({"dead": [math.nan, 1.0], "a": [2.0, 2.1], "b": [3.0, 3.3]}, method=T)
    assert [standing.strategy for standing in found] == ["a", "b", "dead"]
    assert found[-1].verdict is Verdict.NO_ANSWER


@pytest.mark.parametrize(
    ("rows", "method"),
    [({"a": [1.0], "b": [1.0]}, T), ({"a": [1.0, 2.0]}, B), ({"a": [1.0, 2.0], "b": [1.0]}, T)],
)
def test_too_few_or_unequal_replications_are_refused(rows, method):
    with pytest.raises(InputError, match="replications: given"):
        compare(rows, method=method)
