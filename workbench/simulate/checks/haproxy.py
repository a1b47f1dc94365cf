"""HAProxy's health checks.

`ints` holds rise, fall and whether there is a `fastinter`, then for each server its health, whether its
next check is hurried, and its errors in a row, which `haproxy.observe` counts. `floats` holds the
intervals when up, in transition and when down, and the spread.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.checks._base import CHECKS, CheckState, HealthCheck
from workbench.simulate.intervals import Interval
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory

_RISE, _FALL, _HAS_FAST, _HEALTH = range(4)
_INTER, _FASTINTER, _DOWNINTER, _SPREAD = range(4)


def checked(state: CheckState, server: int, result: int) -> None:
    """Count a check: the health of a server runs from 0, down, to rise + fall - 1, fully up."""
    if result > 0:
        pass_check(state, server)
    else:
        fail_check(state, server)


def pass_check(state: CheckState, server: int) -> None:
    """Count a check that passed; the last of `rise` ones makes the server fully healthy."""
    ints = state.ints
    full = ints[_RISE] + ints[_FALL] - 1
    health = ints[_HEALTH + server]
    if health < full:
        health += 1
        if health >= ints[_RISE]:
            health = full
            state.up[server] = 1
        ints[_HEALTH + server] = health
    forget_errors(state, server)


def fail_check(state: CheckState, server: int) -> None:
    """Count a check that failed; the last of `fall` ones, or one while it rises, makes the health 0."""
    ints = state.ints
    health = ints[_HEALTH + server]
    if health > 0:
        health -= 1
        if health < ints[_RISE]:
            health = 0
            state.up[server] = 0
        ints[_HEALTH + server] = health


def nearly_down(state: CheckState, server: int) -> None:
    """Lower the health so far that the failure after the next one takes the server down."""
    least = state.ints[_RISE] + 1
    state.ints[_HEALTH + server] = min(state.ints[_HEALTH + server], least)


def last_chance(state: CheckState, server: int) -> None:
    """Set the health so that the next failure takes the server down."""
    state.ints[_HEALTH + server] = state.ints[_RISE]


def hurry(state: CheckState, server: int) -> int:
    """Let the next check begin after `fastinter`; 1 if there is such a thing, else nothing is changed."""
    if state.ints[_HAS_FAST]:
        state.ints[_HEALTH + len(state.up) + server] = 1
        return 1
    return 0


def one_error_more(state: CheckState, server: int) -> int:
    """Count an error that a request met, and give their number in a row."""
    place = _HEALTH + 2 * len(state.up) + server
    state.ints[place] += 1
    return state.ints[place]


def forget_errors(state: CheckState, server: int) -> None:
    """Begin to count errors in a row anew."""
    state.ints[_HEALTH + 2 * len(state.up) + server] = 0


def pause(state: CheckState, server: int, rng: Generator) -> float:
    """Choose the interval by the health: fully up, fully down, or in between."""
    ints = state.ints
    hurried = _HEALTH + len(state.up) + server
    health = ints[_HEALTH + server]
    if ints[hurried]:
        ints[hurried] = 0
        seconds = state.floats[_FASTINTER]
    elif health == ints[_RISE] + ints[_FALL] - 1:
        seconds = state.floats[_INTER]
    elif health == 0:
        seconds = state.floats[_DOWNINTER]
    else:
        seconds = state.floats[_FASTINTER]
    spread = state.floats[_SPREAD]
    if spread > 0.0:
        seconds += seconds * spread * (1.0 - 2.0 * rng.random())
    return seconds


@CHECKS.register
class HaproxyCheck(HealthCheck):
    """The `check` of a server line: `inter`, `fastinter`, `downinter`, `rise` and `fall`.

    A server is up when HAProxy starts, but a first check that fails takes it down at once.
    """

    summary: ClassVar[str] = "down after fall failed checks, up after rise good ones; faster in between"
    source: ClassVar[str] = "HAProxy 2.6 (check.c, server.c)"
    kind: Literal["haproxy.check"] = "haproxy.check"
    checked = staticmethod(checked)
    pause = staticmethod(pause)
    inter: Interval = 2.0
    """Seconds from the end of a check to the next one while the server is fully up."""
    fastinter: Interval | None = None
    """The same while it is on its way up or down; `inter` without it."""
    downinter: Interval | None = None
    """The same while it is fully down; `inter` without it."""
    rise: int = Field(2, ge=1, le=10_000)
    """Good checks in a row after which a server that is down is up, 1 to 10,000."""
    fall: int = Field(3, ge=1, le=10_000)
    """Failed checks in a row after which a server that is up is down, 1 to 10,000."""
    timeout: PositiveDuration | None = None
    """Seconds that an answer may take (`timeout check`); `inter` without it."""
    spread_checks: int = Field(0, ge=0, le=50)
    """Percent by which an interval varies to either side by chance (`spread-checks`), 0 to 50."""

    @property
    def answer_within(self) -> float:
        """Seconds after which a check without an answer has failed."""
        return self.inter if self.timeout is None else self.timeout

    def memory(self, servers: Servers) -> Memory:
        """Begin with every server up, and one failure from down."""
        ints = [self.rise, self.fall, int(self.fastinter is not None)]
        others = [self.inter if given is None else given for given in (self.fastinter, self.downinter)]
        nothing = [0] * servers.count
        return Memory(
            [*ints, *[self.rise] * servers.count, *nothing, *nothing],
            [self.inter, *others, self.spread_checks / 100.0],
        )

    def starts(self, servers: Servers, rng: Generator) -> list[float]:
        """Spread the first checks evenly over `inter`, in whole milliseconds, the first one at once."""
        if self.first_after is not None:
            return list(self.first_after)
        milliseconds = round(1000 * self.inter)
        return [milliseconds * place // servers.count / 1000 for place in range(servers.count)]
