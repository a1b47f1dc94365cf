"""Labels: what is known of which records match."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.reconcile.results import LABELS, Origin, Verdict
from workbench.reconcile.workspace import Workspace

UNKNOWN, ALONE = -2, -1
"""What stands for a partner that no label tells, and for none."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Truth:
    """What labels say of the records of two ledgers, by the numbers of the records."""

    left: Integers
    """Partner of each left record, ALONE, or UNKNOWN."""
    right: Integers
    """Partner of each right record, ALONE, or UNKNOWN."""
    denied: Integers
    """Pairs that are no match, as `left * len(right) + right`, sorted."""
    in_split: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """Records that a labelled split joins; of their pairs nothing is said."""
    outside: int
    """Labels of a record that is not in the ledgers; its partner there counts as alone."""

    @property
    def matches(self) -> int:
        """Count the pairs that match, those that no rule finds included."""
        return int((self.left >= 0).sum())

    @property
    def labelled(self) -> int:
        """Count the left records of which the partner, or that there is none, is known."""
        return int((self.left != UNKNOWN).sum())

    def of_pairs(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.int8]:
        """Tell of each pair whether it matches, 1 or 0; -1 where labels do not tell."""
        mine, theirs = self.left[left], self.right[right]
        told = np.full(len(left), -1, np.int8)
        told[(mine != UNKNOWN) | (theirs != UNKNOWN)] = 0
        told[mine == right] = 1
        parted = self.in_split[0][left] | self.in_split[1][right]
        told[parted & (mine < 0) & (theirs < 0)] = -1
        told[np.isin(left.astype(np.int64) * len(self.right) + right, self.denied)] = 0
        return told

    def transactions(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> Integers:
        """Name the transaction that each labelled pair is held out with."""
        mine, theirs = self.left[left], self.right[right]
        by_right = np.where(theirs >= 0, theirs, len(self.left) + right)
        return np.where((mine == UNKNOWN) & (theirs != UNKNOWN), by_right, left).astype(np.int64)


def read_labels(file: Path) -> pa.Table:
    """Read labels from a CSV with the columns left_id and right_id, or from a stored labels table.

    In a CSV an empty id says that the other record has no partner; a third column, verdict, may say
    `no_match`.

    Raises:
        InputError: the file is missing, damaged, or lacks a column.
    """
    try:
        if file.suffix == ".parquet":
            return _conformed(pa.parquet.read_table(file), file)
        texts = pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in ("left_id", "right_id", "verdict")}
        )
        table = pa.csv.read_csv(file, convert_options=texts)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{file}: the labels cannot be read ({error})") from None
    if missing := [name for name in ("left_id", "right_id") if name not in table.column_names]:
        raise InputError(f"{file}: given no column {missing[0]!r}; allowed: left_id, right_id and verdict")
    verdicts = (
        table["verdict"] if "verdict" in table.column_names else pa.array([Verdict.MATCH.value] * len(table))
    )
    if wrong := [one for one in pc.unique(verdicts).to_pylist() if one not in list(Verdict)]:
        raise InputError(f"{file}: verdict: given {wrong[0]!r}; allowed: {', '.join(Verdict)}")
    return labels_table(table["left_id"].to_pylist(), table["right_id"].to_pylist(), verdicts.to_pylist())


def labels_table(left: list[Any], right: list[Any], verdicts: list[Any] | None = None) -> pa.Table:
    """Make labels of pairs; an id that is empty or None says that the other has no partner."""
    given: dict[str, Any] = {
        "left_ids": [[one] if one else [] for one in left],
        "right_ids": [[one] if one else [] for one in right],
        "verdict": verdicts or [Verdict.MATCH.value] * len(left),
        "origin": [Origin.LABELLED.value] * len(left),
    }
    return pa.table(
        {field.name: pa.array(given.get(field.name, [None] * len(left)), field.type) for field in LABELS},
        schema=LABELS,
    )


