"""Envoy's outlier detection.

`ints` holds the settings in whole numbers, then for each server seven counters. `floats` holds the
settings in seconds and the factor of the standard deviation, then for each server when it was ejected,
its jitter, and when it was let in again (below 0: never).
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.checks import CheckState
from workbench.simulate.detectors._base import (
    CHANGED,
    DETECTORS,
    NOT_BY_TIME,
    NOTHING,
    Detector,
    DetectorState,
)
from workbench.simulate.intervals import Interval
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.tables import Outcome

_5XX, _ENFORCING_5XX, _GATEWAY, _ENFORCING_GATEWAY, _MOST_PERCENT, _ALWAYS_ONE = range(6)
_RATE_HOSTS, _RATE_VOLUME, _ENFORCING_RATE = range(6, 9)
_PERCENTAGE, _PERCENTAGE_HOSTS, _PERCENTAGE_VOLUME, _ENFORCING_PERCENTAGE, _CHECKS_LET_IN, _COUNTERS = range(
    9, 15
)
_5XX_ROW, _GATEWAY_ROW, _BACKOFF, _GOOD, _TOTAL, _GOOD_BEFORE, _TOTAL_BEFORE = range(7)
"""The counters of a server, each a stretch of its own; `before` is of the interval that has ended."""

_INTERVAL, _BASE, _MOST, _JITTER, _FACTOR, _TIMES = range(6)
_EJECTED_AT, _OWN_JITTER, _LET_IN_AT = range(3)

_OK = int(Outcome.OK)
_ANSWERS = (_OK, int(Outcome.SERVER_ERROR))
_GATEWAY_ERRORS = (int(Outcome.REFUSED), int(Outcome.TIMEOUT), int(Outcome.UNREACHABLE))

_GRACE = 1e-9
"""What is due at a tick is due then, though the last digit of a sum of times may be missing."""


def answered(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Count an answer as a code 2xx, 500, 503 or 504; the n-th error in a row may eject."""
    ints = state.ints
    gateway = outcome in _GATEWAY_ERRORS
    if not gateway and outcome not in _ANSWERS:
        return NOTHING
    ints[counter(state, _TOTAL, server)] += 1
    row = counter(state, _5XX_ROW, server)
    gateway_row = counter(state, _GATEWAY_ROW, server)
    if outcome == _OK:
        ints[counter(state, _GOOD, server)] += 1
        ints[row] = ints[gateway_row] = 0
        return NOTHING
    ints[gateway_row] = ints[gateway_row] + 1 if gateway else 0
    ints[row] += 1
    before = state.ejected[server]
    if not before and ints[gateway_row] == ints[_GATEWAY]:
        eject(state, server, ints[_ENFORCING_GATEWAY], rng)
        ints[gateway_row] = 0
    if not state.ejected[server] and ints[row] == ints[_5XX]:
        eject(state, server, ints[_ENFORCING_5XX], rng)
        ints[row] = 0
    return CHANGED if state.ejected[server] != before else NOTHING


def counter(state: DetectorState, which: int, server: int) -> int:
    """Find a counter of a server in `ints`."""
    return _COUNTERS + which * len(state.ejected) + server


def moment(state: DetectorState, which: int, server: int) -> int:
    """Find a time of a server in `floats`."""
    return _TIMES + which * len(state.ejected) + server


def eject(state: DetectorState, server: int, enforcing: int, rng: Generator) -> None:
    """Eject a server unless too many are out already, or chance, where it is asked, spares it."""
    ints = state.ints
    floats = state.floats
    out = 0
    for other in range(len(state.ejected)):
        out += state.ejected[other]
    allowed = 100.0 * (out + 1) / len(state.ejected) <= ints[_MOST_PERCENT]
    if not (allowed or (ints[_ALWAYS_ONE] > 0 and out == 0)):
        return
    if enforcing < 100 and int(rng.random() * 100.0) >= enforcing:
        return
    state.ejected[server] = 1
    state.until[server] = NOT_BY_TIME
    floats[moment(state, _EJECTED_AT, server)] = state.now[0]
    jitter = 0.0
    if floats[_JITTER] > 0.0:
        jitter = int(rng.random() * (1000.0 * floats[_JITTER] + 1.0)) / 1000.0
    floats[moment(state, _OWN_JITTER, server)] = jitter
    backoff = counter(state, _BACKOFF, server)
    if ints[backoff] * floats[_BASE] < floats[_MOST] + floats[_BASE]:
        ints[backoff] += 1


