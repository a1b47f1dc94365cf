"""Retries with throttling, as gRPC's clients make them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.retries._base import RETRIES, Budget, Jitter, Retries, RetryRules
from workbench.tables import Outcome


@RETRIES.register
class GrpcRetries(Retries):
    """Attempts with exponential back-off and full jitter, throttled while too many fail."""

    summary: ClassVar[str] = "gRPC's retryPolicy and retryThrottling (gRFC A6)"
    kind: Literal["grpc"] = "grpc"
    max_attempts: int = Field(4, ge=2, le=5)
    """Attempts in all, 2 to 5."""
    initial_backoff: PositiveDuration = 0.1
    max_backoff: PositiveDuration = 1.0
    backoff_multiplier: float = Field(2.0, gt=0, le=100)
    max_tokens: float | None = Field(None, gt=0, le=1000)
    """`retryThrottling`: a failure takes a token, and below half of them nothing is retried; none without."""
    token_ratio: float = Field(0.1, gt=0, le=1000)
    """Tokens that a good answer puts back."""

    def rules(self, strategy: str) -> RetryRules:
        """The rules of gRFC A6, for the status UNAVAILABLE."""
        return RetryRules(
            most=self.max_attempts,
            on=frozenset({Outcome.UNREACHABLE, Outcome.REFUSED, Outcome.SERVER_ERROR, Outcome.RESET}),
            wait=self.initial_backoff,
            factor=self.backoff_multiplier,
            most_wait=self.max_backoff,
            jitter=Jitter.FULL,
            budget=Budget()
            if self.max_tokens is None
            else Budget(tokens=self.max_tokens, refund=self.token_ratio),
        )
