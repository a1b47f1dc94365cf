"""Calibrators and bands against scikit-learn and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from workbench.errors import InputError
from workbench.reconcile.calibration import (
    LEAST,
    Isotonic,
    Sigmoid,
    Uncalibrated,
    choose_calibrator,
    fit_isotonic,
    fit_sigmoid,
)
from workbench.reconcile.venn_abers import VennAbers


def drawn(
    count: int, *, slope: float, intercept: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores whose true log odds are a line of theirs, labels, and folds."""
    rng = np.random.default_rng(seed)
    score = expit(rng.normal(0, 2, count))
    right = rng.random(count) < expit(slope * logit(score) + intercept)
    return score[:, None], right, np.arange(count) % 5


def test_the_sigmoid_finds_the_line_that_labels_were_drawn_from():
    scores, right, _ = drawn(20_000, slope=1.7, intercept=-0.8, seed=1)
    found = fit_sigmoid(scores, right)
    assert found.slopes[0] == pytest.approx(1.7, abs=0.1)
    assert found.intercept == pytest.approx(-0.8, abs=0.1)


def test_a_perfect_separation_has_a_finite_sigmoid():
    scores = np.array([[0.1]] * 50 + [[0.9]] * 50)
    found = fit_sigmoid(scores, np.repeat([False, True], 50))
    assert 1 < found.slopes[0] < 20
    assert abs(found.intercept) < 1


def test_one_kind_of_labels_moves_the_sigmoid_but_keeps_the_order():
    found = fit_sigmoid(np.array([[0.9], [0.95], [0.99]] * 50), np.ones(150, np.bool_))
    assert found.slopes[0] > 0.5
    assert found(np.array([[0.9]]))[0] > 0.9


@pytest.mark.parametrize(
    ("slope", "intercept", "kind"), [(1.0, 0.0, {Uncalibrated, Sigmoid}), (2.0, 1.0, {Sigmoid})]
)
def test_what_labels_were_drawn_from_is_chosen(slope: float, intercept: float, kind: set[type]):
    chosen = choose_calibrator(*drawn(4_000, slope=slope, intercept=intercept, seed=2))
    assert type(chosen.calibrator) in kind
    assert set(chosen.log_losses) == {"none", "sigmoid", "isotonic"}


def test_a_staircase_is_chosen_where_no_sigmoid_fits():
    rng = np.random.default_rng(3)
    score = rng.random(8_000)
    right = rng.random(8_000) < np.where(score < 0.3, 0.02, np.where(score < 0.7, 0.5, 0.98))
    chosen = choose_calibrator(score[:, None], right, np.arange(8_000) % 5)
    assert isinstance(chosen.calibrator, Isotonic)


def test_few_labels_try_no_staircase():
    assert "isotonic" not in choose_calibrator(*drawn(300, slope=1, intercept=0, seed=4)).log_losses


def test_a_staircase_promises_no_more_than_its_labels_can_tell():
    found = fit_isotonic(np.linspace(0.01, 0.99, 98)[:, None], np.arange(98) > 49)
    low, high = found(np.array([[0.0], [1.0]]))
    assert (low, high) == pytest.approx((0.01, 0.99))


def test_labels_of_one_kind_are_refused():
    with pytest.raises(InputError, match="given 5 that match and 0 that do not; allowed: some of both"):
        choose_calibrator(np.full((5, 1), 0.5), np.ones(5, np.bool_), np.arange(5))


def test_certain_scores_stay_finite():
    scores = np.array([[0.0], [1.0]])
    assert np.isfinite(fit_sigmoid(scores, np.array([False, True]))(scores)).all()
    np.testing.assert_allclose(Uncalibrated()(scores), [LEAST, 1 - LEAST])


@pytest.mark.parametrize("ties", [True, False])
def test_bands_are_those_of_two_isotonic_fits(ties: bool):
    """The definition: fit with the new score as a non-match and as a match, and read both there."""
    rng = np.random.default_rng(5)
    scores = rng.random(150)
    scores = np.round(scores, 1) if ties else scores
    right = rng.random(150) < scores
    new = np.concatenate((np.linspace(-0.05, 1.05, 41), scores[:20]))
    low, high = VennAbers.fit(scores, right)(new)
    for place, score in enumerate(new):
        for label, found in ((0.0, low[place]), (1.0, high[place])):
            fitted = IsotonicRegression().fit(np.append(scores, score), np.append(right, label))
            assert found == pytest.approx(float(fitted.predict([score])[0]), abs=1e-9)


def test_a_band_is_wider_where_fewer_labels_lie():
    rng = np.random.default_rng(6)
    scores = np.concatenate((rng.uniform(0.9, 1.0, 2_000), rng.uniform(0.0, 0.9, 20)))
    low, high = VennAbers.fit(scores, rng.random(2_020) < scores)(np.array([0.4, 0.95]))
    assert (high - low)[0] > 3 * (high - low)[1]
