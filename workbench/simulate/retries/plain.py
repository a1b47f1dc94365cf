"""Retries with exponential back-off, as client libraries make them."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, get_args

from pydantic import Field

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.retries._base import RETRIES, Budget, Jitter, Retries, RetryRules
from workbench.tables import Outcome

Failure = Literal["refused", "no_healthy_server", "timeout", "server_error", "unreachable", "reset"]
_ALL: tuple[Failure, ...] = get_args(Failure)


@RETRIES.register
class PlainRetries(Retries):
    """Attempts after waits that grow, spread by chance, within a budget if wanted."""

    summary: ClassVar[str] = "exponential back-off with jitter, and a budget if wanted"
    kind: Literal["plain"] = "plain"
    most: int = Field(3, ge=1, le=100)
    """Attempts in all, 1 to 100."""
    on: tuple[Failure, ...] = _ALL
    """The outcomes after which another attempt is made."""
    wait: Duration = 0.1
    """Before the second attempt, seconds."""
    factor: float = Field(2.0, ge=1, le=100)
    """Each further wait is so many times the one before."""
    most_wait: PositiveDuration = 10.0
    jitter: Literal["none", "full", "equal", "exponential"] = "full"
    """`full`: uniform from 0 to the wait; `equal`: from half of it; `exponential`: with it as the mean."""
    within: PositiveDuration | None = None
    """No attempt begins later than this after the first one, seconds."""
    budget: float | None = Field(None, ge=0, le=100)
    """Retries that each request earns, such as 0.2; unused ones are lost after 10 s; without it no bound."""
    reserve: float = Field(0.0, ge=0)
    """With `budget`: retries a second that there are beside the earned ones."""

    def rules(self, strategy: str) -> RetryRules:
        """As the settings say."""
        budget = Budget() if self.budget is None else Budget(earned=self.budget, reserve=10.0 * self.reserve)
        return RetryRules(
            most=self.most,
            on=frozenset(Outcome[name.upper()] for name in self.on),
            wait=self.wait,
            factor=self.factor,
            most_wait=self.most_wait,
            jitter=Jitter[self.jitter.upper()],
            budget=budget,
            within=math.inf if self.within is None else self.within,
        )
