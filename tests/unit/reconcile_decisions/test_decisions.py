"""Every proposal is decided, each with a reason."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from workbench.reconcile.certificate import certify
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import decide
from workbench.tables import PROPOSALS


def told(decided: pa.Table) -> list[tuple[str, str]]:
    return list(zip(decided["decision"].to_pylist(), decided["reason"].to_pylist(), strict=True))


@pytest.fixture
def certified(configuration: DecisionConfiguration) -> DecisionConfiguration:
    certificate = certify(np.full(400, 0.9), np.ones(400, np.bool_), target=0.99)
    return configuration.with_certificate(certificate, trained=0.8, trained_on=500)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("accept", "confident")),
        ({"ambiguous": True}, ("review", "ambiguous")),
        ({"calibrated": False}, ("review", "uncalibrated")),
        ({"left_cents": -5_000_001}, ("review", "over_limit")),
        ({"right_cents": 5_000_001}, ("review", "over_limit")),
        ({"confidence": 0.9}, ("review", "below_accept")),
        ({"confidence": 0.04}, ("reject", "below_reject")),
        ({"confidence": 0.04, "ambiguous": True}, ("reject", "below_reject")),
        ({"confidence": 0.04, "calibrated": False}, ("review", "uncalibrated")),
    ],
)
def test_a_proposal_is_decided_for_its_reason(make, certified, given, expected):
    limited = certified.model_copy(
        update={
            "most_cents": 5_000_000,
            "certified": certified.certified.model_copy(update={"most_cents": 5_000_000}),
        }
    )
    proposal = make(1, **({"confidence": 0.9999} | given))
    assert told(decide(proposal, limited)) == [expected]


def test_thresholds_themselves_are_accepted_and_rejected(make, certified):
    at = certified.thresholds()
    decided = decide(make(2, confidence=[at.accept, at.reject]), certified)
    assert told(decided) == [("accept", "confident"), ("reject", "below_reject")]


def test_without_a_certificate_what_would_be_accepted_is_reviewed(make, configuration, certified):
    proposal = make(1, confidence=0.9999)
    assert told(decide(proposal, configuration)) == [("review", "no_certificate")]
    assert told(decide(proposal, certified.with_void("moved"))) == [("review", "certificate_void")]


def test_no_proposal_is_lost_and_the_table_keeps_its_form(make, certified):
    proposals = make(5000)
    decided = decide(proposals, certified)
    assert decided.schema.equals(PROPOSALS)
    assert decided.drop(["decision", "reason"]).equals(proposals.drop(["decision", "reason"]))
    assert Counter(decided["decision"].to_pylist()).keys() == {"accept", "review", "reject"}
    assert decided["reason"].null_count == 0


def test_no_proposal_is_no_error(make, certified):
    assert decide(make(1).slice(0, 0), certified).num_rows == 0


def test_decisions_do_not_depend_on_the_order(make, certified):
    proposals = make(500)
    order = np.random.default_rng(1).permutation(500)
    shuffled = decide(proposals.take(pa.array(order)), certified)
    assert shuffled.equals(decide(proposals, certified).take(pa.array(order)))