def _conformed(table: pa.Table, file: Path) -> pa.Table:
    if missing := [name for name in ("left_ids", "right_ids", "verdict") if name not in table.column_names]:
        raise InputError(f"{file}: given no column {missing[0]!r}; allowed: a table of labels")
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in LABELS
    ]
    return pa.Table.from_arrays(columns, schema=LABELS)


def resolve_labels(workspace: Workspace, labels: pa.Table, *, complete: bool = False) -> Truth:
    """Find the labelled records in the ledgers.

    Args:
        workspace: holds the ledgers.
        labels: rows of the labels table.
        complete: whether they name every match there is, so that a record that none names is alone.

    Raises:
        InputError: no label is about these ledgers, or labels contradict each other.
    """
    workspace.keep("labels", labels)
    single = "len(left_ids) <= 1 and len(right_ids) <= 1"
    pairs = workspace.table(
        "select coalesce(a.n, -1) as l, coalesce(b.n, -1) as r, verdict = 'match' as match, "
        "(len(left_ids) = 1 and a.n is null) or (len(right_ids) = 1 and b.n is null) as outside "
        f"from (select * from labels where {single}) g left join left_records a on a.id = g.left_ids[1] "
        "left join right_records b on b.id = g.right_ids[1] order by l, r, match"
    )
    left, right = (pairs[name].to_numpy().astype(np.int64) for name in ("l", "r"))
    match, outside = pairs["match"].to_numpy(), pairs["outside"].to_numpy()
    sizes = [
        workspace.rows(f"select count(*) as count from {side}_records")[0]["count"]
        for side in ("left", "right")
    ]
    unknown = ALONE if complete else UNKNOWN
    truth = Truth(
        left=_partners(
            left[match], right[match], size=sizes[0], unknown=unknown, side="left", workspace=workspace
        ),
        right=_partners(
            right[match], left[match], size=sizes[1], unknown=unknown, side="right", workspace=workspace
        ),
        denied=_denied(left, right, match, sizes[1], workspace),
        in_split=_in_splits(workspace, sizes, single),
        outside=int(outside.sum()),
    )
    if len(labels) and not ((left >= 0) | (right >= 0)).any() and not truth.in_split[0].any():
        raise InputError(
            f"labels: given {len(labels):,}, none of a record of these ledgers; allowed: ids as the ledgers "
            "have them"
        )
    return truth


def _partners(
    mine: Integers, other: Integers, *, size: int, unknown: int, side: str, workspace: Workspace
) -> Integers:
    known = mine >= 0
    mine, other = mine[known], other[known]
    partner = np.full(size, unknown, np.int64)
    partner[mine] = other
    if len(clash := np.flatnonzero(partner[mine] != other)):
        names = _names(workspace, side, [int(mine[clash[0]])])
        raise InputError(
            f"labels: given two different partners, or one and none, of the {side} record {names}; "
            "allowed: one, or a split with all its parts in one label"
        )
    return partner


def _denied(left: Integers, right: Integers, match: Any, width: int, workspace: Workspace) -> Integers:
    both = (left >= 0) & (right >= 0)
    keys = left * width + right
    if len(clash := np.intersect1d(keys[both & match], keys[both & ~match])):
        pair = [
            _names(workspace, side, [int(n)])
            for side, n in zip(("left", "right"), divmod(clash[0], width), strict=True)
        ]
        raise InputError(f"labels: given match and no_match of {' and '.join(pair)}; allowed: one of them")
    return np.unique(keys[both & ~match])


def _names(workspace: Workspace, side: str, numbers: list[int]) -> str:
    chosen = ", ".join(str(number) for number in numbers)
    return ", ".join(
        repr(row["id"]) for row in workspace.rows(f"select id from {side}_records where n in ({chosen})")
    )


def _in_splits(
    workspace: Workspace, sizes: list[int], single: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    found = []
    for side, size in zip(("left", "right"), sizes, strict=True):
        rows = workspace.table(
            f"select n from {side}_records "
            f"where id in (select unnest({side}_ids) from labels where not ({single}))"
        )
        mask = np.zeros(size, np.bool_)
        mask[rows["n"].to_numpy()] = True
        found.append(mask)
    return found[0], found[1]
