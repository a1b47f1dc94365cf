"""Retries and redispatch, as HAProxy makes them."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.retries._base import RETRIES, Retries, RetryRules
from workbench.tables import Outcome

_STAYING = ("haproxy.source", "haproxy.hash")
"""Strategies that are no round robin to HAProxy, after which a request keeps to its server."""
_LONGEST_WAIT = 1.0


@RETRIES.register
class HaproxyRetries(Retries):
    """Attempts after a connection that could not be made; what was sent is not sent again.

    By round robin (and static-rr and random) another server is tried at once if there is one; by all
    others the same one, after a second or `connect_timeout`, whichever is less, unless redispatched.
    """

    summary: ClassVar[str] = "HAProxy's retries and redispatch after connections that could not be made"
    kind: Literal["haproxy"] = "haproxy"
    retries: int = Field(3, ge=0, le=100)
    """Attempts after the first one, 0 to 100."""
    redispatch: int = Field(0, ge=-100, le=100)
    """`option redispatch`: a new pick before every so manieth retry; -1: before the last; 0: not set."""
    connect_timeout: PositiveDuration = 5.0
    """`timeout connect`, seconds; HAProxy has no default."""
    server_timeout: Duration = 0.0
    """`timeout server`: an attempt without an answer has then failed (504), seconds; 0 is no bound."""

    def rules(self, strategy: str) -> RetryRules:
        """The rules of back_handle_st_cer."""
        return RetryRules(
            most=self.retries + 1,
            on=frozenset({Outcome.UNREACHABLE}),
            try_timeout=self.server_timeout or math.inf,
            stay=True,
            stay_wait=min(self.connect_timeout, _LONGEST_WAIT),
            leave_every=self.redispatch,
            leave_freely=self.redispatch != 0 and strategy not in _STAYING,
        )
