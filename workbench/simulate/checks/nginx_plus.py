"""The active health checks of NGINX Plus, as its documents describe them.

`ints` holds fails and passes, then for each server the failures and the
passes in a row and whether it was checked before. `floats` holds the interval and the jitter.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.checks._base import CHECKS, CheckState, HealthCheck
from workbench.simulate.intervals import Interval
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory

_FAILS, _PASSES, _FAILED = range(3)
_INTERVAL, _JITTER = range(2)


def checked(state: CheckState, server: int, result: int) -> None:
    """Count a check; of a server that has not been checked yet, the first result is enough."""
    ints = state.ints
    count = len(state.up)
    failed = _FAILED + server
    passed = failed + count
    known = passed + count
    if result > 0:
        ints[failed] = 0
        ints[passed] += 1
        if ints[passed] >= ints[_PASSES] or not ints[known]:
            state.up[server] = 1
    else:
        ints[passed] = 0
        ints[failed] += 1
        if ints[failed] >= ints[_FAILS]:
            state.up[server] = 0
    ints[known] = 1


def pause(state: CheckState, server: int, rng: Generator) -> float:
    """Wait for the interval, and up to the jitter longer."""
    jitter = state.floats[_JITTER]
    return state.floats[_INTERVAL] + (rng.random() * jitter if jitter > 0.0 else 0.0)


@CHECKS.register
class NginxPlusHealthCheck(HealthCheck):
    """`health_check` of NGINX Plus, whose source is not public: what its documents leave open is said here.

    Whether the interval is counted from a check's begin or end is not documented; here it is from the end.
    The first checks begin at once, each delayed by the jitter as every other one.
    """

    summary: ClassVar[str] = "unhealthy after fails failed checks in a row, healthy after passes good ones"
    source: ClassVar[str] = "NGINX Plus (documentation of ngx_http_upstream_hc_module)"
    kind: Literal["nginx_plus.health_check"] = "nginx_plus.health_check"
    checked = staticmethod(checked)
    pause = staticmethod(pause)
    interval: Interval = 5.0
    """Seconds between two checks."""
    jitter: Duration = 0.0
    """Every check is delayed by up to so long, by chance."""
    fails: int = Field(1, ge=1, le=10_000)
    """Failed checks in a row after which a server is unhealthy, 1 to 10,000."""
    passes: int = Field(1, ge=1, le=10_000)
    """Good checks in a row after which it is healthy again, 1 to 10,000."""
    mandatory: bool = False
    """Whether a server takes no traffic until its first check has passed."""
    timeout: PositiveDuration = 60.0
    """Seconds that an answer may take (`proxy_read_timeout`)."""

    @property
    def starts_up(self) -> bool:
        """Tell whether a server takes traffic before its first check."""
        return not self.mandatory

    @property
    def answer_within(self) -> float:
        """Seconds after which a check without an answer has failed."""
        return self.timeout

    def memory(self, servers: Servers) -> Memory:
        """Begin with nothing known."""
        return Memory([self.fails, self.passes, *[0] * (3 * servers.count)], [self.interval, self.jitter])

    def starts(self, servers: Servers, rng: Generator) -> list[float]:
        """Begin at once, or after up to the jitter."""
        if self.first_after is not None:
            return list(self.first_after)
        return [self.jitter * rng.random() for _ in servers.names]
