"""Finagle's failure accrual.

`ints` holds which policies work, the failures in a row that are too many, and the least number of requests,
then for each server its state, its failures in a row, how often each policy has marked it dead, and the
requests of late: a counter, four past slices, and the place of the oldest. `floats` holds the success
rate, the window in milliseconds, and the two ends of the back-off, then for each server when it began
anew, the average, when that was told last (below 0: never), and when its slice began; milliseconds.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import PositiveDuration
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

_BY_ROW, _BY_RATE, _LIMIT, _LEAST, _COUNTERS = range(5)
_STATE, _ROW, _DEAD_BY_ROW, _DEAD_BY_RATE, _NOW, _PLACE, _PAST = range(7)
_PAST_SLICES = 4
_SLICES = _PAST_SLICES + 1
_RATE, _WINDOW, _SHORTEST, _LONGEST, _TIMES = range(5)
_BORN, _AVERAGE, _TOLD, _SLICE_BEGAN = range(4)
_ALIVE, _DEAD, _PROBE_OPEN, _PROBE_CLOSED = range(4)
_MOST_SHIFTS = 40

_OK = int(Outcome.OK)
_FAILURES = (
    int(Outcome.REFUSED),
    int(Outcome.TIMEOUT),
    int(Outcome.SERVER_ERROR),
    int(Outcome.UNREACHABLE),
)


def answered(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Move between alive, dead and probing; what the client gave up itself only frees the probe's place."""
    ints = state.ints
    own = counter(state, _STATE, server)
    before = ints[own]
    if outcome == _OK:
        if before == _PROBE_CLOSED:
            revive(state, server)
        count_success(state, server)
    elif outcome in _FAILURES:
        if before in (_ALIVE, _PROBE_CLOSED):
            dead_for = count_failure(state, server, rng)
            if dead_for > 0.0:
                ints[own] = _DEAD
                state.ejected[server] = 1
                state.until[server] = state.now[0] + dead_for
            elif before == _PROBE_CLOSED:
                open_probe(state, server)
    elif before == _PROBE_CLOSED:
        open_probe(state, server)
    return NOTHING if ints[own] == before else CHANGED


def picked(state: DetectorState, server: int) -> int:
    """Let no second request follow the one that probes."""
    own = counter(state, _STATE, server)
    if state.ints[own] != _PROBE_OPEN:
        return NOTHING
    state.ints[own] = _PROBE_CLOSED
    state.ejected[server] = 1
    state.until[server] = NOT_BY_TIME
    return CHANGED


def open_probe(state: DetectorState, server: int) -> None:
    """Let one request through to a server that was marked dead."""
    state.ints[counter(state, _STATE, server)] = _PROBE_OPEN
    state.ejected[server] = 0
    state.until[server] = NOT_BY_TIME


def revive(state: DetectorState, server: int) -> None:
    """Take a server for alive whose probe was good, and forget its past."""
    ints = state.ints
    floats = state.floats
    ints[counter(state, _STATE, server)] = _ALIVE
    state.ejected[server] = 0
    state.until[server] = NOT_BY_TIME
    ints[counter(state, _ROW, server)] = 0
    ints[counter(state, _DEAD_BY_ROW, server)] = ints[counter(state, _DEAD_BY_RATE, server)] = 0
    ints[counter(state, _NOW, server)] = ints[counter(state, _PLACE, server)] = 0
    for part in range(_PAST_SLICES):
        ints[counter(state, _PAST + part, server)] = 0
    floats[moment(state, _SLICE_BEGAN, server)] = floats[moment(state, _BORN, server)] = milliseconds(state)
    floats[moment(state, _AVERAGE, server)] = 0.0
    floats[moment(state, _TOLD, server)] = -1.0


def count_success(state: DetectorState, server: int) -> None:
    """Count a good answer by both policies."""
    state.ints[counter(state, _ROW, server)] = 0
    count_request(state, server)
    average(state, server, 1.0)


def count_failure(state: DetectorState, server: int, rng: Generator) -> float:
    """Count a failure by both policies, and give how long the server is dead, seconds; 0 if it is not."""
    ints = state.ints
    row = counter(state, _ROW, server)
    ints[row] += 1
    count_request(state, server)
    rate = average(state, server, 0.0)
    lived = milliseconds(state) - state.floats[moment(state, _BORN, server)]
    dead_for = 0.0
    if (
        ints[_BY_RATE]
        and lived >= state.floats[_WINDOW]
        and rate < state.floats[_RATE]
        and requests(state, server) >= ints[_LEAST]
    ):
        dead_for = back_off(state, counter(state, _DEAD_BY_RATE, server), rng)
    if ints[_BY_ROW] and ints[row] >= ints[_LIMIT]:
        dead_for = max(dead_for, back_off(state, counter(state, _DEAD_BY_ROW, server), rng))
    return dead_for


def average(state: DetectorState, server: int, good: float) -> float:
    """Tell the exponentially weighted average of a new answer."""
    place = moment(state, _AVERAGE, server)
    told = moment(state, _TOLD, server)
    stamp = milliseconds(state) - state.floats[moment(state, _BORN, server)]
    if state.floats[told] < 0.0:
        state.floats[place] = good
    else:
        old = math.exp(-(stamp - state.floats[told]) / state.floats[_WINDOW])
        state.floats[place] = good * (1.0 - old) + state.floats[place] * old
    state.floats[told] = stamp
    return state.floats[place]