def let_in(state: DetectorState, server: int) -> None:
    """End an ejection; errors in a row are counted anew."""
    state.ejected[server] = 0
    state.ints[counter(state, _5XX_ROW, server)] = 0
    state.ints[counter(state, _GATEWAY_ROW, server)] = 0
    state.floats[moment(state, _LET_IN_AT, server)] = state.now[0]


def tick(state: DetectorState, rng: Generator) -> None:
    """End ejections that are over, then look at the rates of the interval that has ended."""
    ints = state.ints
    floats = state.floats
    now = state.now[0] + _GRACE
    for server in range(len(state.ejected)):
        if state.ejected[server]:
            lasts = min(ints[counter(state, _BACKOFF, server)] * floats[_BASE], floats[_MOST])
            lasts += floats[moment(state, _OWN_JITTER, server)]
            if now - floats[moment(state, _EJECTED_AT, server)] >= lasts:
                let_in(state, server)
        good, total = counter(state, _GOOD, server), counter(state, _TOTAL, server)
        ints[counter(state, _GOOD_BEFORE, server)] = ints[good]
        ints[counter(state, _TOTAL_BEFORE, server)] = ints[total]
        ints[good] = ints[total] = 0
    measured = 0
    for server in range(len(state.ejected)):
        measured += int(success_rate(state, server, ints[_PERCENTAGE_VOLUME]) >= 0.0)
    eject_by_success_rate(state, rng)
    if measured >= ints[_PERCENTAGE_HOSTS]:
        eject_by_failure_percentage(state, rng)
    for server in range(len(state.ejected)):
        since = now - floats[moment(state, _LET_IN_AT, server)]
        returned = floats[moment(state, _LET_IN_AT, server)] >= 0.0
        backoff = counter(state, _BACKOFF, server)
        if not state.ejected[server] and returned and since >= floats[_INTERVAL] and ints[backoff] > 0:
            ints[backoff] -= 1


def success_rate(state: DetectorState, server: int, volume: int) -> float:
    """Give the percentage of good answers in the last interval; below 0: too few of them, or ejected."""
    total = state.ints[counter(state, _TOTAL_BEFORE, server)]
    if state.ejected[server] or total == 0 or total < volume:
        return -1.0
    return state.ints[counter(state, _GOOD_BEFORE, server)] * 100.0 / total


def eject_by_success_rate(state: DetectorState, rng: Generator) -> None:
    """Eject servers whose success rate is too many standard deviations below the mean."""
    ints = state.ints
    hosts = 0
    mean = 0.0
    for server in range(len(state.ejected)):
        rate = success_rate(state, server, ints[_RATE_VOLUME])
        if rate >= 0.0:
            hosts += 1
            mean += rate
    if hosts == 0 or hosts < ints[_RATE_HOSTS]:
        return
    mean /= hosts
    variance = 0.0
    for server in range(len(state.ejected)):
        rate = success_rate(state, server, ints[_RATE_VOLUME])
        if rate >= 0.0:
            variance += (rate - mean) ** 2
    least = mean - state.floats[_FACTOR] * math.sqrt(variance / hosts)
    for server in range(len(state.ejected)):
        rate = success_rate(state, server, ints[_RATE_VOLUME])
        if 0.0 <= rate < least:
            eject(state, server, ints[_ENFORCING_RATE], rng)


def eject_by_failure_percentage(state: DetectorState, rng: Generator) -> None:
    """Eject servers too many of whose answers are errors."""
    ints = state.ints
    for server in range(len(state.ejected)):
        rate = success_rate(state, server, ints[_PERCENTAGE_VOLUME])
        if rate >= 0.0 and 100.0 - rate >= ints[_PERCENTAGE]:
            eject(state, server, ints[_ENFORCING_PERCENTAGE], rng)


def check_ended(state: DetectorState, checks: CheckState, server: int, result: int) -> int:
    """Let a server in again that passes an active check and is healthy by it."""
    if state.ints[_CHECKS_LET_IN] and result > 0 and checks.up[server] and state.ejected[server]:
        let_in(state, server)
        return CHANGED
    return NOTHING


Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


