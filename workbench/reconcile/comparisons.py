"""How alike the records of a candidate pair are: one number a comparison, NaN where it is missing.

Texts are compared without case, accents and doubled spaces. How common a value is, and how many
candidates a record has, are counted in SQL; texts are compared by rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler, Prefix

from workbench.reconcile.plan import TEXT_FIELDS
from workbench.reconcile.workspace import Workspace

CHUNK = 100_000
"""Pairs that are compared at once."""

Floats = NDArray[np.float64]

_TEXT_COMPARISONS = {
    "ratio": "share of characters in common (normalised indel similarity)",
    "words": "the same by words, in any order and with words left over (token set ratio)",
    "jaro_winkler": "Jaro-Winkler similarity",
    "prefix": "how much of the shorter one both begin with",
    "left_length": "characters of the left one",
    "right_length": "characters of the right one",
    "left_count": "left records with this value, logarithm",
    "right_count": "right records with this value, logarithm",
}
_OTHER_COMPARISONS = {
    "amount.ratio": "logarithm of right by left amount",
    "amount.distance": "size of that logarithm",
    "amount.difference": "difference in cents, logarithm",
    "amount.equal": "1 where both are the same to the cent",
    "amount.size": "left amount, logarithm",
    "amount.left_count": "left records of this amount, logarithm",
    "amount.right_count": "right records of this amount, logarithm",
    "date.days": "days from the left record to the right one",
    "rivals.left": "candidates of the left record, logarithm",
    "rivals.right": "candidates of the right record, logarithm",
}

COMPARISONS: dict[str, str] = {
    **{f"{field}.{name}": meaning for field in TEXT_FIELDS for name, meaning in _TEXT_COMPARISONS.items()},
    **_OTHER_COMPARISONS,
}
"""Every comparison and its meaning. What stands before the dot is the field that it is about."""

NAMES = tuple(COMPARISONS)


class Compared(NamedTuple):
    """Some candidate pairs and their comparisons."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    values: NDArray[np.float32]
    """One row a pair, one column a comparison, in the order of `NAMES`."""


def prepare(workspace: Workspace) -> None:
    """Count how common values are and how many candidates each record has."""
    for side, key in (("left", "l"), ("right", "r")):
        counts = ", ".join(
            f"case when {field} is not null then ln(count(*) over (partition by {field})) end "
            f"as {field}_count"
            for field in TEXT_FIELDS
        )
        workspace.run(
            f"create or replace table {side}_features as select n, day, cents, {', '.join(TEXT_FIELDS)}, "
            f"{counts}, ln(count(*) over (partition by cents)) as cents_count, "
            f"ln(coalesce(candidates, 1)) as rivals from {side}_records "
            f"left join (select {key} as n, count(*) as candidates from candidates group by {key}) using (n)"
        )


def compare(workspace: Workspace, *, where: str = "true", chunk: int = CHUNK) -> Iterator[Compared]:
    """Compare candidate pairs, in their order, so many at a time.

    Args:
        workspace: holds `candidates` and what `prepare` counted.
        where: which pairs, as a condition in SQL over `l` and `r`.
        chunk: pairs in memory at once.
    """
    columns = [
        f"{side}.{column} as {side}_{column}"
        for side in ("a", "b")
        for column in (
            "day",
            "cents",
            "cents_count",
            "rivals",
            *TEXT_FIELDS,
            *(f"{field}_count" for field in TEXT_FIELDS),
        )
    ]
    sql = (
        f"select l, r, {', '.join(columns)} from candidates "
        f"join left_features a on a.n = l join right_features b on b.n = r where {where} order by l, r"
    )
    for table in workspace.batches(sql, rows=chunk):
        yield Compared(
            table["l"].to_numpy().astype(np.int32),
            table["r"].to_numpy().astype(np.int32),
            _values(table),
        )


def _values(table: pa.Table) -> NDArray[np.float32]:
    values = np.full((table.num_rows, len(NAMES)), np.nan, np.float32)
    columns = _amounts(table) | {"date.days": _floats(table["b_day"]) - _floats(table["a_day"])}
    columns |= {"rivals.left": _floats(table["a_rivals"]), "rivals.right": _floats(table["b_rivals"])}
    for field in TEXT_FIELDS:
        columns |= _texts(table, field)
    for name, column in columns.items():
        values[:, NAMES.index(name)] = column
    return values


def _amounts(table: pa.Table) -> dict[str, Floats]:
    left, right = table["a_cents"].to_numpy(), table["b_cents"].to_numpy()
    sizes = [np.log(np.maximum(np.abs(cents), 1).astype(np.float64)) for cents in (left, right)]
    ratio = sizes[1] - sizes[0]
    return {
        "amount.ratio": ratio,
        "amount.distance": np.abs(ratio),
        "amount.difference": np.log1p(np.abs(right - left).astype(np.float64)),
        "amount.equal": (left == right).astype(np.float64),
        "amount.size": sizes[0],
        "amount.left_count": _floats(table["a_cents_count"]),
        "amount.right_count": _floats(table["b_cents_count"]),
    }


def _texts(table: pa.Table, field: str) -> dict[str, Floats]:
    both = pc.and_(pc.is_valid(table[f"a_{field}"]), pc.is_valid(table[f"b_{field}"])).to_numpy()
    found = {f"{field}.{name}": np.full(table.num_rows, np.nan) for name in _TEXT_COMPARISONS}
    for name, side in (("left_count", "a"), ("right_count", "b")):
        found[f"{field}.{name}"] = _floats(table[f"{side}_{field}_count"])
    if not both.any():
        return found
    left, right = (
        cast(list[str], table[f"{side}_{field}"].filter(pa.array(both)).to_pylist()) for side in ("a", "b")
    )
    lengths = [np.array([len(text) for text in texts], np.float64) for texts in (left, right)]
    begins = process.cpdist(left, right, scorer=Prefix.similarity).astype(np.float64)
    for name, values in (
        ("ratio", process.cpdist(left, right, scorer=fuzz.ratio) / 100.0),
        ("words", process.cpdist(left, right, scorer=fuzz.token_set_ratio) / 100.0),
        ("jaro_winkler", process.cpdist(left, right, scorer=JaroWinkler.similarity)),
        ("prefix", begins / np.minimum(*lengths)),
        ("left_length", lengths[0]),
        ("right_length", lengths[1]),
    ):
        found[f"{field}.{name}"][both] = values
    return found


def _floats(column: pa.ChunkedArray[Any]) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
