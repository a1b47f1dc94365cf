"""From proposals to cases, and from verdicts to labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.reconcile.cases import Case, CaseVerdict, NewCase
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.costs import Costs
from workbench.reconcile.decisions import column
from workbench.reconcile.results import LABELS, Decision, Origin, Verdict

Floats = NDArray[np.float64]

Evidence = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Gives what a reviewer is shown of a proposal, a row of the proposals table."""

_SHOWN = ("kind", "left_ids", "right_ids", "left_cents", "right_cents", "currency", "date")
"""What a proposal itself tells of its records, no score among it."""


def label_value(proposals: pa.Table, costs: Costs) -> Floats:
    """Give the value of each proposal's label: what deciding it unseen would cost at worst.

    At worst within the band of its confidence, so that of two proposals of one confidence the less
    certain comes first. In the unit of the costs.
    """
    confidence = column(proposals, "confidence")
    low, high = (column(proposals, f"confidence_{end}").astype(np.float64) for end in ("low", "high"))
    low = np.minimum(np.where(np.isnan(low), confidence, low), confidence)
    high = np.maximum(np.where(np.isnan(high), confidence, high), confidence)
    even = costs.wrong / (costs.wrong + costs.missed)  # where deciding unseen costs most
    return costs.of_deciding(np.clip(even, low, high))


def audit_sample(proposals: pa.Table, share: float, *, seed: int) -> pa.Table:
    """Draw accepted proposals at random, each with the same chance whatever its confidence.

    Args:
        proposals: decided rows of the proposals table.
        share: share that is drawn, 0 to 1; at least one where any was accepted and the share is above 0.
        seed: of the draw, 0 or more.
    """
    accepted = np.flatnonzero(column(proposals, "decision") == Decision.ACCEPT.value)
    count = min(len(accepted), max(1, round(share * len(accepted)))) if share > 0.0 else 0
    chosen = (
        np.random.default_rng(seed).choice(accepted, size=count, replace=False) if count else accepted[:0]
    )
    return proposals.take(pa.array(np.sort(chosen), pa.int64()))


def new_cases(
    proposals: pa.Table, configuration: DecisionConfiguration, *, seed: int, evidence: Evidence | None = None
) -> list[NewCase]:
    """List the cases that decided proposals give: all that go to review, and an audit of those accepted.

    Args:
        proposals: decided rows of the proposals table.
        configuration: costs, the accept threshold and the share that is audited.
        seed: of the draw of the audit, 0 or more.
        evidence: what reviewers are shown beside the proposal's own records, dates and amounts.
    """
    to_review = proposals.filter(pa.array(column(proposals, "decision") == Decision.REVIEW.value))
    audited = audit_sample(proposals, configuration.audit_share, seed=seed)
    accept = configuration.thresholds().accept or 0.0
    return [
        *_cases(to_review, Origin.REVIEW, configuration.costs, evidence, drawn_above=0.0),
        *_cases(audited, Origin.AUDIT, configuration.costs, evidence, drawn_above=accept),
    ]


def labels_of(cases: Sequence[Case]) -> pa.Table:
    """Write the last verdict of each decided case as rows of the labels table."""
    rows: list[dict[str, Any]] = []
    for case in cases:
        if not case.decided:
            continue
        last = case.verdicts[-1]
        own, found = (case.left_ids, case.right_ids), (last.left_ids, last.right_ids)
        told = [(found, Verdict.MATCH)] if last.verdict is not CaseVerdict.REJECT else []
        if found != own or last.verdict is CaseVerdict.REJECT:
            told.append((own, Verdict.NO_MATCH))
        audited = case.origin is Origin.AUDIT
        rows += [
            {
                "left_ids": list(left),
                "right_ids": list(right),
                "verdict": verdict.value,
                "origin": case.origin.value,
                "at": last.at,
                "by": last.by,
                "confidence": case.confidence,
                "drawn_above": case.drawn_above if audited else None,
            }
            for (left, right), verdict in told
        ]
    return pa.Table.from_pylist(rows, schema=LABELS)


@dataclass(frozen=True, eq=False)
class Judged:
    """Verdicts of reviewers as arrays, one entry a decided case."""

    confidence: Floats
    """The proposal's, when the case was opened."""
    right: NDArray[np.bool_]
    """Whether the proposal was right, by the last verdict."""
    drawn_above: Floats
    """Of an audit, the confidence from which it was drawn at random."""
    origin: NDArray[np.str_]
    proposal_id: NDArray[np.str_]


def judged(cases: Sequence[Case], *, since: datetime | None = None) -> Judged:
    """Gather the last verdicts of cases, those given since a time."""
    chosen = [case for case in cases if case.decided and (since is None or case.verdicts[-1].at >= since)]
    return Judged(
        confidence=np.array([case.confidence for case in chosen], np.float64),
        right=np.array([case.verdicts[-1].verdict is CaseVerdict.ACCEPT for case in chosen], np.bool_),
        drawn_above=np.array([case.drawn_above for case in chosen], np.float64),
        origin=np.array([case.origin.value for case in chosen], np.str_),
        proposal_id=np.array([case.proposal_id for case in chosen], np.str_),
    )


def _cases(
    proposals: pa.Table, origin: Origin, costs: Costs, evidence: Evidence | None, *, drawn_above: float
) -> list[NewCase]:
    values = label_value(proposals, costs)
    return [
        NewCase(
            proposal_id=row["proposal_id"],
            kind=row["kind"],
            origin=origin,
            left_ids=tuple(row["left_ids"]),
            right_ids=tuple(row["right_ids"]),
            evidence={**{name: _plain(row[name]) for name in _SHOWN}, **(evidence(row) if evidence else {})},
            confidence=row["confidence"],
            confidence_low=row["confidence_low"],
            confidence_high=row["confidence_high"],
            reason=row["reason"],
            value=float(value),
            drawn_above=drawn_above,
        )
        for row, value in zip(proposals.to_pylist(), values, strict=True)
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
