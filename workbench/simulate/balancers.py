"""The balancers between the clients and the pool, as a scenario describes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import OneOrMany, Section
from workbench.quantities import PositiveDuration
from workbench.simulate.checks import CHECKS, HealthCheck
from workbench.simulate.detectors import DETECTORS, Detector
from workbench.simulate.failover import FAILOVER, Failover
from workbench.simulate.pool import Servers
from workbench.simulate.retries import RETRIES, Retries, RetryRules
from workbench.simulate.slow_start import SLOW_STARTS, SlowStart
from workbench.simulate.strategies import STRATEGIES, Strategy
from workbench.simulate.weights import WEIGHT_RULES, WeightRule

_DETECTORS = {"nginx": "nginx.max_fails", "finagle": "finagle.failure_accrual"}
_FAILOVER = {"nginx": "nginx.backup", "haproxy": "haproxy.backup", "envoy": "envoy.priorities"}
_RETRIES = {"nginx": "nginx", "haproxy": "haproxy", "finagle": "finagle"}
_QUEUEING = ("haproxy",)
"""Products whose balancers let requests wait where all servers are full."""


class Sharing(StrEnum):
    """What a balancer counts as in flight."""

    PRIVATE = "private"
    """Only what it sent itself."""
    SHARED = "shared"
    """What all balancers sent; they share everything else too, such as a round robin's place."""
    REFRESHED = "refreshed"
    """What all sent, as last told, and what it sent itself since then."""


class Queue(Section):
    """Where requests wait at a balancer while the servers that they may go to are full."""

    limit: int | None = Field(None, ge=0)
    """Requests that may wait in all, or at one server (HAProxy's `maxqueue`); no bound by default."""
    timeout: PositiveDuration | None = None
    """How long one may wait, seconds (HAProxy's `timeout queue`); no bound by default."""
    full_load: int | None = Field(None, ge=1)
    """Requests at a balancer at which a `least_limit` has grown to the `limit` (HAProxy's `fullconn`).

    By default the sum of the limits.
    """


class Breaker(Section):
    """What a balancer refuses so that a pool in trouble is not drowned."""

    max_requests: int = Field(1024, ge=1)
    """Requests in flight at once from one balancer to one priority, 1 or more; the next is refused."""


class Balancers(Section):
    """The balancers between the clients and the pool.

    What is left out is as the strategy's product does by default: `nginx.*` counts failures and tries the
    next server, `haproxy.*` retries connections and queues, `finagle.*` marks dead and requeues.
    """

    strategy: Annotated[Strategy, STRATEGIES]
    count: int = Field(1, ge=1, le=10_000)
    """Balancers that share the pool, 1 to 10,000; each request comes to one of them by chance."""
    view: Sharing = Sharing.PRIVATE
    """What each counts as in flight."""
    refresh_every: PositiveDuration | None = None
    """With `view: refreshed`, how often each balancer is told what all have in flight, seconds.

    Of n balancers the i-th, from 0, is told first after 1 + i / n times that, so that they take turns.
    """
    zone: Annotated[list[str], OneOrMany()] = Field([], max_length=10_000)
    """Where the balancers stand, for zone-aware failover; of several zones, one after the other."""
    checks: Annotated[HealthCheck, CHECKS] | None = None
    """Active health checks; none by default."""
    detector: Annotated[Detector, DETECTORS] | None = None
    """Passive health checks; the product's own by default."""
    failover: Annotated[Failover, FAILOVER] | None = None
    """Which servers a request may go to; the product's own rule by default."""
    slow_start: Annotated[SlowStart, SLOW_STARTS] | None = None
    """How the weight of a server grows that has come back; at once by default."""
    weights: Annotated[WeightRule, WEIGHT_RULES] | None = None
    """How weights change; they stay by default."""
    retries: Annotated[Retries, RETRIES] | None = None
    """What follows a failed attempt; the product's own policy by default."""
    queue: Queue | None = None
    """Lets requests wait while servers are full; those of HAProxy do so anyway."""
    breaker: Breaker | None = None
    """Refuses requests beyond a bound; there is none by default."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.view is Sharing.REFRESHED) != (self.refresh_every is not None):
            raise PydanticCustomError("refresh", "`refresh_every` with `view: refreshed`, and only then")
        self.holding_detector().check_with(self.checks)
        return self

    def check_pool(self, servers: Servers) -> None:
        """Refuse settings that do not fit a pool.

        Raises:
            PydanticCustomError: with what is allowed.
        """
        for part in (self.checks, self.weights, self.holding_failover()):
            if part is not None:
                part.check_pool(servers)

    @property
    def queues(self) -> Queue | None:
        """The queue that there is."""
        return self.queue or (Queue() if self.strategy.product in _QUEUEING else None)

    def retry_rules(self) -> RetryRules:
        """The rules of the policy that holds."""
        policy = self.retries or RETRIES.read(_RETRIES.get(self.strategy.product, "none"))
        return policy.rules(self.strategy.kind)

    def holding_detector(self) -> Detector:
        """The detector that holds."""
        return self.detector or DETECTORS.read(_DETECTORS.get(self.strategy.product, "none"))

    def holding_failover(self) -> Failover:
        """The rule of failover that holds."""
        return self.failover or FAILOVER.read(_FAILOVER.get(self.strategy.product, "in_order"))
