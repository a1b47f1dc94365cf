"""A changed share of matches is noticed without labels, and corrected for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from workbench.errors import InputError
from workbench.reconcile.observed import observed_calibration
from workbench.reconcile.shift import ShiftAlarm, carry_over, prior_shift

TRAINED = 0.8


def draw(count: int, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw confidences that are exact where the share of matches is 0.8, at another share."""
    right = rng.random(count) < share
    score = np.where(right, rng.normal(3, 1.5, count), rng.normal(-3, 2, count))
    match, other = TRAINED * norm.pdf(score, 3, 1.5), (1 - TRAINED) * norm.pdf(score, -3, 2)
    return match / (match + other), right


def test_match_rate_cut_to_a_fifth_is_corrected_and_raises_the_alarm():
    confidence, right = draw(12_000, TRAINED / 5, np.random.default_rng(11))
    shift = prior_shift(confidence, trained=TRAINED)
    before = observed_calibration(confidence, right)
    after = observed_calibration(shift.correct(confidence), right)
    assert shift.alarm
    assert shift.low < TRAINED / 5 < shift.high
    assert before.ece > 0.05
    assert after.ece <= 0.005
    assert not after.off


def test_a_share_that_stays_raises_the_alarm_no_more_often_than_stated():
    rng = np.random.default_rng(5)
    alarm = ShiftAlarm(level=0.05, tolerance=0.0)
    raised = sum(
        prior_shift(draw(1500, TRAINED, rng)[0], trained=TRAINED, alarm=alarm).alarm for _ in range(400)
    )
    # At just 5 % more than 35 of 400 would come in 1 of 1000 tests.
    assert raised <= binom.isf(0.001, 400, 0.05)


def test_the_share_trained_on_is_itself_uncertain():
    confidence, _ = draw(3000, 0.76, np.random.default_rng(2))
    alarm = ShiftAlarm(level=0.01, tolerance=0.0)
    assert prior_shift(confidence, trained=TRAINED, alarm=alarm).alarm
    assert not prior_shift(confidence, trained=TRAINED, trained_on=300, alarm=alarm).alarm


def test_the_estimate_is_that_of_the_highest_likelihood():
    confidence, _ = draw(800, 0.3, np.random.default_rng(4))
    found = prior_shift(confidence, trained=TRAINED)
    shares = np.linspace(0.001, 0.999, 9981)[:, None]
    likelihood = np.log(shares * confidence / TRAINED + (1 - shares) * (1 - confidence) / (1 - TRAINED)).sum(
        1
    )
    assert found.estimated == pytest.approx(shares[np.argmax(likelihood), 0], abs=2e-4)


def test_correcting_is_bayes_rule():
    # Odds 9 to 1 at even odds of a match; at odds 1 to 4 they are 9 to 4.
    assert carry_over(np.array([0.9]), trained=0.5, now=0.2)[0] == pytest.approx(9 / 13)


def test_sure_confidences_stay_sure():
    sure = np.array([0.0, 1.0, 0.5])
    found = prior_shift(np.repeat(sure, 100), trained=0.5)
    assert np.isfinite(found.correct(sure)).all()
    assert found.correct(sure)[:2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_of_one_kind_gives_a_share_and_no_error(value: float):
    found = prior_shift(np.full(500, value), trained=0.5)
    assert found.estimated == pytest.approx(value, abs=1e-6)
    assert found.alarm


def test_the_order_of_the_rows_does_not_matter():
    confidence, _ = draw(1000, 0.5, np.random.default_rng(8))
    shuffled = np.random.default_rng(1).permutation(confidence)
    assert prior_shift(confidence, trained=TRAINED) == prior_shift(shuffled, trained=TRAINED)


@pytest.mark.parametrize(
    ("confidence", "trained", "said"),
    [
        ([], 0.5, "proposals: given none"),
        ([0.5], 0.0, "trained share: given 0.0"),
        ([0.5], 1.0, "trained share"),
    ],
)
def test_what_cannot_be_estimated_is_refused(confidence, trained: float, said: str):
    with pytest.raises(InputError, match=said):
        prior_shift(np.array(confidence), trained=trained)
