"""What labels say of proposals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.reconcile.results import Origin, Verdict, proposal_id

RANDOM = (Origin.LABELLED, Origin.AUDIT)
"""Origins whose labels were drawn at random; those of reviews were chosen by uncertainty."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class ProposalTruth:
    """One entry a proposal in each array."""

    known: NDArray[np.bool_]
    """Whether a label tells."""
    right: NDArray[np.bool_]
    """What it tells; false where none does."""
    drawn_above: NDArray[np.float64]
    """The confidence from which the label was drawn at random; 0 where it was drawn from all."""
    contradicted: int
    """Proposals of which labels say different things; the latest was taken."""

    def of(self, confidence: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Give confidence and outcome of those that are known."""
        return confidence[self.known], self.right[self.known]


def truth_of(
    proposals: pa.Table, labels: pa.Table | None = None, *, origins: Iterable[Origin] = RANDOM
) -> ProposalTruth:
    """Tell of each proposal whether it is right, from its own `truth` and from labels.

    A label that records are partners also says that other proposals of them are wrong; one that a
    record has no partner says so of every proposal that has it. A label wins over `truth`, and a
    later label over an earlier one.

    Args:
        proposals: rows of the proposals table.
        labels: rows of the labels table, in any order.
        origins: which labels count.
    """
    told = _told(labels, {origin.value for origin in origins}) if labels is not None else {}
    known, right, above = [], [], []
    contradicted = 0
    columns = zip(*(proposals.column(name).to_pylist() for name in _COLUMNS), strict=True)
    for left, right_ids, truth in columns:
        found = sorted(_about(told, left, right_ids), key=lambda said: said.at)
        contradicted += len({said.right for said in found}) > 1
        known.append(bool(found) or truth is not None)
        right.append(found[-1].right if found else bool(truth))
        above.append(found[-1].drawn_above if found else 0.0)
    return ProposalTruth(np.array(known, np.bool_), np.array(right, np.bool_), np.array(above), contradicted)


_COLUMNS = ("left_ids", "right_ids", "truth")


@dataclass(frozen=True)
class _Said:
    """What one label says of one proposal."""

    right: bool
    at: datetime
    drawn_above: float


@dataclass(frozen=True)
class _Label:
    key: str
    match: bool
    at: datetime
    drawn_above: float


def _told(labels: pa.Table, origins: set[str]) -> dict[tuple[str, str], list[_Label]]:
    """Gather the labels under every record that they name."""
    told: dict[tuple[str, str], list[_Label]] = defaultdict(list)
    for row in labels.to_pylist():
        if row["origin"] not in origins:
            continue
        label = _Label(
            key=proposal_id(row["left_ids"], row["right_ids"]),
            match=row["verdict"] == Verdict.MATCH,
            at=_moment(row["at"]),
            drawn_above=row.get("drawn_above") or 0.0,
        )
        for side, ids in (("left", row["left_ids"]), ("right", row["right_ids"])):
            for record in ids:
                told[side, record].append(label)
    return told


def _moment(at: Any) -> datetime:
    return at if isinstance(at, datetime) else _EARLIEST


def _about(told: dict[tuple[str, str], list[_Label]], left: list[str], right: list[str]) -> list[_Said]:
    if not told:
        return []
    named = [("left", record) for record in left] + [("right", record) for record in right]
    labels = {id(label): label for record in named for label in told.get(record, ())}
    key = proposal_id(left, right) if labels else ""
    return [
        _Said(label.match and label.key == key, label.at, label.drawn_above)
        for label in labels.values()
        if label.match or label.key == key
    ]
