"""Joining labels from outside with those that the review gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from workbench.reconcile.results import LABELS, Verdict, proposal_id

_EARLIEST = datetime.min.replace(tzinfo=UTC)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Merged:
    """Labels of which none contradicts another."""

    labels: pa.Table
    """Rows of the labels table; each keeps its origin."""
    replaced: int
    """Labels that a later one, or one of the review, contradicts; they are left out."""


def merge_labels(outside: pa.Table | None, reviewed: pa.Table) -> Merged:
    """Join labels so that the latest word on every record counts, and the review's over that from outside.

    Args:
        outside: rows of the labels table from outside; None where there are none.
        reviewed: rows of the labels table that the review gave.
    """
    given = [(0, row) for row in (outside.to_pylist() if outside is not None else [])]
    given += [(1, row) for row in reviewed.to_pylist()]
    # The latest first: what is kept forbids what comes after it.
    order = sorted(
        range(len(given)),
        key=lambda place: (given[place][0], given[place][1]["at"] or _EARLIEST, place),
        reverse=True,
    )
    partners: dict[tuple[str, str], str] = {}
    pairs: dict[str, str] = {}
    kept = []
    for place in order:
        row = given[place][1]
        if _agrees(row, partners, pairs):
            kept.append(place)
    rows = [given[place][1] for place in sorted(kept)]
    return Merged(pa.Table.from_pylist(rows, schema=LABELS), len(given) - len(rows))


def _agrees(row: Row, partners: dict[tuple[str, str], str], pairs: dict[str, str]) -> bool:
    """Tell whether a label agrees with those kept so far, and keep in mind what it says."""
    key, verdict = proposal_id(row["left_ids"], row["right_ids"]), row["verdict"]
    if pairs.get(key, verdict) != verdict:
        return False
    if verdict == Verdict.MATCH:
        named = [("left", one) for one in row["left_ids"]] + [("right", one) for one in row["right_ids"]]
        if any(partners.get(record, key) != key for record in named):
            return False
        partners.update(dict.fromkeys(named, key))
    pairs[key] = verdict
    return True
