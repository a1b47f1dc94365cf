"""What every arrival process has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.documents import Family, Member


class Arrivals(NamedTuple):
    """The next arrivals of a process: fewer than were asked for where it ends."""

    time: NDArray[np.float64]
    """Seconds, never decreasing."""
    row: NDArray[np.int64] | None = None
    """The row of the trace that each arrival is, where there is one."""


ArrivalSource = Callable[[int], Arrivals]
"""Gives the next n arrivals; the whole does not depend on the sizes in which it is asked for."""


class ArrivalProcess(Member):
    """When requests arrive."""

    @abstractmethod
    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin a run of the process at time 0."""

    @abstractmethod
    def mean_rate(self) -> float | None:
        """Arrivals per second in the long run; None where that depends on the run itself."""


ARRIVALS: Family[ArrivalProcess] = Family("arrival process", ArrivalProcess)  # type: ignore[type-abstract]


def renewal(gaps: Callable[[int], NDArray[np.float64]]) -> ArrivalSource:
    """Arrivals whose gaps are drawn one after the other.

    The sum runs from the first gap on, in order, so that the times do not depend on the chunks.
    """
    last = 0.0

    def source(count: int) -> Arrivals:
        nonlocal last
        times = np.cumsum(np.concatenate(([last], gaps(count))))[1:]
        last = float(times[-1]) if count else last
        return Arrivals(times)

    return source
