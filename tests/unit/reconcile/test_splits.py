"""Split payments are found to the cent, and one that is not unique is never preferred."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reconcile.ledgers import read_ledgers
from workbench.reconcile.splits import SplitFinding, add_splits, subset_sums
from workbench.reconcile.workspace import Workspace
from workbench.tables import PROPOSALS

HEADER = ("id", "day", "amount", "memo", "ref")
COLUMNS = {"id": "id", "date": "day", "amount": "amount", "text": "memo", "reference": "ref"}
NOTHING = pa.Table.from_pylist([], schema=PROPOSALS)


@pytest.fixture
def split(workspace: Workspace, plan_for: Any) -> Any:
    """Return a function that seeks splits among these rows."""

    def do(
        left: Any, right: Any, proposals: pa.Table = NOTHING, **limits: Any
    ) -> tuple[list[Any], SplitFinding]:
        plan = plan_for(
            left,
            right,
            header=HEADER,
            columns=COLUMNS,
            splits={"key": "reference", "days": [0, 10], **limits},
        )
        read_ledgers(workspace, plan)
        table, found = add_splits(workspace, plan, proposals)
        return table.to_pylist(), found

    return do


def row(name: str, amount: str, ref: str | None = "A", day: str = "2024-01-05") -> tuple[Any, ...]:
    return (name, day, amount, "x", ref)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=9), st.integers(2, 120), st.integers(2, 5))
def test_subsets_are_those_of_the_enumeration(cents: list[int], wanted: int, most: int):
    places = range(len(cents))
    every = [some for size in range(2, most + 1) for some in combinations(places, size)]
    expected = {some for some in every if sum(cents[place] for place in some) == wanted}
    found = subset_sums(cents, wanted, most_parts=most)
    assert set(found.exact) <= expected
    assert len(found.exact) == min(2, len(expected))
    reach = max(1, int(wanted * 0.05))
    near = sum(0 < abs(sum(cents[place] for place in some) - wanted) <= reach for some in every)
    assert found.near == near


def test_a_payment_in_parts_is_found_with_all_its_parts(split: Any):
    rows, found = split(
        [row("inv", "100.00")],
        [row("a", "30.10"), row("b", "69.90"), row("c", "50.00"), row("d", "69.90", "B")],
    )
    (only,) = rows
    assert (only["kind"], only["left_ids"], only["right_ids"]) == ("split", ["inv"], ["a", "b"])
    assert only["left_cents"] == only["right_cents"] == 10_000
    assert only["ambiguous"] is False
    assert only["calibrated"] is False
    assert found == SplitFinding(found=1)


def test_several_on_the_left_may_be_one_on_the_right(split: Any):
    rows, _ = split(
        [row("a", "30.10", day="2024-01-01"), row("b", "69.90", day="2024-01-02")],
        [row("bank", "100.00", day="2024-01-05")],
    )
    assert [(one["left_ids"], one["right_ids"]) for one in rows] == [(["a", "b"], ["bank"])]
    assert rows[0]["date"].isoformat() == "2024-01-02"


@pytest.mark.parametrize(
    "right",
    [
        [row("a", "30.10"), row("b", "69.91")],  # a cent off
        [row("a", "30.10"), row("b", "69.90", "B")],  # another key
        [row("a", "30.10"), row("b", "69.90", None)],  # no key
        [row("a", "30.10"), row("b", "69.90", day="2024-02-05")],  # too late
        [row("a", "100.00")],  # not in parts
        [row("a", "130.10"), row("b", "-30.10")],  # a payment and a refund
    ],
)
def test_what_is_no_split_is_not_proposed(split: Any, right: Any):
    rows, found = split([row("inv", "100.00")], right)
    assert rows == []
    assert found.found == 0


def test_two_sums_that_agree_are_ambiguous_and_less_sure(split: Any):
    rows, found = split([row("inv", "10.00")], [row("a", "4.00"), row("b", "6.00"), row("c", "6.00")])
    (only,) = rows
    assert only["ambiguous"] is True
    assert only["confidence"] <= 0.5
    assert found.ambiguous == 1


def test_records_that_two_splits_claim_make_them_ambiguous(split: Any):
    rows, _ = split([row("one", "10.00"), row("two", "10.00")], [row("a", "4.00"), row("b", "6.00")])
    (only,) = rows
    assert only["ambiguous"] is True
    assert {only["left_ids"][0], only["rival_left_id"]} == {"one", "two"}


def test_a_pool_beyond_the_limit_is_counted_not_tried(split: Any):
    rows, found = split([row("inv", "10.00")], [row(f"p{n}", f"{n + 1}.00") for n in range(9)], most_pool=5)
    assert rows == []
    assert found.too_large == 1


def proposal(left: str, right: str, confidence: float) -> dict[str, Any]:
    return {
        "proposal_id": "p",
        "kind": "one_to_one",
        "left_ids": [left],
        "right_ids": [right],
        "left_cents": 1,
        "right_cents": 1,
        "confidence": confidence,
        "calibrated": True,
        "ambiguous": False,
        "rule": "r",
        "rules": 1,
    }


@pytest.mark.parametrize(("confidence", "kinds"), [(0.9, ["one_to_one"]), (0.1, ["split"])])
def test_a_split_gives_way_to_a_good_pair_and_replaces_a_weak_one(
    split: Any, confidence: float, kinds: list[str]
):
    known = pa.Table.from_pylist([proposal("inv", "a", confidence)], schema=PROPOSALS)
    rows, _ = split([row("inv", "10.00")], [row("a", "4.00"), row("b", "6.00")], known)
    assert [one["kind"] for one in rows] == kinds
