"""Retries, as Envoy's router makes them."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import Duration
from workbench.simulate.retries._base import RETRIES, Budget, Jitter, Retries, RetryRules
from workbench.tables import Outcome

_ON = {
    "5xx": (
        Outcome.SERVER_ERROR,
        Outcome.RESET,
        Outcome.UNREACHABLE,
        Outcome.TIMEOUT,
        Outcome.REFUSED,
        Outcome.NO_HEALTHY_SERVER,
    ),
    "gateway-error": (
        Outcome.RESET,
        Outcome.UNREACHABLE,
        Outcome.TIMEOUT,
        Outcome.REFUSED,
        Outcome.NO_HEALTHY_SERVER,
    ),
    "connect-failure": (Outcome.UNREACHABLE,),
    "reset": (Outcome.RESET, Outcome.UNREACHABLE, Outcome.TIMEOUT),
}


@RETRIES.register
class EnvoyRetries(Retries):
    """Attempts with exponential back-off and full jitter, within the budget or the circuit breaker."""

    summary: ClassVar[str] = "Envoy's retry policy with its retry budget"
    kind: Literal["envoy"] = "envoy"
    retry_on: tuple[Literal["5xx", "gateway-error", "connect-failure", "reset"], ...] = ("5xx",)
    num_retries: int = Field(1, ge=0, le=100)
    """Attempts after the first one."""
    per_try_timeout: Duration = 0.0
    """An attempt without an answer has then failed, seconds; 0 is no bound."""
    base_interval: Duration = 0.025
    """The first wait is uniform up to this, each further one up to twice as much, seconds."""
    max_interval: Duration | None = None
    """Bound of the waits, seconds; ten times `base_interval` without it."""
    previous_hosts: bool = False
    """`retry_host_predicate: previous_hosts`: whether a server that failed the request is passed over.

    It is taken all the same if there is no other, as Envoy looks for another one only so many times.
    """
    budget_percent: float | None = Field(None, ge=0, le=100)
    """`retry_budget`: retries at once, in percent of the requests under way; without it `max_retries`."""
    min_retry_concurrency: int = Field(3, ge=0)
    """With `budget_percent`: so many retries at once are always allowed."""
    max_retries: int = Field(3, ge=0)
    """The circuit breaker's bound on retries at once, where there is no budget."""

    def rules(self, strategy: str) -> RetryRules:
        """The rules of the router's retry state."""
        if self.budget_percent is None:
            budget = Budget(concurrent_share=0.0, concurrent_least=self.max_retries)
        else:
            budget = Budget(self.budget_percent / 100, self.min_retry_concurrency)
        return RetryRules(
            most=self.num_retries + 1,
            on=frozenset(outcome for name in self.retry_on for outcome in _ON[name]),
            wait=self.base_interval,
            factor=2.0,
            most_wait=10 * self.base_interval if self.max_interval is None else self.max_interval,
            jitter=Jitter.FULL,
            try_timeout=self.per_try_timeout or math.inf,
            not_again=self.previous_hosts,
            again_at_last=True,
            budget=budget,
        )
