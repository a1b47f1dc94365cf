"""Retries within a budget, as Finagle's clients make them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.retries._base import RETRIES, Budget, Retries, RetryRules
from workbench.tables import Outcome

Failure = Literal["unreachable", "refused", "reset", "server_error", "timeout"]


@RETRIES.register
class FinagleRetries(Retries):
    """Requeues at once, as long as the retry budget has something left."""

    summary: ClassVar[str] = "Finagle's RetryBudget: 20 % of the requests and 10 a second"
    kind: Literal["finagle"] = "finagle"
    on: tuple[Literal["unreachable", "refused", "reset", "server_error", "timeout"], ...] = (
        "unreachable",
        "refused",
    )
    """Outcomes after which a request is sent again; Finagle knows that the first two did no harm."""
    most: int = Field(25, ge=1, le=1000)
    """Attempts in all."""
    ttl: PositiveDuration = 10.0
    """What a request earns is lost after this time, seconds."""
    min_retries_per_second: float = Field(10.0, ge=0)
    percent_can_retry: float = Field(0.2, ge=0, le=1000)
    """Retries that each request earns."""

    def rules(self, strategy: str) -> RetryRules:
        """A leaky bucket of retries."""
        return RetryRules(
            most=self.most,
            on=frozenset(Outcome[name.upper()] for name in self.on),
            budget=Budget(
                earned=self.percent_can_retry, reserve=self.min_retries_per_second * self.ttl, keep=self.ttl
            ),
        )
