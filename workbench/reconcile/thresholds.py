"""The two thresholds that decide: the stricter of costs, certificate and what was set by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workbench.reconcile.costs import Costs


class Source(StrEnum):
    """Where a threshold comes from."""

    COSTS = "costs"
    CERTIFICATE = "certificate"
    HAND = "hand"
    NO_CERTIFICATE = "no_certificate"
    """No label certifies the precision that is asked for, so nothing is accepted."""
    CERTIFICATE_VOID = "certificate_void"
    """The certificate was voided, so nothing is accepted until a new one is earned."""


@dataclass(frozen=True)
class Thresholds:
    """From which confidence to accept and up to which to reject; what lies between is reviewed."""

    accept: float | None
    """Accept at this confidence or more, 0 to 1; None accepts nothing."""
    accept_from: Source
    """Which was the strictest."""
    reject: float
    """Reject at this confidence or less, 0 to 1, where it is not accepted."""
    reject_from: Source


def strictest(
    costs: Costs,
    *,
    certified: float | None,
    void: bool = False,
    accept: float | None = None,
    reject: float | None = None,
) -> Thresholds:
    """Take the highest accept threshold and the lowest reject threshold.

    Args:
        costs: what decisions cost.
        certified: the certificate's threshold; None where there is no certificate.
        void: whether the certificate was voided.
        accept: threshold set by hand, 0 to 1; it can only be stricter than the others.
        reject: threshold set by hand, 0 to 1; it can only be stricter than that of the costs.
    """
    by_costs, by_hand = (costs.reject, Source.COSTS), (reject, Source.HAND)
    rejecting = by_hand if reject is not None and reject < costs.reject else by_costs
    least = float(rejecting[0] or 0.0)
    if void or certified is None:
        missing = Source.CERTIFICATE_VOID if void else Source.NO_CERTIFICATE
        return Thresholds(None, missing, least, rejecting[1])
    candidates = [(costs.accept, Source.COSTS), (certified, Source.CERTIFICATE)]
    if accept is not None:
        candidates.append((accept, Source.HAND))
    threshold, origin = max(candidates, key=lambda candidate: candidate[0])
    return Thresholds(threshold, origin, least, rejecting[1])