def back_off(state: DetectorState, times: int, rng: Generator) -> float:
    """Double with each time: half of it for certain, half by chance; at first the shortest for certain."""
    shortest = state.floats[_SHORTEST]
    dead = state.ints[times]
    state.ints[times] = dead + 1
    if dead == 0:
        return shortest
    half = shortest * 2.0 ** min(dead - 1, _MOST_SHIFTS)
    return min(state.floats[_LONGEST], half + rng.random() * half)


def count_request(state: DetectorState, server: int) -> None:
    """Count a request in the present slice of the window."""
    turn_slices(state, server)
    state.ints[counter(state, _NOW, server)] += 1


def requests(state: DetectorState, server: int) -> int:
    """Sum the requests of the window."""
    turn_slices(state, server)
    count = state.ints[counter(state, _NOW, server)]
    for part in range(_PAST_SLICES):
        count += state.ints[counter(state, _PAST + part, server)]
    return count


def turn_slices(state: DetectorState, server: int) -> None:
    """Put the present slice away once it is over, and empty those in which nothing came."""
    ints = state.ints
    began = moment(state, _SLICE_BEGAN, server)
    length = max(1, int(state.floats[_WINDOW]) // _SLICES)
    since = milliseconds(state) - state.floats[began]
    if since < length:
        return
    present = counter(state, _NOW, server)
    place = counter(state, _PLACE, server)
    ints[counter(state, _PAST + ints[place], server)] = ints[present]
    ints[present] = 0
    ints[place] = (ints[place] + 1) % _PAST_SLICES
    for _ in range(min(int(since / length) - 1, _PAST_SLICES)):
        ints[counter(state, _PAST + ints[place], server)] = 0
        ints[place] = (ints[place] + 1) % _PAST_SLICES
    state.floats[began] = milliseconds(state)


def milliseconds(state: DetectorState) -> int:
    """Read Finagle's clock, in whole milliseconds."""
    return math.floor(1000.0 * state.now[0] + 1e-6)


def counter(state: DetectorState, which: int, server: int) -> int:
    """Find a counter of a server in `ints`."""
    return _COUNTERS + which * len(state.ejected) + server


def moment(state: DetectorState, which: int, server: int) -> int:
    """Find a number of a server in `floats`."""
    return _TIMES + which * len(state.ejected) + server


@DETECTORS.register
class FinagleFailureAccrual(Detector):
    """Marked dead after failures in a row, or by a success rate; then a single request probes.

    A dead server comes back after a back-off, but for one request only: if that is good the server is
    alive and its past forgotten; if it fails, the back-off goes on growing. Both policies work
    by default, and the longer back-off holds. Anything but a good answer is a failure, as is Finagle's
    classification of HTTP; what the client cancelled is neither.
    """

    summary: ClassVar[str] = "dead after 5 failures in a row or below 80 % of successes; one request probes"
    source: ClassVar[str] = "Finagle (FailureAccrualFactory.scala, FailureAccrualPolicy.scala)"
    kind: Literal["finagle.failure_accrual"] = "finagle.failure_accrual"
    answered = staticmethod(answered)
    picked = staticmethod(picked)
    released = staticmethod(open_probe)
    policy: Literal["hybrid", "consecutive_failures", "success_rate"] = "hybrid"
    """What marks a server dead; hybrid is either of the two."""
    consecutive_failures: int = Field(5, ge=1, le=1_000_000)
    """Failures in a row that do, 1 to 1,000,000."""
    required_success_rate: float = Field(0.8, ge=0, le=1)
    """Share of good answers below which it is, 0 to 1, as a moving average over the window."""
    window: PositiveDuration = 30.0
    """Mean age of what the average holds, and the time after which it is first looked at; 1 ms or more."""
    minimum_requests: int = Field(5, ge=0, le=1_000_000)
    """Requests in the window without which the average is not looked at, 0 to 1,000,000."""
    shortest_backoff: PositiveDuration = 5.0
    """Seconds dead at first."""
    longest_backoff: PositiveDuration = 300.0
    """Seconds dead at most."""

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.longest_backoff < self.shortest_backoff:
            raise PydanticCustomError("backoff", "a longest_backoff of shortest_backoff or more")
        if self.window < 0.001:
            raise PydanticCustomError("window", "a window of 1ms or more")
        return self

    def memory(self, servers: Servers) -> Memory:
        """Begin with every server alive, and averages from the start of the run."""
        policies = [int(self.policy != "success_rate"), int(self.policy != "consecutive_failures")]
        settings = [*policies, self.consecutive_failures, self.minimum_requests]
        milliseconds = float(math.floor(1000 * self.window))
        times = [self.required_success_rate, milliseconds, self.shortest_backoff, self.longest_backoff]
        nothing = [0.0] * servers.count
        told = [-1.0] * servers.count
        return Memory(
            [*settings, *[0] * ((_PAST + _PAST_SLICES) * servers.count)],
            [*times, *nothing, *nothing, *told, *nothing],
        )
