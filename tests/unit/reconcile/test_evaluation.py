"""Measures of proposals against closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from workbench.errors import InputError
from workbench.reconcile.evaluation import calibration, ece, ece_floor, log_loss, match_quality, reliability

LEVEL = 1e-4


def test_brier_and_log_loss_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    confidence = rng.random(500)
    right = rng.random(500) < confidence
    found = calibration(confidence, right, rng)
    assert found.brier == pytest.approx(metrics.brier_score_loss(right, confidence), rel=1e-12)
    assert found.log_loss == pytest.approx(metrics.log_loss(right, confidence), rel=1e-12)


def test_a_constant_error_is_the_ece():
    right = np.repeat([True, False], [600, 400])
    assert ece(np.full(1000, 0.7), right) == pytest.approx(0.1, abs=1e-12)


def test_ece_depends_on_no_order_among_equal_confidences():
    rng = np.random.default_rng(2)
    confidence = np.round(rng.random(997), 1)
    right = rng.random(997) < 0.5
    order = rng.permutation(997)
    assert ece(confidence, right) == pytest.approx(ece(confidence[order], right[order]), abs=1e-12)


def test_bins_hold_every_proposal_once():
    rng = np.random.default_rng(3)
    found = reliability(rng.random(1001), rng.random(1001) < 0.5)
    assert found.count.sum() == 1001
    assert found.count.max() - found.count.min() <= 1
    assert (np.diff(found.confidence) > 0).all()


def test_the_floor_is_the_mean_absolute_deviation_of_a_coin():
    """One bin of n fair coins: E|mean - 1/2| is sqrt(1 / (2 pi n)) to first order."""
    n = 400
    floor = ece_floor(np.full(n, 0.5), np.random.default_rng(4))
    expected = np.sqrt(1 / (2 * np.pi * n))
    spread = 0.5 / np.sqrt(n) * np.sqrt(1 - 2 / np.pi) / np.sqrt(200)
    assert abs(floor - expected) < 4 * spread


def test_certainty_that_is_wrong_is_finite():
    assert np.isfinite(log_loss(np.array([1.0]), np.array([False])))


def test_what_blocking_lost_counts_as_missed():
    found = match_quality(np.array([0.9, 0.8, 0.2]), np.array([True, False, True]), true_matches=4)
    assert (found.proposed, found.right) == (2, 1)
    assert found.precision == 0.5
    assert found.recall == 0.25
    assert found.f1 == pytest.approx(2 * 0.5 * 0.25 / 0.75)


def test_nothing_to_measure_is_refused():
    with pytest.raises(InputError, match="given 0 confidences"):
        ece(np.array([]), np.array([], dtype=bool))
