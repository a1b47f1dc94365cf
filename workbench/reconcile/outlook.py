"""What a threshold would do: the share decided unseen, the errors in it, and the wait of the rest.

Errors are counted on labels where there are some at the threshold or above, else expected from the
confidences; the wait is simulated. Everything comes with an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import column, decide
from workbench.reconcile.intervals import LEVEL, Estimate, share_of
from workbench.reconcile.results import Decision
from workbench.reconcile.review_queue import ReviewLoad, review_load
from workbench.reconcile.thresholds import Thresholds
from workbench.reconcile.truth import ProposalTruth
from workbench.simulate import Engine

PER = 10_000
"""Proposals that errors are counted in."""
_FEWEST = 100
"""Labels drawn from all proposals below which errors are expected from the confidences instead."""
_NONE = Estimate(0.0, 0.0, 0.0)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Errors:
    """Wrong matches that are accepted unseen, in 10,000 proposals."""

    per_10k: Estimate
    more: Estimate
    """How many more than under the configuration that is compared with; below 0 where fewer."""
    basis: Literal["labels", "confidences"]
    """Whether they were counted on labels or expected from the confidences."""


@dataclass(frozen=True)
class Outlook:
    """What thresholds would do to such ledgers."""

    thresholds: Thresholds
    proposals: int
    accepted: Estimate
    """Share of the proposals that is accepted unseen, 0 to 1."""
    rejected: Estimate
    """Share that is rejected unseen, 0 to 1."""
    automatic: Estimate
    """Share that is decided unseen, 0 to 1."""
    errors: Errors
    missed_per_10k: float
    """Right matches that are rejected unseen, in 10,000 proposals, expected from the confidences."""
    audits_per_day: float
    """Accepted proposals that are drawn for an audit on a day with a ledger."""
    reviews_per_day: Estimate
    """Proposals to review on a day with a ledger, audits among them."""
    load: ReviewLoad
    """What they do to the reviewers."""


def outlook(
    proposals: pa.Table,
    configuration: DecisionConfiguration,
    *,
    truth: ProposalTruth,
    thresholds: Thresholds | None = None,
    compared_with: DecisionConfiguration | None = None,
    seed: int = 1,
    engine: Engine | None = None,
) -> Outlook:
    """Say what a configuration would do to proposals such as these.

    Args:
        proposals: rows of the proposals table, such as those of the last weeks.
        configuration: what is looked at.
        truth: what labels say of the proposals.
        thresholds: in place of the configuration's own.
        compared_with: the configuration that errors are compared with; by default `configuration`.
        seed: of the simulation of the reviewers, 0 or more.
        engine: what simulates the reviewers; the reference engine by default.

    Raises:
        InputError: there is no proposal.
    """
    count = proposals.num_rows
    if count == 0:
        raise InputError("proposals: given none; allowed: 1 or more")
    thresholds = thresholds or configuration.thresholds()
    decided = column(decide(proposals, configuration, thresholds=thresholds), "decision")
    accepted, rejected = decided == Decision.ACCEPT.value, decided == Decision.REJECT.value
    before = column(decide(proposals, compared_with or configuration), "decision") == Decision.ACCEPT.value
    per_day = proposals_per_day(proposals, configuration)
    audits = per_day * float(accepted.mean()) * configuration.audit_share
    to_review = share_of(int((~accepted & ~rejected).sum()), count).times(per_day)
    reviews = Estimate(to_review.value + audits, to_review.low + audits, to_review.high + audits)
    return Outlook(
        thresholds=thresholds,
        proposals=count,
        accepted=share_of(int(accepted.sum()), count),
        rejected=share_of(int(rejected.sum()), count),
        automatic=share_of(int((accepted | rejected).sum()), count),
        errors=_errors(proposals, truth, accepted, before),
        missed_per_10k=float(column(proposals, "confidence")[rejected].sum()) / count * PER,
        audits_per_day=audits,
        reviews_per_day=reviews,
        load=review_load(
            reviews.value,
            reviewers=configuration.reviewers,
            inflow=configuration.inflow,
            seed=seed,
            engine=engine,
        ),
    )


def proposals_per_day(proposals: pa.Table, configuration: DecisionConfiguration) -> float:
    """Give the number of proposals on a day with a ledger: as configured, else the mean over their dates."""
    if configuration.inflow.per_day is not None:
        return configuration.inflow.per_day
    days = len(set(proposals.column("date").drop_null().to_pylist()))
    return proposals.num_rows / max(1, days)


def _errors(proposals: pa.Table, truth: ProposalTruth, accepted: Booleans, before: Booleans) -> Errors:
    gained, lost = accepted & ~before, before & ~accepted
    drawn = truth.known & (truth.drawn_above == 0.0)
    if drawn.sum() >= _FEWEST:
        wrong = drawn & ~truth.right

        def counted(of: Booleans, level: float = LEVEL) -> Estimate:
            return share_of(int((wrong & of).sum()), int(drawn.sum()), level=level).times(PER)

        # Where thresholds are nested one of the two is empty; else both hold together, by Bonferroni.
        level = 1.0 - (1.0 - LEVEL) / 2.0 if gained.any() and lost.any() else LEVEL
        more = counted(gained, level) if gained.any() else _NONE
        fewer = counted(lost, level) if lost.any() else _NONE
        return Errors(counted(accepted), _difference(more, fewer), "labels")
    more, fewer = _expected(proposals, gained), _expected(proposals, lost)
    return Errors(_expected(proposals, accepted), _difference(more, fewer), "confidences")


def _difference(more: Estimate, fewer: Estimate) -> Estimate:
    return Estimate(more.value - fewer.value, more.low - fewer.high, more.high - fewer.low)


def _expected(proposals: pa.Table, of: Booleans) -> Estimate:
    """Sum up the chances of being wrong, and those of the bands' two ends."""
    confidence = column(proposals, "confidence")
    likely, best, worst = (
        float((1.0 - np.where(np.isnan(values), confidence, values))[of].sum()) / len(of) * PER
        for values in (
            confidence,
            column(proposals, "confidence_high").astype(np.float64),
            column(proposals, "confidence_low").astype(np.float64),
        )
    )
    return Estimate(likely, min(best, likely), max(worst, likely))
