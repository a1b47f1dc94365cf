"""Stopping at a precision, and planning for one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.experiments import (
    Interval,
    is_precise,
    mean_interval,
    need_of_long_runs,
    need_of_replications,
    needed_count,
    next_count,
)


def test_the_error_that_is_bounded_is_that_by_the_true_value():
    # 1.1 +- .1: the truth may be 1.0, which is missed by a tenth of it.
    assert is_precise(Interval(1.1, 1.0, 1.2), 0.1)
    assert not is_precise(Interval(1.09, 0.99, 1.19), 0.1)


@given(relative=st.floats(0.02, 5), count=st.integers(10, 500), most=st.integers(600, 5000))
def test_the_next_number_grows_but_not_without_bound(relative: float, count: int, most: int):
    following = next_count(relative, count, precision=0.01, most=most)
    assert count < following <= min(most, max(4 * count, count + 1))
    assert following <= needed_count(relative, count, precision=0.01)


def test_an_estimate_of_zero_asks_for_more():
    assert Interval(0.0, -1.0, 1.0).relative == math.inf
    assert next_count(math.inf, 10, precision=0.01, most=100) == 11


def test_stopping_when_precise_keeps_the_promise():
    # 400 times: replications of spread .1 until +-2 % at 95 %; 3 standard errors below are 367.
    rng, held, counts = np.random.default_rng(1), 0, []
    for _ in range(400):
        values = rng.normal(1.0, 0.1, 2000)
        count = 10
        while not is_precise(interval := mean_interval(values[:count]), 0.02):
            count = next_count(interval.relative, count, precision=0.02, most=2000)
        held += abs(interval.value - 1.0) <= 0.02
        counts.append(count)
    assert held >= 367
    assert 80 <= np.mean(counts) <= 150  # (1.96 * .1 / .0196)^2 is 100


def test_what_a_precision_takes_is_as_known_for_independent_values():
    rng = np.random.default_rng(2)
    pilots = [rng.exponential(1.0, 60_000) for _ in range(20)]
    need = need_of_long_runs(pilots, None, precision=0.01)
    assert need.requests == pytest.approx(1.96**2 / 0.01**2, rel=0.2)
    # The median's standard error is that of a share of one half by the density there, which is one half.
    median = need_of_long_runs(pilots, 0.5, precision=0.01)
    assert median.requests == pytest.approx((1.96 / (math.log(2) * 0.01)) ** 2, rel=0.2)


def test_replications_tell_what_they_take():
    values = np.random.default_rng(3).normal(2.0, 0.2, 400).tolist()
    need = need_of_replications(values, requests=1000, precision=0.01)
    assert need.value == pytest.approx(2.0, rel=0.02)
    assert need.requests == pytest.approx(1000 * (1.96 * 0.1 / 0.01) ** 2, rel=0.15)


def test_a_measure_that_is_always_zero_needs_nothing():
    assert need_of_replications([0.0, 0.0], requests=10, precision=0.01).requests == 0
