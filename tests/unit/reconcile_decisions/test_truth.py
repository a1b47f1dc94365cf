"""What labels say of proposals."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.reconcile_decisions.proposals import NOON
from workbench.reconcile.merging import merge_labels
from workbench.reconcile.results import LABELS, Origin
from workbench.reconcile.truth import RANDOM, truth_of


def labels(*rows: tuple) -> pa.Table:
    """Give labels of (left, right, verdict, origin, minute), several records with spaces between."""
    made = [
        {
            "left_ids": left.split(),
            "right_ids": right.split(),
            "verdict": verdict,
            "origin": origin,
            "at": None if minute is None else NOON + timedelta(minutes=minute),
            "by": "anna",
            "confidence": 0.9,
            "drawn_above": 0.95 if origin == "audit" else None,
        }
        for left, right, verdict, origin, minute in rows
    ]
    return pa.Table.from_pylist(made, schema=LABELS)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (("L0", "R0", "match", "labelled", None), {0: True}),
        (("L0", "R1", "match", "labelled", None), {0: False, 1: False}),
        (("L0", "", "match", "labelled", None), {0: False}),
        (("", "R2", "match", "labelled", None), {2: False}),
        (("L0", "R0", "no_match", "labelled", None), {0: False}),
        (("L0", "R1", "no_match", "labelled", None), {}),
        (("L0", "R0 R1", "match", "labelled", None), {0: False, 1: False}),
        (("X", "Y", "match", "labelled", None), {}),
        (("L0", "R0", "match", "review", None), {}),
    ],
)
def test_a_label_speaks_of_every_proposal_of_its_records(make, label, expected):
    found = truth_of(make(3, labelled=False), labels(label))
    assert {int(n): bool(found.right[n]) for n in np.flatnonzero(found.known)} == expected


def test_a_split_is_right_only_as_a_whole(make):
    split = make(1, labelled=False, right_ids=[["R0", "R1"]])
    assert truth_of(split, labels(("L0", "R1 R0", "match", "labelled", None))).right.tolist() == [True]
    assert truth_of(split, labels(("L0", "R0", "match", "labelled", None))).right.tolist() == [False]


@pytest.mark.parametrize(("later", "right"), [("match", True), ("no_match", False)])
def test_the_latest_label_counts_and_the_contradiction_is_told(make, later: str, right: bool):
    earlier = "no_match" if later == "match" else "match"
    said = [("L0", "R0", later, "audit", 5), ("L0", "R0", earlier, "audit", 3)]
    for order in (said, said[::-1]):
        found = truth_of(make(2), labels(*order))
        assert (found.right[0], found.contradicted, found.drawn_above[0]) == (right, 1, 0.95)


def test_only_origins_asked_for_count(make):
    both = labels(("L0", "R0", "match", "review", 1), ("L1", "R1", "match", "audit", 1))
    assert truth_of(make(2, labelled=False), both, origins=RANDOM).known.tolist() == [False, True]
    assert truth_of(make(2, labelled=False), both, origins=(Origin.REVIEW,)).known.tolist() == [True, False]


def test_a_label_wins_over_the_proposals_own_truth(make):
    proposals = make(1, truth=True)
    assert truth_of(proposals).right.tolist() == [True]
    assert truth_of(proposals, labels(("L0", "R0", "no_match", "labelled", 1))).right.tolist() == [False]


def rows(table: pa.Table) -> list[tuple]:
    return [
        (" ".join(row["left_ids"]), " ".join(row["right_ids"]), row["verdict"], row["origin"])
        for row in table.to_pylist()
    ]


def test_the_review_wins_over_labels_from_outside_and_the_later_over_the_earlier():
    outside = labels(
        ("L0", "R0", "match", "labelled", None),
        ("L1", "R1", "match", "labelled", 99),
        ("L2", "R2", "match", "labelled", None),
    )
    reviewed = labels(
        ("L0", "R9", "match", "review", 1),
        ("L0", "R0", "no_match", "review", 1),
        ("L1", "R1", "no_match", "audit", 1),
        ("L1", "R1", "match", "review", 2),
        ("L3", "R9", "match", "review", 0),
    )
    merged = merge_labels(outside, reviewed)
    assert rows(merged.labels) == [
        ("L1", "R1", "match", "labelled"),
        ("L2", "R2", "match", "labelled"),
        ("L0", "R9", "match", "review"),
        ("L0", "R0", "no_match", "review"),
        ("L1", "R1", "match", "review"),
    ]
    assert merged.replaced == 3


def test_labels_without_a_review_stay_as_they_are():
    outside = labels(("L0", "R0", "match", "labelled", None), ("L1", "", "match", "labelled", None))
    merged = merge_labels(outside, labels())
    assert (merged.labels, merged.replaced) == (outside, 0)
    assert merge_labels(None, labels()).labels.num_rows == 0
