"""Finagle's power of two choices by latency, quick to see peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.quantities import PositiveDuration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.random import pick as any_usable

_EFFORT = 5
_PENALTY = float((2**63 - 1) >> 16)
_NANOSECONDS = 1e9


def pick(view: View, rng: Generator) -> int:
    """Draw two different servers; prefer the usable one, then the smaller cost x (in flight + 1).

    `floats` holds the decay time in seconds, then each server's cost in nanoseconds and the time when
    it was last reckoned. After five pairs without a usable server, draw among those that are usable.
    """
    usable = view.usable
    count = len(usable)
    for _ in range(_EFFORT):
        first = int(rng.random() * count)
        second = first
        if count > 1:
            second = int(rng.random() * (count - 1))
            if second >= first:
                second += 1
        if usable[first] and usable[second]:
            return first if load(view, first) <= load(view, second) else second
        if usable[first]:
            return first
        if usable[second]:
            return second
    return any_usable(view, rng)


def load(view: View, server: int) -> float:
    """Let the cost decay until now, and multiply it by the requests that there would be."""
    floats = view.floats
    count = len(view.usable)
    idle = max(view.now[0] - floats[1 + count + server], 0.0)
    floats[1 + server] *= math.exp(-idle / floats[0])
    floats[1 + count + server] = view.now[0]
    pending = view.in_flight[server]
    if floats[1 + server] == 0.0 and pending > 0:
        return _PENALTY + pending
    return floats[1 + server] * (pending + 1)


def ended(view: View, server: int, seconds: float) -> None:
    """Raise the cost to a longer response time at once, or let a shorter one in as time passes."""
    floats = view.floats
    count = len(view.usable)
    now = view.now[0]
    time = seconds * _NANOSECONDS
    cost = floats[1 + server]
    if time > cost:
        cost = time
    else:
        kept = math.exp(-max(now - floats[1 + count + server], 0.0) / floats[0])
        cost = cost * kept + time * (1.0 - kept)
    floats[1 + server] = cost
    floats[1 + count + server] = now


@STRATEGIES.register
class FinagleP2cPeakEwma(Strategy):
    """The one of two different servers with the lower latency for its requests in flight.

    Latency is a moving average that jumps to each peak and forgets it over the decay time. A server
    that has requests but no answer yet costs more than any other. Weights do not count.
    """

    summary: ClassVar[str] = "the faster of two different servers drawn at random, by peak EWMA"
    source: ClassVar[str] = "Finagle, develop branch (PeakEwma.scala)"
    kind: Literal["finagle.p2c_peak_ewma"] = "finagle.p2c_peak_ewma"
    decay_time: PositiveDuration = 10.0
    """Time after which a peak counts for 1/e, seconds; above 0."""
    pick = staticmethod(pick)
    ended = staticmethod(ended)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin without any latency."""
        return Memory([], [self.decay_time, *[0.0] * (2 * servers.count)])
