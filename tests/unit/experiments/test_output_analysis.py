"""Intervals from one run: against scipy, by their coverage on values with a memory, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.errors import InputError
from workbench.experiments import (
    SlicedTimes,
    average,
    batch_means,
    in_batches,
    mean_interval,
    mser,
    quantile_interval,
    ratio_interval,
    section_quantile,
)
from workbench.tables import histogram_bins

RUNS = 1200
COVERED = range(1118, 1163)
"""Of 1200 intervals at 95 %: 1140 are expected, with a standard error of 7.5; 3 in 1000 fall outside."""


def autoregressive(rng: np.random.Generator, length: int, memory: float) -> np.ndarray:
    """Normal values with mean 0 and variance 1 that forget by this factor a step."""
    noise = rng.normal(0.0, np.sqrt(1 - memory**2), length)
    values = np.empty(length)
    last = rng.normal()
    for place, step in enumerate(noise.tolist()):
        last = memory * last + step
        values[place] = last
    return values


def sliced(values: np.ndarray, slices: int) -> SlicedTimes:
    """Count times in seconds as the histograms of a run do."""
    parts = [histogram_bins(np.rint(part * 1e6).astype(np.int64)) for part in np.array_split(values, slices)]
    rows = [
        (place, one, n)
        for place, part in enumerate(parts)
        for one, n in zip(*np.unique(part, return_counts=True), strict=True)
    ]
    return SlicedTimes.of(*np.array(rows).T)


def test_the_interval_of_a_mean_is_scipys():
    values = np.random.default_rng(1).normal(3.0, 2.0, 12)
    low, high = stats.t.interval(0.9, 11, values.mean(), stats.sem(values))
    found = mean_interval(values, level=0.9)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_batches_cover_where_single_values_do_not():
    rng, held, naive = np.random.default_rng(2), 0, 0
    for _ in range(RUNS):
        values = autoregressive(rng, 4000, 0.9)
        held += (found := batch_means(values)).low <= 0.0 <= found.high
        naive += (alone := mean_interval(values)).low <= 0.0 <= alone.high
    assert held in COVERED
    assert naive < RUNS / 2


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_intervals_of_quantiles_cover(q: float):
    rng, held, sectioned, truth = np.random.default_rng(3), 0, 0, float(stats.norm.ppf(q))
    for _ in range(RUNS):
        values = autoregressive(rng, 4000, 0.8)
        held += (found := quantile_interval(values, q)).low <= truth <= found.high
        sectioned += (other := section_quantile(values, q)).low <= truth <= other.high
    assert held in COVERED
    assert sectioned in COVERED


def test_the_estimates_are_those_of_the_whole_run():
    values = np.random.default_rng(4).exponential(1.0, 10_007)
    assert batch_means(values).value == pytest.approx(values.mean())
    assert quantile_interval(values, 0.9).value == section_quantile(values, 0.9).value
    assert section_quantile(values, 0.9).value == np.quantile(values, 0.9)


def test_a_ratio_over_equal_batches_is_the_mean_of_their_means():
    sums, counts = np.random.default_rng(5).normal(50.0, 5.0, 20), np.full(20, 10.0)
    ratio, mean = ratio_interval(sums, counts), mean_interval(sums / 10.0)
    assert (ratio.value, ratio.low) == pytest.approx((mean.value, mean.low))


@given(slices=st.integers(20, 130), batches=st.integers(5, 20))
def test_batches_of_slices_lose_nothing_and_are_about_equal(slices: int, batches: int):
    table = np.arange(slices * 3).reshape(slices, 3)
    grouped = in_batches(table, batches)
    assert grouped.shape == (batches, 3)
    assert grouped.sum() == table.sum()
    lengths = in_batches(np.ones(slices), batches)
    assert lengths.max() - lengths.min() <= 1


def test_histograms_give_the_intervals_of_the_times_themselves():
    # Times so long ago forgotten that batches of requests and of slices are the same.
    values = np.exp(0.5 * autoregressive(np.random.default_rng(6), 60_000, 0.9)) / 100
    times = sliced(values, 120)
    mean, exact = times.mean(float(values.mean())), batch_means(values)
    assert mean.value == values.mean()
    assert mean.high - mean.low == pytest.approx(exact.high - exact.low, rel=0.02)
    q99, whole = times.quantile(float(np.quantile(values, 0.99)), 0.99), quantile_interval(values, 0.99)
    assert (q99.low, q99.high) == pytest.approx((whole.low, whole.high), rel=0.005)


def test_too_few_slices_give_no_interval():
    assert not SlicedTimes(np.ones((4, 2), np.int64), np.array([1.0, 2.0]), np.array([2.0, 3.0])).enough
    assert not SlicedTimes(np.zeros((20, 2), np.int64), np.array([1.0, 2.0]), np.array([2.0, 3.0])).enough


@pytest.mark.parametrize("batches", [4, 31])
def test_what_gives_no_interval_is_refused(batches: int):
    with pytest.raises(InputError, match="batches: given"):
        batch_means(np.arange(30.0), batches=batches)


def test_the_cut_comes_where_a_transient_ends():
    rng = np.random.default_rng(7)
    start = 8.0 * np.exp(-np.arange(4000) / 60)
    runs = [start + rng.normal(0.0, 1.0, 4000) for _ in range(10)]
    assert 150 <= mser(average(runs)) <= 400  # 8 exp(-x / 60) is .66 and .01 of a standard deviation there
    assert mser(average(runs), floor=900) == 900


def test_a_series_without_a_transient_is_cut_little():
    rng = np.random.default_rng(8)
    cuts = [mser(average([autoregressive(rng, 2000, 0.9) for _ in range(10)])) for _ in range(60)]
    assert np.median(cuts) <= 20
    assert max(cuts) <= 400


def test_a_short_series_has_no_cut():
    with pytest.raises(InputError, match="series: given 99 values; allowed: 100 or more"):
        mser(np.arange(99.0))
