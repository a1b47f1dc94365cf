"""The simulated clock: SimPy's event list under a documented order of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from heapq import heappush
from typing import Any

from simpy import Environment, Event


class Kind(IntEnum):
    """What happens first among events of one instant; among equals the lower number goes first, then
    the event that was put on the clock first.

    Capacity is freed before it is asked for: ends of service, then answers, then faults that begin or end,
    what balancers learn (ends of checks, of ejections, ticks, refreshed views, weights), checks that begin,
    requests that reach a server, timers that run out, attempts made again, and arrivals. The number is the
    attempt's, the request's, the server's or the balancer's, or the user's where a user sends. SimPy's
    own events (priorities 0 and 1) come before all of these.
    """

    FINISH = 2
    ANSWER = 3
    FAULT = 4
    CHECKED = 5
    RELEASE = 6
    TICK = 7
    REFRESH = 8
    REWEIGH = 9
    RAMP = 10
    CHECK = 11
    REACH = 12
    TIMER = 13
    AGAIN = 14
    ARRIVE = 15


class Happening(Event):
    """A SimPy event that will happen for certain, at a known time, and has one thing to do."""

    order = 0

    def __init__(self, time: float, number: int, action: Callable[[Happening], None]) -> None:
        self.callbacks = [action]
        self.time = time
        self.number = number
        self._ok = True

    def __lt__(self, other: Happening) -> bool:
        """Tell whether this one was put on the clock before another of the same time, kind and number."""
        return self.order < other.order


class Clock(Environment):
    """A SimPy environment in which events are put at absolute times.

    `Timeout` counts from now on and so rounds; two engines agree to the last bit only on absolute
    times. Everything else, such as processes and `run`, is SimPy's.
    """

    @property
    def pending(self) -> int:
        """Number of events that are still to happen."""
        return len(self._queue)

    @property
    def events(self) -> Iterable[tuple[Any, ...]]:
        """The events that are still to happen, in no order: time, kind, number and the event."""
        return self._queue

    def at(self, time: float, kind: int, number: int, action: Callable[[Happening], None]) -> None:
        """Let `action` be called at `time`, in seconds; `number` as in `Kind`."""
        heappush(self._queue, (time, kind, number, Happening(time, number, action)))  # type: ignore[misc]

    def run_before(self, time: float) -> None:
        """Let all happen that comes before a time, and nothing of that instant itself."""
        queue, step = self._queue, self.step
        while queue and queue[0][0] < time:
            step()


class OrderedClock(Clock):
    """A clock for events of which several may have one time, kind and number."""

    def at(self, time: float, kind: int, number: int, action: Callable[[Happening], None]) -> None:
        """Let `action` be called at `time`, in seconds; `number` as in `Kind`."""
        happening = Happening(time, number, action)
        happening.order = next(self._eid)
        heappush(self._queue, (time, kind, number, happening))  # type: ignore[misc]
