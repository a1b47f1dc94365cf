"""What a threshold would do, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.reconcile.certificate import certify
from workbench.reconcile.intervals import share_of
from workbench.reconcile.outlook import outlook
from workbench.reconcile.reviewers import Inflow
from workbench.reconcile.thresholds import Source, Thresholds
from workbench.reconcile.truth import truth_of


def at(accept: float | None, reject: float = 0.04) -> Thresholds:
    return Thresholds(accept, Source.HAND, reject, Source.COSTS)


def test_shares_errors_and_reviews_are_those_counted(make, configuration):
    confidence = [0.999] * 600 + [0.9] * 200 + [0.5] * 150 + [0.01] * 50
    right = [True] * 597 + [False] * 3 + [True] * 180 + [False] * 220
    proposals = make(1000, confidence=confidence, truth=right)
    given = configuration.model_copy(update={"inflow": Inflow(per_day=2000), "audit_share": 0.1})
    truth = truth_of(proposals)
    strict = outlook(proposals, given, truth=truth, thresholds=at(0.99))
    assert (strict.accepted.value, strict.rejected.value, strict.automatic.value) == (0.6, 0.05, 0.65)
    assert strict.errors.per_10k.value == pytest.approx(30)
    assert strict.audits_per_day == pytest.approx(2000 * 0.6 * 0.1)
    assert strict.reviews_per_day.value == pytest.approx(2000 * 0.35 + 120)
    assert strict.missed_per_10k == pytest.approx(50 * 0.01 / 1000 * 10_000)
    bounds = share_of(3, 1000)
    assert strict.errors.per_10k.low == pytest.approx(bounds.low * 10_000)
    assert strict.errors.per_10k.high == pytest.approx(bounds.high * 10_000)


def test_more_errors_are_those_between_the_two_thresholds(make, configuration):
    confidence = [0.999] * 600 + [0.9] * 400
    right = [True] * 595 + [False] * 5 + [True] * 380 + [False] * 20
    proposals = make(1000, confidence=confidence, truth=right)
    certificate = certify(np.full(400, 0.99), np.ones(400, np.bool_), target=0.99)
    now = configuration.with_certificate(certificate, trained=0.9, trained_on=1000)
    truth = truth_of(proposals)
    looser = outlook(proposals, now, truth=truth, thresholds=at(0.9))
    assert looser.errors.more.value == pytest.approx(200)
    assert looser.errors.more.low == pytest.approx(share_of(20, 1000).low * 10_000)
    none = outlook(proposals, now, truth=truth, thresholds=at(None))
    assert none.errors.more.value == pytest.approx(-50)
    same = outlook(proposals, now, truth=truth)
    assert (same.errors.more.value, same.errors.more.low, same.errors.more.high) == (0, 0, 0)


def test_without_labels_errors_are_expected_from_confidences_and_bands(make, configuration):
    proposals = make(
        200, labelled=False, confidence=0.98, confidence_low=0.95, confidence_high=[0.99] * 100 + [None] * 100
    )
    found = outlook(proposals, configuration, truth=truth_of(proposals), thresholds=at(0.9))
    assert found.errors.basis == "confidences"
    assert found.errors.per_10k.value == pytest.approx(200)
    assert found.errors.per_10k.low == pytest.approx(150)
    assert found.errors.per_10k.high == pytest.approx(500)


def test_a_lower_threshold_accepts_more_and_leaves_less_to_review(make, configuration):
    proposals = make(3000)
    truth = truth_of(proposals)
    found = [
        outlook(proposals, configuration, truth=truth, thresholds=at(t)) for t in (0.999, 0.99, 0.9, 0.5)
    ]
    accepted = [one.accepted.value for one in found]
    errors = [one.errors.per_10k.value for one in found]
    assert accepted == sorted(accepted)
    assert errors == sorted(errors)


def test_proposals_a_day_are_counted_on_their_dates(make, configuration):
    proposals = make(1000)  # on ten dates
    found = outlook(proposals, configuration, truth=truth_of(proposals), thresholds=at(None))
    assert found.reviews_per_day.value == pytest.approx(100 * (1 - found.rejected.value))


def test_no_proposal_has_no_outlook(make, configuration):
    with pytest.raises(InputError, match="proposals: given none"):
        outlook(make(1).slice(0, 0), configuration, truth=truth_of(make(1).slice(0, 0)))
