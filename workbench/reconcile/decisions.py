"""What becomes of each proposal, with a named reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.results import Decision, Reason
from workbench.reconcile.thresholds import Source, Thresholds
from workbench.tables import PROPOSALS

_UNCERTIFIED = {
    Source.NO_CERTIFICATE: Reason.NO_CERTIFICATE,
    Source.CERTIFICATE_VOID: Reason.CERTIFICATE_VOID,
}


def decide(
    proposals: pa.Table, configuration: DecisionConfiguration, *, thresholds: Thresholds | None = None
) -> pa.Table:
    """Fill in decision and reason of every proposal.

    Where no labels stand behind the confidence, all is reviewed. What would be accepted is reviewed
    instead if another proposal is exactly as good, if no certificate holds or if the amount exceeds
    the limit. Rejecting needs no certificate: it leaves both records open, where a wrong match would
    close them.

    Args:
        proposals: rows of the proposals table; what was decided before is replaced.
        configuration: thresholds, limits and what they are made from.
        thresholds: in place of the configuration's own, to see what they would do.
    """
    thresholds = thresholds or configuration.thresholds()
    confidence = column(proposals, "confidence")
    would_accept = (
        confidence >= thresholds.accept
        if thresholds.accept is not None
        else confidence > max(thresholds.reject, configuration.costs.accept)
    )
    uncertified = (
        _UNCERTIFIED.get(thresholds.accept_from, Reason.NO_CERTIFICATE) if thresholds.accept is None else None
    )
    rules: list[tuple[NDArray[np.bool_], Decision, Reason]] = [
        (~column(proposals, "calibrated").astype(np.bool_), Decision.REVIEW, Reason.UNCALIBRATED),
        ((confidence <= thresholds.reject) & ~would_accept, Decision.REJECT, Reason.BELOW_REJECT),
        (column(proposals, "ambiguous").astype(np.bool_), Decision.REVIEW, Reason.AMBIGUOUS),
    ]
    if uncertified is not None:
        rules.append((would_accept, Decision.REVIEW, uncertified))
    too_much = ~_within_limit(proposals, configuration)
    rules.append((would_accept & too_much, Decision.REVIEW, Reason.OVER_LIMIT))
    rules.append((would_accept, Decision.ACCEPT, Reason.CONFIDENT))
    return _filled(proposals, rules)


def eligible(proposals: pa.Table, configuration: DecisionConfiguration) -> NDArray[np.bool_]:
    """Tell which proposals are accepted unseen if only their confidence is high enough."""
    sound = column(proposals, "calibrated").astype(np.bool_) & ~column(proposals, "ambiguous").astype(
        np.bool_
    )
    return np.asarray(sound & _within_limit(proposals, configuration))


def _within_limit(proposals: pa.Table, configuration: DecisionConfiguration) -> NDArray[np.bool_]:
    if configuration.most_cents is None:
        return np.ones(proposals.num_rows, np.bool_)
    left, right = (np.abs(column(proposals, f"{side}_cents")) for side in ("left", "right"))
    return np.asarray(np.maximum(left, right) <= configuration.most_cents)


def column(table: pa.Table, name: str) -> NDArray[Any]:
    """Give a column as an array, its nulls as NaN where it holds numbers."""
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False))


def _filled(table: pa.Table, rules: list[tuple[NDArray[np.bool_], Decision, Reason]]) -> pa.Table:
    """Give each row what the first rule says that fits; review, where none does."""
    fits = [rule[0] for rule in rules]
    decided = np.select(fits, [rule[1].value for rule in rules], Decision.REVIEW.value)
    reasons = np.select(fits, [rule[2].value for rule in rules], Reason.BELOW_ACCEPT.value)
    for name, values in (("decision", decided), ("reason", reasons)):
        place = table.schema.get_field_index(name)
        array = pa.array(values.tolist(), pa.string())
        table = table.set_column(place, PROPOSALS.field(name), array)
    return table
