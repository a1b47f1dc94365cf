"""The configuration of decisions: one document, kept in versions."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from workbench.documents import Section
from workbench.reconcile.certificate import Certificate
from workbench.reconcile.costs import Costs
from workbench.reconcile.reviewers import Inflow, Reviewers
from workbench.reconcile.shift import ShiftAlarm
from workbench.reconcile.thresholds import Thresholds, strictest


class Promise(Section):
    """The precision that is asked of what is accepted unseen."""

    target: float = Field(0.99, gt=0, lt=1)
    """Share of accepted proposals that must be right, above 0 and below 1."""
    miss_rate: float = Field(0.05, gt=0, lt=1)
    """Chance that a certificate may be wrong, above 0 and below 1."""


class Certified(Section):
    """A certificate that was earned, as it stands in a configuration."""

    threshold: float = Field(ge=0, le=1)
    """Confidence from which the promise holds, 0 to 1."""
    target: float = Field(gt=0, lt=1)
    miss_rate: float = Field(gt=0, lt=1)
    labels: int = Field(ge=1)
    """Labelled proposals at the threshold or above."""
    errors: int = Field(ge=0)
    """Of these, wrong."""
    trained: float = Field(gt=0, lt=1)
    """Share of right proposals among those that it was earned on; the watch compares with it."""
    trained_on: int = Field(ge=1)
    """Labels that this share was counted on."""
    most_cents: int | None = None
    """Amount up to which proposals were looked at, cents; no limit where it is null."""
    void: str = ""
    """Why it no longer holds; empty while it does."""


class DecisionConfiguration(Section):
    """What decides whether a proposal is accepted, reviewed or rejected, and who reviews."""

    costs: Costs
    promise: Promise = Promise()
    certified: Certified | None = None
    """Written by `workbench reconcile thresholds --apply`; without one nothing is accepted unseen."""
    fresh_since: AwareDatetime | None = None
    """Verdicts given earlier trained the model, so they neither certify nor test it; written by `retrain`."""
    accept: float | None = Field(None, ge=0, le=1)
    """Accept threshold set by hand, 0 to 1; it can only be stricter than costs and certificate."""
    reject: float | None = Field(None, ge=0, le=1)
    """Reject threshold set by hand, 0 to 1; it can only be stricter than that of the costs."""
    most_cents: int | None = Field(None, ge=0)
    """Amount above which nothing is accepted unseen, cents; without limit by default."""
    audit_share: float = Field(0.02, ge=0, le=1)
    """Share of accepted proposals that is drawn at random for an audit, 0 to 1."""
    reviewers: Reviewers = Reviewers()
    inflow: Inflow = Inflow()
    alarm: ShiftAlarm = ShiftAlarm()
    """When a changed share of matches voids the certificate."""

    def thresholds(self) -> Thresholds:
        """Give the thresholds that decide: the strictest of costs, certificate and hand.

        A certificate does not count if it promises less than is now asked for, or was earned under
        another limit of the amount.
        """
        certified = self.certified
        fits = (
            certified is not None
            and certified.target >= self.promise.target
            and certified.miss_rate <= self.promise.miss_rate
            and certified.most_cents == self.most_cents
        )
        return strictest(
            self.costs,
            certified=certified.threshold if certified is not None and fits else None,
            void=certified is not None and bool(certified.void),
            accept=self.accept,
            reject=self.reject,
        )

    def with_certificate(
        self, certificate: Certificate, *, trained: float, trained_on: int
    ) -> DecisionConfiguration:
        """Give the same configuration with a certificate just earned; with none where it has no threshold."""
        at = certificate.at
        certified = at and Certified(
            threshold=at.threshold,
            target=certificate.target,
            miss_rate=certificate.miss_rate,
            labels=at.labels,
            errors=at.errors,
            trained=trained,
            trained_on=trained_on,
            most_cents=self.most_cents,
        )
        return self.model_copy(update={"certified": certified})

    def with_void(self, why: str) -> DecisionConfiguration:
        """Give the same configuration with its certificate voided."""
        if self.certified is None:
            return self
        return self.model_copy(update={"certified": self.certified.model_copy(update={"void": why})})

    def content(self) -> dict[str, Any]:
        """Give all keys and values as they are stored."""
        return self.model_dump(mode="json")
