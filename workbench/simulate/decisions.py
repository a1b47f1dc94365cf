"""One decision of a balancer: what it saw, what was so, and what the alternatives would have brought."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Alternative:
    """A server as it stood when a request was sent."""

    server: int
    usable: bool
    weight: int
    seen_in_flight: int
    """In flight by the balancer's view."""
    in_flight: int
    """In flight from all balancers together."""
    waiting: int
    """Really waiting at the server."""
    begin_in: float
    """Seconds until the request would begin there, requests on the way left out; infinite if refused."""
    response: float
    """Response time that it would bring, seconds; infinite if the server would refuse."""


@dataclass(frozen=True)
class Decision:
    """The decision for one request."""

    request: int
    time: float
    """When it was made, seconds on the simulated clock."""
    balancer: int
    demand: float
    """Service demand of the request, seconds."""
    chosen: int
    """The server, from 0; -1 where there was none to pick."""
    told: float | None
    """Seconds since the balancer was last told what others have in flight; None where it is not told."""
    alternatives: tuple[Alternative, ...]

    @property
    def best(self) -> int:
        """The usable server with the least response time, the first of equals; -1 where none is usable."""
        usable = [one for one in self.alternatives if one.usable]
        return min(usable, key=lambda one: one.response).server if usable else -1

    @property
    def regret(self) -> float:
        """Seconds by which the best usable server would have answered sooner; NaN where none was picked."""
        if self.chosen < 0:
            return math.nan
        chosen, best = self.alternatives[self.chosen].response, self.alternatives[self.best].response
        return 0.0 if chosen == best else chosen - best
