"""nginx's max_fails and fail_timeout.

`ints` holds max_fails and which other answers count, then for each server its failures, when it was last
accessed in vain, and when it was last checked, both in whole seconds of nginx's clock. `floats` holds
fail_timeout and the offset of that clock.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration
from workbench.simulate.checks import CheckState
from workbench.simulate.detectors._base import (
    CHANGED,
    DETECTORS,
    NOT_BY_TIME,
    NOTHING,
    Detector,
    DetectorState,
)
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.tables import Outcome

_MAX_FAILS, _HTTP_500, _HTTP_503, _FAILS = range(4)
_FAIL_TIMEOUT, _OFFSET = range(2)

_ERROR = int(Outcome.SERVER_ERROR)
_REFUSED = int(Outcome.REFUSED)
_NO_ANSWER = (int(Outcome.TIMEOUT), int(Outcome.UNREACHABLE), int(Outcome.RESET))
_ANSWER = (int(Outcome.OK), _ERROR, _REFUSED)


def answered(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Count a failure; a success forgets them if the server was tried anew since the last one."""
    ints = state.ints
    count = len(state.ejected)
    accessed = _FAILS + count + server
    failed = (
        outcome in _NO_ANSWER
        or (outcome == _ERROR and ints[_HTTP_500] > 0)
        or (outcome == _REFUSED and ints[_HTTP_503] > 0)
    )
    if failed:
        ints[_FAILS + server] += 1
        ints[accessed] = ints[accessed + count] = clock(state)
        return judge(state, server)
    if outcome in _ANSWER and ints[accessed] < ints[accessed + count]:
        ints[_FAILS + server] = 0
        return judge(state, server)
    return NOTHING


def picked(state: DetectorState, server: int) -> int:
    """Note a pick after fail_timeout: where the server had failed, it is the only one until an answer."""
    ints = state.ints
    checked = _FAILS + 2 * len(state.ejected) + server
    if clock(state) - ints[checked] > state.floats[_FAIL_TIMEOUT]:
        ints[checked] = clock(state)
        return judge(state, server)
    return NOTHING


def judge(state: DetectorState, server: int) -> int:
    """Reckon whether the server is out, and until which whole second of the clock."""
    ints = state.ints
    checked = ints[_FAILS + 2 * len(state.ejected) + server]
    over = checked + state.floats[_FAIL_TIMEOUT]
    out = 0 < ints[_MAX_FAILS] <= ints[_FAILS + server] and clock(state) <= over
    if out:
        state.ejected[server] = 1
        state.until[server] = over + 1.0 - state.floats[_OFFSET]
        return CHANGED
    if state.ejected[server]:
        state.ejected[server] = 0
        state.until[server] = NOT_BY_TIME
        return CHANGED
    return NOTHING


def clock(state: DetectorState) -> int:
    """Read nginx's clock, which knows whole seconds only."""
    # An ejection ends when the clock strikes; it must not do so an instant later for want of a last digit.
    return math.floor(state.now[0] + state.floats[_OFFSET] + 1e-9)


@DETECTORS.register
class NginxMaxFails(Detector):
    """Out for `fail_timeout` after `max_fails` failures, then one request that tries.

    Time is in whole seconds, so a server is out until the first full second after `fail_timeout` has
    passed. Then the next request picked for it goes there, alone: the server is out again until the answer.
    A pool of a single server is never out. Errors of the connection and timeouts always count.
    """

    summary: ClassVar[str] = "out for fail_timeout after max_fails failures, then one request tries"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_round_robin.c)"
    kind: Literal["nginx.max_fails"] = "nginx.max_fails"
    answered = staticmethod(answered)
    picked = staticmethod(picked)
    max_fails: int = Field(1, ge=0, le=1_000_000)
    """Failures after which a server is out; 0 never. 0 to 1,000,000."""
    fail_timeout: Duration = 10.0
    """How long it is out, whole seconds."""
    unsuccessful: list[Literal["http_500", "http_503"]] = Field([], max_length=2)
    """Answers that count as failures (`proxy_next_upstream`): http_500, an error; http_503, a full queue."""
    clock_offset: Duration = 0.0
    """What nginx's clock shows when the run begins, seconds; only its fraction matters."""

    @field_validator("fail_timeout")
    @classmethod
    def _check_whole(cls, seconds: float) -> float:
        if seconds != int(seconds):
            raise PydanticCustomError("fail_timeout", "whole seconds, 0s or more")
        return seconds

    def memory(self, servers: Servers) -> Memory:
        """Begin without failures; a single server is never counted."""
        limit = self.fails_allowed(servers)[0] if servers.count else 0
        answers = [int(name in self.unsuccessful) for name in ("http_500", "http_503")]
        return Memory(
            [limit, *answers, *[0] * (3 * servers.count)], [self.fail_timeout, self.clock_offset % 1.0]
        )

    def fails_allowed(self, servers: Servers) -> list[int]:
        """Give max_fails for every server; 0 for a single one, whose failures are not counted."""
        return [self.max_fails if servers.count > 1 else 0] * servers.count
