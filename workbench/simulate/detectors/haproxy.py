"""HAProxy's observe: errors of requests count as failed checks.

It works on the counters of `haproxy.check`, so `ints` holds only what to watch, how many errors are too
many, and what follows.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field
from pydantic_core import PydanticCustomError

from workbench.simulate.checks import CheckState, HealthCheck
from workbench.simulate.checks.haproxy import (
    HaproxyCheck,
    fail_check,
    forget_errors,
    hurry,
    last_chance,
    nearly_down,
    one_error_more,
)
from workbench.simulate.detectors._base import (
    CHANGED,
    CHECK_SOON,
    DETECTORS,
    NOTHING,
    Detector,
    DetectorState,
)
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.tables import Outcome

_LAYER7, _LIMIT, _ACTION = range(3)
_ACTIONS = ("fastinter", "fail-check", "sudden-death", "mark-down")
_FASTINTER, _FAIL_CHECK, _SUDDEN_DEATH, _MARK_DOWN = range(4)

_OK = int(Outcome.OK)
_UNREACHABLE = int(Outcome.UNREACHABLE)
_CONNECTED_IN_VAIN = tuple(
    int(one) for one in (Outcome.REFUSED, Outcome.TIMEOUT, Outcome.SERVER_ERROR, Outcome.RESET)
)


def answered(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Count errors in a row; too many are a failed check, or what else is to follow."""
    ints = state.ints
    in_vain = outcome in _CONNECTED_IN_VAIN
    if outcome == _OK or (in_vain and not ints[_LAYER7]):
        forget_errors(checks, server)
        return NOTHING
    if not (outcome == _UNREACHABLE or in_vain) or one_error_more(checks, server) < ints[_LIMIT]:
        return NOTHING
    forget_errors(checks, server)
    if ints[_ACTION] == _MARK_DOWN:
        last_chance(checks, server)
    elif ints[_ACTION] == _SUDDEN_DEATH:
        nearly_down(checks, server)
    if ints[_ACTION] != _FASTINTER:
        fail_check(checks, server)
    return CHECK_SOON if hurry(checks, server) else CHANGED


@DETECTORS.register
class HaproxyObserve(Detector):
    """`observe` with `error-limit` and `on-error`: the same counters as the active checks.

    With `layer4` only a refused connection is an error, and any other attempt is a good one, since it was
    connected. With `layer7` errors, full queues and timeouts are errors, too. A check that passes
    forgets errors, as a good answer does. After too many, the next check comes after `fastinter`, if
    the checks have one.
    """

    summary: ClassVar[str] = "errors in a row count as failed checks, or take the server down"
    source: ClassVar[str] = "HAProxy 2.6 (check.c)"
    kind: Literal["haproxy.observe"] = "haproxy.observe"
    answered = staticmethod(answered)
    layer: Literal["layer4", "layer7"]
    """What is watched: connections, or answers as well."""
    error_limit: int = Field(10, ge=1, le=1_000_000)
    """Errors in a row that have something follow, 1 to 1,000,000."""
    on_error: Literal["fastinter", "fail-check", "sudden-death", "mark-down"] = "fail-check"
    """What follows: the next check sooner, a failed check, one after which any more is fatal, or down.

    After any of them the next check comes sooner.
    """

    def check_with(self, check: HealthCheck | None) -> None:
        """Refuse to work without `haproxy.check`.

        Raises:
            PydanticCustomError: the active checks are others, or there are none.
        """
        if not isinstance(check, HaproxyCheck):
            allowed = "haproxy.observe together with the health check haproxy.check, whose counters it moves"
            raise PydanticCustomError("observe", allowed)

    def memory(self, servers: Servers) -> Memory:
        """Note the settings; errors are counted beside the checks."""
        return Memory([int(self.layer == "layer7"), self.error_limit, _ACTIONS.index(self.on_error)], [])
