"""Which labels earn a certificate."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.unit.reconcile_decisions.proposals import NOON
from workbench.reconcile.case_book import Cases
from workbench.reconcile.cases import CaseVerdict, GivenVerdict
from workbench.reconcile.certificate import certify
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import decide
from workbench.reconcile.earning import certified, earn, sample_of
from workbench.reconcile.results import Origin
from workbench.reconcile.review import new_cases
from workbench.reconcile.truth import truth_of


@pytest.fixture
def holding(configuration: DecisionConfiguration) -> DecisionConfiguration:
    certificate = certify(np.full(400, 0.9), np.ones(400, np.bool_), target=0.99)
    return configuration.with_certificate(certificate, trained=0.9, trained_on=500)


@pytest.fixture
def reviewed(make, holding, book):
    """Decide ten reviews and ten audits of proposals that carry no label."""
    proposals = decide(make(1000, labelled=False, seed=5), holding)
    cases = Cases(book)
    cases.open(new_cases(proposals, holding, seed=1), at=NOON)
    for origin in (Origin.REVIEW, Origin.AUDIT):
        for case in [one for one in cases.listed() if one.origin is origin][:10]:
            given = GivenVerdict(CaseVerdict.ACCEPT, (), (), True, "anna", NOON, "")
            cases.decide(case.case_id, given)
    return proposals, cases.listed(decided=True)


def test_audits_count_from_where_they_were_drawn_and_reviews_do_not(reviewed, holding):
    proposals, cases = reviewed
    sample = sample_of(proposals, truth_of(proposals), holding, cases=cases)
    assert len(sample.confidence) == 10
    assert set(sample.drawn_above) == {holding.thresholds().accept}
    assert sample.trial_at(0.5, target=0.99).labels == 0
    assert sample.trial_at(holding.thresholds().accept, target=0.99).labels == 10


def test_an_audit_of_a_proposal_that_is_labelled_already_counts_once(reviewed, holding):
    proposals, cases = reviewed
    labelled = proposals.set_column(
        proposals.schema.get_field_index("truth"), "truth", [[True] * proposals.num_rows]
    )
    sample = sample_of(labelled, truth_of(labelled), holding, cases=cases)
    assert len(sample.confidence) == proposals.num_rows


def test_verdicts_from_before_a_retraining_do_not_count(reviewed, holding):
    proposals, cases = reviewed
    later = NOON + timedelta(minutes=1)
    assert len(sample_of(proposals, truth_of(proposals), holding, cases=cases, since=later).confidence) == 0


def test_what_is_never_accepted_unseen_earns_nothing(make, holding):
    proposals = make(
        400,
        truth=True,
        ambiguous=[True] * 100 + [False] * 300,
        calibrated=[True] * 100 + [False] * 100 + [True] * 200,
        left_cents=[100] * 200 + [-9_999_999] * 100 + [100] * 100,
        right_cents=100,
    )
    limited = holding.model_copy(update={"most_cents": 10_000})
    assert len(sample_of(proposals, truth_of(proposals), limited).confidence) == 100
    assert len(sample_of(proposals, truth_of(proposals), holding).confidence) == 200


def test_the_share_trained_on_is_that_of_all_that_are_labelled_at_random(make, holding):
    proposals = make(400, truth=[True] * 300 + [False] * 100, confidence=0.75)
    truth = truth_of(proposals)
    sample = sample_of(proposals, truth, holding)
    found = certified(holding, earn(sample, holding), truth, sample)
    assert found.certified is None  # a precision of 75 % certifies nothing
    right = make(400, truth=True, confidence=0.99)
    truth = truth_of(right)
    sample = sample_of(right, truth, holding)
    found = certified(holding, earn(sample, holding), truth, sample).certified
    assert (found.trained, found.trained_on) == (400.5 / 401, 400)


def test_audits_alone_leave_the_share_as_it_was(reviewed, holding):
    proposals, cases = reviewed
    truth = truth_of(proposals)
    sample = sample_of(proposals, truth, holding, cases=cases)
    certificate = certify(np.full(400, 0.9), np.ones(400, np.bool_), target=0.99)
    found = certified(holding, certificate, truth, sample).certified
    assert (found.trained, found.trained_on) == (0.9, 500)
