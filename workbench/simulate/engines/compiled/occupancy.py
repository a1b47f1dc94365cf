"""The number of requests in the system over time, where no agenda tells of every ending in turn."""

from __future__ import annotations

import numpy as np

from workbench.simulate.engines.compiled.binding import bind
from workbench.simulate.engines.compiled.state import Count, Floats, Ints, Run, Sum

AREA, CHANGED, IN_SYSTEM = int(Sum.AREA), int(Sum.CHANGED), int(Count.IN_SYSTEM)


_NEVER = np.array([np.inf])


class Occupancy:
    """Sums up arrivals and answers in the order in which they happen, as an agenda would.

    Of one instant the order does not matter: nothing is added between them.
    """

    def __init__(self, run: Run) -> None:
        self.open = np.empty(0)
        """When the requests in the system will be answered."""
        floats = np.empty(0)
        types = (run.counts, run.sums, floats, floats, 0)
        self._integrate = bind(integrate, {}, example=types)

    def add(self, run: Run, arrival: Floats, answered: Floats, until: float) -> None:
        """Count requests that have arrived since, and all answers until a time."""
        answers = np.concatenate((self.open, answered, _NEVER))
        answers.sort()
        due = int(np.searchsorted(answers[:-1], until, side="right"))
        comes = np.concatenate((arrival, _NEVER))
        self._integrate(run.counts, run.sums, comes, answers, len(arrival) + due)
        self.open = answers[due:-1]


def integrate(counts: Ints, sums: Floats, arrival: Floats, answered: Floats, events: int) -> None:
    """Go through so many of two sorted lists of times, both with an end that never comes.

    Compiled by Numba; there is no branch, since nobody could guess which list is next.
    """
    area, changed, inside = sums[AREA], sums[CHANGED], counts[IN_SYSTEM]
    come, gone = 0, 0
    for _ in range(events):
        comes = int(arrival[come] <= answered[gone])
        now = min(arrival[come], answered[gone])
        area += inside * (now - changed)
        changed = now
        inside += 2 * comes - 1
        come += comes
        gone += 1 - comes
    sums[AREA], sums[CHANGED], counts[IN_SYSTEM] = area, changed, inside
