"""The next server, as nginx tries it."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import Duration
from workbench.simulate.retries._base import RETRIES, Retries, RetryRules
from workbench.tables import Outcome

_FAILURES = {
    "error": (Outcome.UNREACHABLE, Outcome.RESET),
    "timeout": (Outcome.TIMEOUT,),
    "http_500": (Outcome.SERVER_ERROR,),
    "http_503": (Outcome.REFUSED,),
}


@RETRIES.register
class NginxNextUpstream(Retries):
    """Each server at most once, at once, until one answers or all have failed."""

    summary: ClassVar[str] = "nginx's proxy_next_upstream: each server once, at once"
    kind: Literal["nginx"] = "nginx"
    next_upstream: tuple[Literal["error", "timeout", "http_500", "http_503"], ...] = ("error", "timeout")
    """nginx's `proxy_next_upstream`: what counts as failed; `http_503` is a server whose queue is full."""
    tries: int = Field(0, ge=0, le=30_000)
    """`proxy_next_upstream_tries`: attempts in all; 0 is one for each server."""
    timeout: Duration = 0.0
    """`proxy_next_upstream_timeout`: no attempt begins later than this after the first; 0 is no bound."""
    read_timeout: Duration = 60.0
    """`proxy_read_timeout`: an attempt without an answer has then failed, seconds; 0 is no bound."""

    def rules(self, strategy: str) -> RetryRules:
        """A server that failed is not tried again for the same request."""
        return RetryRules(
            most=self.tries,
            on=frozenset(outcome for name in self.next_upstream for outcome in _FAILURES[name]),
            within=self.timeout or math.inf,
            try_timeout=self.read_timeout or math.inf,
            not_again=True,
        )
