"""Rules find just the pairs that meet them, and one that would explode does not run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.unit.reconcile.conftest import make_world
from workbench.errors import InputError
from workbench.reconcile.blocking import expected_matches, find_candidates, matches_found
from workbench.reconcile.ledgers import read_ledgers
from workbench.reconcile.plan import Blocking, BlockingRule, ReconciliationPlan
from workbench.reconcile.workspace import Workspace

WORLD = make_world(120, seed=5)


@pytest.fixture
def ledgers(workspace: Workspace, plan_for: Callable[..., ReconciliationPlan]) -> Workspace:
    read_ledgers(workspace, plan_for(WORLD.left, WORLD.right))
    return workspace


def candidates(workspace: Workspace) -> set[tuple[str, str]]:
    rows = workspace.rows(
        "select a.id as l, b.id as r from candidates c join left_records a on a.n = c.l "
        "join right_records b on b.n = c.r"
    )
    return {(row["l"], row["r"]) for row in rows}


def cents(text: str) -> Fraction:
    return Fraction(text) * 100


def days(one: str, other: str) -> int:
    return (date.fromisoformat(other) - date.fromisoformat(one)).days


@pytest.mark.parametrize(
    ("rule", "meets"),
    [
        (
            {"prefix": {"text": 3}, "days": [0, 3], "amount": "15%"},
            lambda a, b: (
                a[3][:3] == b[3][:3]
                and 0 <= days(a[1], b[1]) <= 3
                and abs(cents(b[2]) - cents(a[2])) <= cents(a[2]) * Fraction(15, 100)
            ),
        ),
        ({"same": ["amount"]}, lambda a, b: cents(a[2]) == cents(b[2])),
        ({"same": ["text"], "days": [-2, 1]}, lambda a, b: a[3] == b[3] and -2 <= days(a[1], b[1]) <= 1),
        (
            {"days": [-40, 40], "amount": "1%"},
            lambda a, b: (
                abs(days(a[1], b[1])) <= 40
                and abs(cents(b[2]) - cents(a[2])) <= cents(a[2]) * Fraction(1, 100)
            ),
        ),
        ({"prefix": {"text": 6}}, lambda a, b: a[3][:6] == b[3][:6]),
    ],
)
def test_a_rule_finds_the_pairs_that_meet_it_and_no_others(
    ledgers: Workspace, rule: dict[str, Any], meets: Callable[[Any, Any], bool]
):
    find_candidates(ledgers, Blocking(rules=[BlockingRule.model_validate({"name": "r", **rule})]))
    expected = {(a[0], b[0]) for a in WORLD.left for b in WORLD.right if meets(a, b)}
    assert len(expected) > 20
    assert candidates(ledgers) == expected


def test_amounts_at_the_edge_of_a_share_are_decided_to_the_cent(workspace: Workspace, plan_for: Any):
    right = [
        (f"r{n}", "2024-01-01", amount, "X")
        for n, amount in enumerate(["84.99", "85.00", "115.00", "115.01"])
    ]
    plan = plan_for([("l", "2024-01-01", "100.00", "X")], right)
    read_ledgers(workspace, plan)
    find_candidates(workspace, Blocking(rules=[BlockingRule(name="r", same=["text"], amount=0.15)]))
    assert {r for _, r in candidates(workspace)} == {"r1", "r2"}


def test_a_refund_is_no_candidate_of_a_payment(workspace: Workspace, plan_for: Any):
    left = [("p", "2024-01-01", "50.00", "X"), ("m", "2024-01-01", "-50.00", "X")]
    read_ledgers(
        workspace, plan_for(left, [("r", "2024-01-01", "-50.00", "X"), ("s", "2024-01-01", "50.00", "X")])
    )
    find_candidates(workspace, Blocking(rules=[BlockingRule(name="r", same=["text"], amount=0.15)]))
    assert candidates(workspace) == {("p", "s"), ("m", "r")}


def test_currencies_part_under_every_rule_unless_one_is_unknown(workspace: Workspace, plan_for: Any):
    header = ("id", "day", "amount", "memo", "money")
    columns = {"id": "id", "date": "day", "amount": "amount", "text": "memo", "currency": "money"}
    rows = [("e", "2024-01-01", "5", "X", "EUR"), ("g", "2024-01-01", "5", "X", "GBP")]
    plan = plan_for(rows, [*rows, ("u", "2024-01-01", "5", "X", None)], header=header, columns=columns)
    read_ledgers(workspace, plan)
    find_candidates(workspace, Blocking(rules=[BlockingRule(name="r", same=["amount"])]))
    assert candidates(workspace) == {("e", "e"), ("g", "g"), ("e", "u"), ("g", "u")}


def test_a_missing_text_is_like_no_other(workspace: Workspace, plan_for: Any):
    rows = [("a", "2024-01-01", "5", None), ("b", "2024-01-01", "5", "X")]
    read_ledgers(workspace, plan_for(rows, rows))
    find_candidates(workspace, Blocking(rules=[BlockingRule(name="r", same=["text"])]))
    assert candidates(workspace) == {("b", "b")}


def test_pairs_of_two_rules_are_candidates_once_and_counted_for_each(ledgers: Workspace):
    one = BlockingRule(name="amount", same=["amount"])
    other = BlockingRule(name="text", same=["text"])
    counts = find_candidates(ledgers, Blocking(rules=[one, other]))
    together = ledgers.rows("select count(*) as count, sum(rules) as found from candidates")[0]
    assert counts[0].new_pairs == counts[0].pairs
    assert 0 < counts[1].new_pairs < counts[1].pairs
    assert counts[0].new_pairs + counts[1].new_pairs == together["count"]
    assert counts[0].pairs + counts[1].pairs == together["found"]


def test_an_exploding_rule_is_stopped_before_it_runs(ledgers: Workspace):
    wide = Blocking(rules=[BlockingRule(name="wide", prefix={"text": 1})], most_pairs=5)
    found = sum(a[3][0] == b[3][0] for a in WORLD.left for b in WORLD.right)
    with pytest.raises(InputError, match=rf"'wide': given about {found:,} pairs, .*5 a record.*has not run"):
        find_candidates(ledgers, wide)
    assert ledgers.rows("select count(*) as count from found")[0]["count"] == 0


def test_a_limit_is_of_pairs_that_meet_the_rule_not_of_buckets(ledgers: Workspace):
    """The bucket join yields several times as many pairs; the rule itself stays within the limit."""
    rule = BlockingRule(name="near", days=(0, 30), amount=0.01)
    count = find_candidates(ledgers, Blocking(rules=[rule], most_pairs=10_000))[0].pairs
    assert find_candidates(ledgers, Blocking(rules=[rule], most_pairs=1.3 * count / len(WORLD.left)))


def test_known_matches_are_counted_by_rule(ledgers: Workspace):
    numbers = [
        {row["id"]: row["n"] for row in ledgers.rows(f"select id, n from {side}_records")}
        for side in ("left", "right")
    ]
    blocking = Blocking(
        rules=[BlockingRule(name="amount", same=["amount"]), BlockingRule(name="text", same=["text"])]
    )
    find_candidates(ledgers, blocking)
    left = np.array([numbers[0][one] for one, _ in WORLD.pairs])
    right = np.array([numbers[1][other] for _, other in WORLD.pairs])
    rows = [
        ({row[0]: row for row in WORLD.left}[a], {row[0]: row for row in WORLD.right}[b])
        for a, b in WORLD.pairs
    ]
    amount, text = ([a[column] == b[column] for a, b in rows] for column in (2, 3))
    each, anyone = matches_found(ledgers, blocking, left, right)
    assert each == [sum(amount), sum(text)]
    assert anyone == sum(one or other for one, other in zip(amount, text, strict=True))


def test_expected_matches_of_a_rule_are_those_of_its_own_pairs(ledgers: Workspace):
    rules = [BlockingRule(name="amount", same=["amount"]), BlockingRule(name="text", same=["text"])]
    counts = find_candidates(ledgers, Blocking(rules=rules))
    size = ledgers.rows("select count(*) as count from candidates")[0]["count"]
    found = expected_matches(ledgers, Blocking(rules=rules), np.full(size, 0.5))
    assert found == [0.5 * rule.pairs for rule in counts]