@DETECTORS.register
class EnvoyOutlierDetection(Detector):
    """Envoy's `outlier_detection`: errors in a row, success rate, failure percentage.

    A host is ejected for `base_ejection_time` times the number of its ejections of late, and let in again
    only at a tick of `interval`, or by an active check that passes. No host is ejected that would make
    the ejected ones more than `max_ejection_percent` of all: with the 10 of the default and fewer
    than 10 hosts, none. Errors of local origin are not told apart (`split_external_local_origin_errors`).
    """

    summary: ClassVar[str] = "ejects by errors in a row, success rate and failure percentage"
    source: ClassVar[str] = "Envoy (outlier_detection_impl.cc)"
    kind: Literal["envoy.outlier_detection"] = "envoy.outlier_detection"
    answered = staticmethod(answered)
    tick = staticmethod(tick)
    check_ended = staticmethod(check_ended)
    consecutive_5xx: Count = 5
    """Errors of any kind in a row that eject; 0 none. 0 to 1,000,000."""
    enforcing_consecutive_5xx: Percent = 100
    """Percent of the cases in which they do, 0 to 100."""
    consecutive_gateway_failure: Count = 5
    """Errors 502 to 504 in a row that eject: timeouts, refused connections, full queues; 0 none."""
    enforcing_consecutive_gateway_failure: Percent = 0
    """Percent of the cases in which they do, 0 to 100."""
    interval: Interval = 10.0
    """Seconds between two ticks."""
    base_ejection_time: PositiveDuration = 30.0
    """Seconds of a first ejection."""
    max_ejection_time: PositiveDuration | None = None
    """The longest ejection; 300 s, or `base_ejection_time` if that is more, without it."""
    max_ejection_time_jitter: Duration = 0.0
    """An ejection lasts up to so much longer, by chance, in whole milliseconds."""
    max_ejection_percent: Percent = 10
    """Percent of all hosts that may be out at once, 0 to 100."""
    always_eject_one_host: bool = False
    """Whether one host may be ejected whatever the percentage, as before Envoy 1.31."""
    success_rate_minimum_hosts: Count = 5
    """Hosts with enough requests that make the success rate be looked at."""
    success_rate_request_volume: Count = 100
    """Requests in an interval that are enough for that."""
    success_rate_stdev_factor: Count = 1900
    """Thousandths of standard deviations below the mean at which a success rate ejects."""
    enforcing_success_rate: Percent = 100
    """Percent of the cases in which it does, 0 to 100."""
    failure_percentage_threshold: Percent = 85
    """Percent of errors in an interval at which a host is ejected, 0 to 100."""
    enforcing_failure_percentage: Percent = 0
    """Percent of the cases in which it is, 0 to 100."""
    failure_percentage_minimum_hosts: Count = 5
    """Hosts with enough requests that make the failure percentage be looked at."""
    failure_percentage_request_volume: Count = 50
    """Requests in an interval that are enough for that."""
    successful_active_health_check_uneject_host: bool = True
    """Whether an active check that passes lets an ejected host in."""

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.max_ejection_time is not None and self.max_ejection_time < self.base_ejection_time:
            raise PydanticCustomError("ejection", "a max_ejection_time of base_ejection_time or more")
        return self

    @property
    def tick_every(self) -> float | None:
        """Seconds between ticks."""
        return self.interval

    def memory(self, servers: Servers) -> Memory:
        """Begin with no host ejected, and a first tick after one interval."""
        settings = [
            self.consecutive_5xx,
            self.enforcing_consecutive_5xx,
            self.consecutive_gateway_failure,
            self.enforcing_consecutive_gateway_failure,
            self.max_ejection_percent,
            int(self.always_eject_one_host),
            self.success_rate_minimum_hosts,
            self.success_rate_request_volume,
            self.enforcing_success_rate,
            self.failure_percentage_threshold,
            self.failure_percentage_minimum_hosts,
            self.failure_percentage_request_volume,
            self.enforcing_failure_percentage,
            int(self.successful_active_health_check_uneject_host),
        ]
        longest = self.max_ejection_time or max(300.0, self.base_ejection_time)
        factor = self.success_rate_stdev_factor / 1000.0
        times = [self.interval, self.base_ejection_time, longest, self.max_ejection_time_jitter, factor]
        nothing, never = [0.0] * servers.count, [-1.0] * servers.count
        return Memory([*settings, *[0] * (7 * servers.count)], [*times, *nothing, *nothing, *never])
