"""What labels say of pairs, and what they leave open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import InputError
from workbench.reconcile.labels import Truth, labels_table, read_labels, resolve_labels
from workbench.reconcile.ledgers import read_ledgers
from workbench.reconcile.results import LABELS
from workbench.reconcile.workspace import Workspace

# Records are numbered by their amounts: a is 0, b is 1, and so on, on either side.
ROWS = [(name, "2024-01-01", f"{place + 1}.00", "X") for place, name in enumerate("abcd")]


@pytest.fixture
def resolved(workspace: Workspace, plan_for: Any) -> Any:
    """Return a function from labels to the truth that they tell of four records a side."""
    read_ledgers(workspace, plan_for(ROWS, ROWS))
    return lambda labels, **other: resolve_labels(workspace, labels, **other)


def table_of(truth: Truth) -> list[list[int]]:
    """Give 1, 0 or -1 for each left (row) and right record (column)."""
    left, right = np.divmod(np.arange(16), 4)
    return truth.of_pairs(left, right).reshape(4, 4).tolist()


def test_a_match_rules_out_the_other_pairs_of_its_records(resolved: Any):
    assert table_of(resolved(labels_table(["a"], ["b"]))) == [
        [0, 1, 0, 0],
        [-1, 0, -1, -1],
        [-1, 0, -1, -1],
        [-1, 0, -1, -1],
    ]


def test_no_match_speaks_of_its_pair_alone(resolved: Any):
    truth = resolved(labels_table(["a", "c"], ["b", "c"], ["no_match", "match"]))
    assert table_of(truth)[0] == [-1, 0, 0, -1]


@pytest.mark.parametrize(("left", "right"), [("a", ""), ("a", "gone")])
def test_a_record_whose_partner_is_not_here_has_none(resolved: Any, left: str, right: str):
    truth = resolved(labels_table([left], [right]))
    assert table_of(truth)[0] == [0, 0, 0, 0]
    assert table_of(truth)[1] == [-1, -1, -1, -1]
    assert truth.outside == (right == "gone")


def test_complete_labels_say_that_the_others_have_no_partner(resolved: Any):
    truth = resolved(labels_table(["a"], ["a"]), complete=True)
    assert np.array(table_of(truth)).sum() == 1
    assert (truth.matches, truth.labelled) == (1, 4)


def test_a_split_says_nothing_of_its_single_pairs(resolved: Any):
    split = labels_table(["a", "d"], ["a", "d"]).to_pylist()
    split[0]["right_ids"] = ["a", "b"]
    table = table_of(resolved(pa.Table.from_pylist(split, schema=LABELS)))
    assert table[0] == [-1, -1, -1, 0]
    assert table[1][:2] == [-1, -1]
    assert table[3] == [0, 0, 0, 1]


def test_saying_a_thing_twice_is_saying_it_once(resolved: Any):
    labels = labels_table(["a", "a"], ["b", "b"])
    assert table_of(resolved(labels)) == table_of(resolved(labels.slice(0, 1)))


def test_pairs_of_one_transaction_are_held_out_together(resolved: Any):
    truth = resolved(labels_table(["a", "b"], ["a", "b"]))
    left, right = np.array([0, 0, 2, 1]), np.array([0, 3, 0, 1])
    groups = truth.transactions(left, right)
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_a_stored_table_reads_as_it_was_written(tmp_path: Path):
    labels = labels_table(["a", "b"], ["x", None], ["no_match", "match"])
    pq.write_table(labels, tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet").equals(labels)
    (tmp_path / "labels.csv").write_text("left_id,right_id,verdict\na,x,no_match\nb,,match\n")
    assert read_labels(tmp_path / "labels.csv").equals(labels)


def test_ids_that_look_like_numbers_stay_texts(tmp_path: Path):
    (tmp_path / "labels.csv").write_text("left_id,right_id\n007,1\n")
    assert read_labels(tmp_path / "labels.csv")["left_ids"].to_pylist() == [["007"]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("left_id,right_id,verdict\na,b,maybe\n", "verdict: given 'maybe'; allowed: match, no_match"),
        ("left,right\na,b\n", "no column 'left_id'"),
        ("left_id,right_id\na\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_labels_that_cannot_be_read_say_why(tmp_path: Path, content: str, complaint: str):
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(InputError, match=complaint):
        read_labels(tmp_path / "labels.csv")
