"""From what lasts for a while to the changes at its two ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from workbench.simulate.faults._base import EVERY_BALANCER, Change, Changes, Effect

_ENDS, _BEGINS, _ENDS_AT_ONCE = 0, 1, 2
"""Of one time, what has lasted ends first, so that a server restarts before the next one goes down."""


class Span(NamedTuple):
    """An effect on a server, from its begin to its end."""

    begin: float
    """Seconds from the start of the run."""
    end: float
    """Seconds; infinite where it lasts to the end of the run."""
    effect: Effect
    server: int
    balancer: int = EVERY_BALANCER
    value: float = 0.0
    seconds: float = 0.0


class Occurrence(NamedTuple):
    """A fault happens once: effects of which none begins earlier."""

    time: float
    spans: list[Span]


def tell(occurrences: Iterable[Occurrence]) -> Changes:
    """Give the changes in the order of time, of occurrences in the order of theirs; neither need end.

    Spans of the same effect on the same server that overlap become one: it begins with the first and
    ends with the last.
    """
    marks: list[tuple[float, int, int, Span]] = []
    lasting: Counter[tuple[Effect, int, int]] = Counter()
    numbers = count()

    def tell_until(time: float) -> Changes:
        while marks and marks[0][0] < time:
            at, rank, _, span = heappop(marks)
            begins, which = rank == _BEGINS, (span.effect, span.server, span.balancer)
            lasting[which] += 1 if begins else -1
            if lasting[which] == (1 if begins else 0):
                yield Change(at, begins, *which, span.value, span.seconds)

    for occurrence in occurrences:
        yield from tell_until(occurrence.time)
        for span in occurrence.spans:
            number = next(numbers)
            heappush(marks, (span.begin, _BEGINS, number, span))
            if span.end < math.inf:
                heappush(marks, (span.end, _ENDS if span.end > span.begin else _ENDS_AT_ONCE, number, span))
    yield from tell_until(math.inf)
