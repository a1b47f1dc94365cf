"""Intervals: against published tables, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.alerts.estimates import quantile_estimate, rate_estimate, share_estimate


def test_a_rate_has_the_exact_poisson_interval():
    # Published tables of 95 % limits for counts 0, 1 and 10: (0, 3.689), (0.0253, 5.572), (4.795, 18.39).
    for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)):
        found = rate_estimate(count, 2.0)
        assert found.value == count / 2
        assert (2 * found.low, 2 * found.high) == (
            pytest.approx(low, rel=2e-3),
            pytest.approx(high, rel=2e-3),
        )


def test_a_share_has_the_exact_binomial_interval():
    # Clopper and Pearson: 10 of 10 is 0.6915 to 1, 1 of 10 is 0.0025 to 0.4450, 5 of 10 is 0.1871 to 0.8129.
    for count, low, high in ((10, 0.6915, 1.0), (1, 0.0025, 0.4450), (5, 0.1871, 0.8129)):
        found = share_estimate(count, 10)
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_median_of_six_needs_all_six():
    # For n = 6 the 95 % interval of the median goes from the least to the largest (1 - 2 / 2^6 = 96.9 %).
    assert quantile_estimate([6.0, 1.0, 5.0, 2.0, 4.0, 3.0], 0.5) == (3.0, 1.0, 6.0)


def test_what_was_missed_makes_a_quantile_infinite():
    found = quantile_estimate([1.0, 2.0, math.inf, math.inf], 0.9)
    assert (found.value, found.high) == (math.inf, math.inf)


def test_few_values_say_no_more_than_they_know():
    assert quantile_estimate([5.0], 0.5) == (5.0, 0.0, math.inf)
    assert math.isnan(quantile_estimate([], 0.5).value)
    assert math.isnan(rate_estimate(0, 0.0).value)
    assert math.isnan(share_estimate(0, 0).value)


@pytest.mark.parametrize("quantile", [0.5, 0.9])
@pytest.mark.parametrize("count", [12, 60])
def test_a_quantiles_interval_holds_the_truth_as_often_as_it_says(quantile: float, count: int):
    rng = np.random.default_rng(3)
    truth = -math.log(1 - quantile)
    hits = 0
    for _ in range(1000):
        found = quantile_estimate(rng.exponential(1.0, count).tolist(), quantile)
        hits += found.low <= truth <= found.high
    assert hits >= 935  # 95 % or more; 935 is more than two standard errors below
