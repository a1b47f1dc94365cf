"""Envoy's active health checks.

`ints` holds the two thresholds and whether any server has had traffic, then for each server the failures
and the successes in a row, whether it was checked before, how its last check ended, and whether a change
of its health is pending. `floats` holds the six intervals and the jitter, in seconds and as a share.
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

_UNHEALTHY_THRESHOLD, _HEALTHY_THRESHOLD, _TRAFFIC, _FAILURES = range(4)
_INTERVAL, _NO_TRAFFIC, _NO_TRAFFIC_HEALTHY = range(3)
_UNHEALTHY, _UNHEALTHY_EDGE, _HEALTHY_EDGE, _JITTER, _JITTER_SHARE = range(3, 8)

_LEAST_PAUSE = 0.001


def checked(state: CheckState, server: int, result: int) -> None:
    """Count a check; the first good one is enough, and a bad answer is enough at any time."""
    ints = state.ints
    count = len(state.up)
    failures = _FAILURES + server
    successes = failures + count
    known = successes + count
    passed = known + count
    pending = passed + count
    ints[pending] = 0
    if result > 0:
        ints[failures] = 0
        if not state.up[server]:
            ints[successes] += 1
            if not ints[known] or ints[successes] >= ints[_HEALTHY_THRESHOLD]:
                state.up[server] = 1
            else:
                ints[pending] = 1
    else:
        ints[successes] = 0
        if state.up[server]:
            ints[failures] += 1
            if result < 0 or ints[failures] >= ints[_UNHEALTHY_THRESHOLD]:
                state.up[server] = 0
                ints[failures] = 0
            else:
                ints[pending] = 1
    ints[passed] = int(result > 0)
    ints[known] = 1
    note_traffic(state)


def note_traffic(state: CheckState) -> None:
    """Note for good once any server has had a request."""
    if not state.ints[_TRAFFIC]:
        for server in range(len(state.up)):
            if state.traffic[server] > 0:
                state.ints[_TRAFFIC] = 1


def pause(state: CheckState, server: int, rng: Generator) -> float:
    """Choose the interval by the last check's end, pending changes, and whether there is traffic at all."""
    note_traffic(state)
    ints = state.ints
    floats = state.floats
    count = len(state.up)
    passed = ints[_FAILURES + 3 * count + server]
    pending = ints[_FAILURES + 4 * count + server]
    if not ints[_TRAFFIC]:
        seconds = floats[_NO_TRAFFIC_HEALTHY] if passed and not pending else floats[_NO_TRAFFIC]
    elif passed:
        seconds = floats[_HEALTHY_EDGE] if pending else floats[_INTERVAL]
    else:
        seconds = floats[_UNHEALTHY_EDGE] if pending else floats[_UNHEALTHY]
    share = floats[_JITTER_SHARE]
    if share > 0.0:
        seconds += rng.random() * share * seconds
    if floats[_JITTER] > 0.0:
        seconds += rng.random() * floats[_JITTER]
    return max(seconds, _LEAST_PAUSE)


@CHECKS.register
class EnvoyHealthCheck(HealthCheck):
    """Envoy's `health_checks`, with all of its intervals.

    A host is unhealthy until its first check, and then one success makes it healthy. A host that answers
    with an error is unhealthy at once, whatever the threshold; one that does not answer, after
    `unhealthy_threshold` checks.
    """

    summary: ClassVar[str] = "thresholds both ways, slower without traffic, a first success is enough"
    source: ClassVar[str] = "Envoy (health_checker_base_impl.cc)"
    kind: Literal["envoy.health_check"] = "envoy.health_check"
    checked = staticmethod(checked)
    pause = staticmethod(pause)
    timeout: PositiveDuration
    """Seconds that an answer may take."""
    interval: Interval
    """Seconds from the end of a check to the next one of a healthy host."""
    unhealthy_threshold: int = Field(ge=1, le=10_000)
    """Checks in a row without an answer after which a host is unhealthy, 1 to 10,000."""
    healthy_threshold: int = Field(ge=1, le=10_000)
    """Good checks in a row after which an unhealthy host is healthy, 1 to 10,000."""
    initial_jitter: Duration = 0.0
    """The first check comes after up to so long, by chance."""
    interval_jitter: Duration = 0.0
    """Every interval is up to so much longer, by chance."""
    interval_jitter_percent: int = Field(0, ge=0, le=1_000)
    """Every interval is up to so many percent longer, by chance, 0 to 1,000."""
    no_traffic_interval: Interval = 60.0
    """The interval until the first request has been sent to any host."""
    no_traffic_healthy_interval: Interval | None = None
    """The same for healthy hosts; `no_traffic_interval` without it."""
    unhealthy_interval: Interval | None = None
    """The interval of unhealthy hosts; `interval` without it."""
    unhealthy_edge_interval: Interval | None = None
    """The interval after a failure that is not yet enough; `unhealthy_interval` without it."""
    healthy_edge_interval: Interval | None = None
    """The interval after a success that is not yet enough; `interval` without it."""

    @property
    def starts_up(self) -> bool:
        """Tell that a host is unhealthy before its first check."""
        return False

    @property
    def answer_within(self) -> float:
        """Seconds after which a check without an answer has failed."""
        return self.timeout

    def memory(self, servers: Servers) -> Memory:
        """Begin with nothing known."""
        unhealthy = self.unhealthy_interval or self.interval
        floats = [
            self.interval,
            self.no_traffic_interval,
            self.no_traffic_healthy_interval or self.no_traffic_interval,
            unhealthy,
            self.unhealthy_edge_interval or unhealthy,
            self.healthy_edge_interval or self.interval,
            self.interval_jitter,
            self.interval_jitter_percent / 100.0,
        ]
        return Memory(
            [self.unhealthy_threshold, self.healthy_threshold, 0, *[0] * (5 * servers.count)], floats
        )

    def starts(self, servers: Servers, rng: Generator) -> list[float]:
        """Begin at once, or after up to `initial_jitter`."""
        if self.first_after is not None:
            return list(self.first_after)
        return [self.initial_jitter * rng.random() for _ in servers.names]
