"""The certificate promises what it keeps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from workbench.errors import InputError
from workbench.reconcile.certificate import Trial, certify, labels_expected, labels_needed, trial_at

RESAMPLES = 200


@pytest.mark.parametrize(
    ("target", "needed"),
    # The 95 % lower bounds of Clopper and Pearson reach the target with 0, 1 and 2 errors from here on.
    [(0.99, (299, 473, 628)), (0.995, (598, 947, 1258)), (0.999, (2995, 4742, 6294))],
)
def test_labels_needed_are_those_of_the_exact_bound(target: float, needed: tuple[int, ...]):
    found = [labels_needed(Trial(0.9, 0, errors, 1.0), target, 0.05) for errors in range(3)]
    assert tuple(found) == needed


def population(kind: str, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw confidences and truth; in each the precision above some threshold just falls below 99 %."""
    chance = rng.beta(8, 0.12, count)
    if kind == "overconfident":
        return chance**0.3, rng.random(count) < chance
    if kind == "three levels":
        chance = rng.choice([0.999, 0.985, 0.6], count, p=[0.5, 0.3, 0.2])
        return chance - 1e-4 * rng.random(count), rng.random(count) < chance
    return chance, rng.random(count) < chance


def misses(kind: str, labels: int, pick) -> int:
    """Count the resamples whose threshold has a true precision below 99 %."""
    rng = np.random.default_rng(7)
    confidence, right = population(kind, rng, 1_000_000)
    order = np.argsort(-confidence)
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ranked = -confidence[order]
    missed = 0
    for _ in range(RESAMPLES):
        threshold = pick(*population(kind, rng, labels))
        if threshold is not None:
            missed += precision[np.searchsorted(ranked, -threshold, side="right") - 1] < 0.99
    return missed


@pytest.mark.parametrize("kind", ["exact", "overconfident", "three levels"])
@pytest.mark.parametrize("labels", [600, 2500])
def test_a_certificate_misses_its_target_in_at_most_5_percent_of_resamples(kind: str, labels: int):
    missed = misses(kind, labels, lambda *sample: certify(*sample, target=0.99).threshold)
    assert missed <= 0.05 * RESAMPLES


def test_the_lowest_threshold_that_looks_good_enough_misses_far_more_often():
    def naive(confidence: np.ndarray, right: np.ndarray) -> float | None:
        order = np.argsort(-confidence)
        good = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= 0.99)
        return float(confidence[order][good[-1]]) if len(good) else None

    assert misses("exact", 600, naive) > 0.2 * RESAMPLES


def test_audits_count_above_the_confidence_that_they_were_drawn_from_only():
    rng = np.random.default_rng(3)
    confidence = np.concatenate((rng.uniform(0.5, 1.0, 200), rng.uniform(0.9, 1.0, 2000)))
    above = np.concatenate((np.zeros(200), np.full(2000, 0.9)))
    right = np.ones(2200, np.bool_)
    alone = certify(confidence[:200], right[:200], target=0.99)
    both = certify(confidence, right, target=0.99, drawn_above=above)
    assert alone.threshold is None
    assert both.threshold is not None
    assert both.threshold >= 0.9
    assert certify(confidence, right, target=0.99).threshold < 0.6


def test_too_few_labels_certify_nothing_and_say_how_many_more():
    found = certify(np.full(180, 0.9), np.ones(180, np.bool_), target=0.99)
    assert (found.threshold, found.needed) == (None, 119)


def test_a_threshold_is_never_certified_beyond_one_that_failed():
    confidence = np.concatenate((np.full(400, 0.9), np.full(5000, 0.8)))
    right = np.concatenate((np.arange(400) >= 20, np.ones(5000, np.bool_)))
    found = certify(confidence, right, target=0.99)
    assert found.threshold is None
    assert found.stopped is not None
    assert (found.stopped.labels, found.stopped.errors) == (400, 20)


def test_equal_confidences_are_accepted_together_or_not_at_all():
    confidence = np.repeat([0.9, 0.8], 400)
    right = np.concatenate((np.ones(400, np.bool_), np.arange(400) % 2 == 0))
    assert certify(confidence, right, target=0.99).threshold == 0.9
    shuffled = np.random.default_rng(1).permutation(800)
    assert certify(confidence[shuffled], right[shuffled], target=0.99) == certify(
        confidence, right, target=0.99
    )


@given(
    st.integers(0, 20),
    st.floats(0.5, 0.9995),
    st.floats(0.001, 0.5),
)
def test_needed_is_the_least_number_that_passes(errors: int, target: float, miss_rate: float):
    least = labels_needed(Trial(0.5, 0, errors, 1.0), target, miss_rate)
    assert binom.cdf(errors, least, 1 - target) <= miss_rate * (1 + 1e-9)
    assert least == errors + 1 or binom.cdf(errors, least - 1, 1 - target) > miss_rate * (1 - 1e-9)


def test_expected_labels_grow_with_the_error_rate_and_end():
    counts = [labels_expected(Trial(0.5, 1000, errors, 1.0), 0.99, 0.05) for errors in (0, 2, 5, 8)]
    assert counts[0] == 0
    assert all(low < high for low, high in pairwise(counts[1:]))
    assert labels_expected(Trial(0.5, 1000, 10, 1.0), 0.99, 0.05) is None


def test_a_threshold_tested_alone_gives_the_binomial_tail():
    right = np.arange(500) >= 3
    found = trial_at(np.linspace(0.5, 1, 500), right, 0.5, target=0.99)
    assert (found.labels, found.errors) == (500, 3)
    assert found.p_value == pytest.approx(binom.cdf(3, 500, 0.01))


@pytest.mark.parametrize(
    ("confidence", "right", "target", "said"),
    [
        ([0.5], [True], 1.0, "target precision: given 1.0; allowed: above 0 and below 1"),
        ([0.5, 0.4], [True], 0.9, "labels: given 1 for 2 confidences"),
        ([1.5], [True], 0.9, "confidence: given what is no probability"),
        ([np.nan], [True], 0.9, "confidence: given what is no probability"),
    ],
)
def test_what_cannot_be_certified_is_refused(confidence, right, target: float, said: str):
    with pytest.raises(InputError, match=said):
        certify(np.array(confidence), np.array(right), target=target)


def test_no_label_at_all_is_no_error():
    found = certify(np.empty(0), np.empty(0, np.bool_), target=0.99)
    assert (found.threshold, found.needed) == (None, 299)
