"""Thresholds: what is cheapest, what is certified, and the stricter of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.documents import check
from workbench.errors import DocumentError
from workbench.reconcile.certificate import certify
from workbench.reconcile.configuration import DecisionConfiguration, Promise
from workbench.reconcile.costs import Costs
from workbench.reconcile.thresholds import Source, strictest

amounts = st.floats(0.01, 1e6)


def test_costs_give_the_known_thresholds():
    costs = Costs(review=4, wrong=400, missed=100)
    assert costs.accept == pytest.approx(1 - 4 / 400)
    assert costs.reject == pytest.approx(4 / 100)


@given(amounts, amounts, amounts, st.floats(0, 1))
def test_no_other_decision_is_cheaper(review: float, wrong: float, missed: float, confidence: float):
    costs = Costs(review=review, wrong=wrong, missed=missed)
    expected = {"accept": (1 - confidence) * wrong, "reject": confidence * missed, "review": review}
    decided = "accept" if confidence >= costs.accept else "reject" if confidence <= costs.reject else "review"
    assert expected[decided] <= min(expected.values()) * (1 + 1e-9) + 1e-9


def test_a_review_dearer_than_any_mistake_is_never_made():
    costs = Costs(review=1000, wrong=100, missed=100)
    assert costs.accept == costs.reject == 0.5


def test_the_stricter_of_costs_and_certificate_wins():
    costs = Costs(review=10, wrong=100, missed=50)
    assert strictest(costs, certified=0.95).accept == 0.95
    assert strictest(costs, certified=0.95).accept_from is Source.CERTIFICATE
    assert strictest(costs, certified=0.8).accept == pytest.approx(0.9)
    assert strictest(costs, certified=0.8).accept_from is Source.COSTS


def test_a_hand_can_only_be_stricter():
    costs = Costs(review=10, wrong=100, missed=50)
    assert strictest(costs, certified=0.8, accept=0.5, reject=0.5).accept_from is Source.COSTS
    strict = strictest(costs, certified=0.8, accept=0.99, reject=0.01)
    assert (strict.accept, strict.accept_from, strict.reject, strict.reject_from) == (
        0.99,
        Source.HAND,
        0.01,
        Source.HAND,
    )


def test_without_a_certificate_nothing_is_accepted(configuration: DecisionConfiguration):
    assert configuration.thresholds().accept is None
    assert configuration.thresholds().accept_from is Source.NO_CERTIFICATE


def certified(configuration: DecisionConfiguration) -> DecisionConfiguration:
    certificate = certify(np.full(400, 0.9), np.ones(400, np.bool_), target=0.99)
    return configuration.with_certificate(certificate, trained=0.8, trained_on=500)


def test_a_certificate_counts_until_it_is_voided(configuration: DecisionConfiguration):
    holding = certified(configuration)
    assert holding.thresholds().accept == holding.costs.accept
    assert holding.with_void("moved").thresholds().accept_from is Source.CERTIFICATE_VOID


def test_a_certificate_of_less_than_is_now_promised_does_not_count(configuration: DecisionConfiguration):
    holding = certified(configuration)
    stricter = holding.model_copy(update={"promise": Promise(target=0.995)})
    surer = holding.model_copy(update={"promise": Promise(miss_rate=0.01)})
    wider = holding.model_copy(update={"most_cents": 10_000})
    assert [one.thresholds().accept for one in (stricter, surer, wider)] == [None, None, None]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"costs": {"review": 1, "wrong": 0, "missed": 1}}, "costs.wrong: given 0; allowed: greater than 0"),
        ({"costs": {"review": 1, "wrong": 1}}, "costs.missed: given nothing; allowed: a value"),
        ({"costs": {"review": -1, "wrong": 1, "missed": 1}}, "costs.review: given -1"),
        ({"costs": {"review": 1, "wrong": float("inf"), "missed": 1}}, "costs.wrong: given inf"),
        (
            {"costs": {"review": 1, "wrong": 1e300, "missed": 1e-9}},
            "costs: given .*; allowed: costs that differ",
        ),
        (
            {"costs": {"review": 1, "wrong": 1, "missed": 1}, "promise": {"target": 99}},
            "promise.target: given 99",
        ),
        ({"costs": {"review": 1, "wrong": 1, "missed": 1}, "reviewer": {}}, "did you mean reviewers"),
        (
            {
                "costs": {"review": 1, "wrong": 1, "missed": 1},
                "reviewers": {"hours": {"start": "17h", "end": "9h"}},
            },
            "a shift that ends after it starts",
        ),
        (
            {"costs": {"review": 1, "wrong": 1, "missed": 1}, "reviewers": {"service": {"kind": "normal"}}},
            "reviewers.service.kind: given 'normal'; allowed: one of",
        ),
    ],
)
def test_what_a_configuration_does_not_allow_is_named(tmp_path, content, said: str):
    with pytest.raises(DocumentError, match=said):
        check(content, DecisionConfiguration, name="configuration", folder=tmp_path)
