"""Poisson arrivals whose rate changes over time, by a change of time scale.

Unit-rate arrivals s_1, s_2, ... become times t_i at which the cumulative rate reaches s_i (Cinlar,
Introduction to Stochastic Processes, 1975, section 4.7).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.simulate.arrivals._base import Arrivals, ArrivalSource

Pieces = Callable[[], tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]
"""Gives the next pieces of a rate: their lengths in seconds, rates at the beginning, rates at the end.

Between the two the rate goes in a straight line. No further piece: the arrivals end.
"""


def time_changed(rng: Generator, pieces: Pieces) -> ArrivalSource:
    """Poisson arrivals under a rate that comes in pieces."""
    total = 0.0
    begun = np.zeros(1)
    level = np.zeros(1)
    first = last = np.empty(0)
    ended = False

    def extend(target: float) -> None:
        nonlocal begun, level, first, last, ended
        while level[-1] <= target and not ended:
            length, low, high = pieces()
            ended = len(length) == 0
            begun = _longer(begun, length)
            level = _longer(level, length * (low + high) / 2.0)
            first, last = np.concatenate((first, low)), np.concatenate((last, high))

    def forget(reached: float) -> None:
        nonlocal begun, level, first, last
        done = max(0, int(np.searchsorted(level, reached, side="right")) - 1)
        done = min(done, len(first))
        begun, level, first, last = begun[done:], level[done:], first[done:], last[done:]

    def source(count: int) -> Arrivals:
        nonlocal total
        reached = np.cumsum(np.concatenate(([total], rng.standard_exponential(count))))[1:]
        if count == 0:
            return Arrivals(reached)
        total = float(reached[-1])
        extend(total)
        reached = reached[reached < level[-1]]
        piece = np.searchsorted(level, reached, side="right") - 1
        slope = (last[piece] - first[piece]) / (begun[piece + 1] - begun[piece])
        times = begun[piece] + _invert(reached - level[piece], first[piece], slope)
        forget(total)
        return Arrivals(times)

    return source


def _longer(sums: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate((sums, np.cumsum(np.concatenate((sums[-1:], steps)))[1:]))


def _invert(
    area: NDArray[np.float64], rate: NDArray[np.float64], slope: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve rate x + slope x^2 / 2 = area for the smaller x >= 0, in the form that does not cancel."""
    return 2.0 * area / (rate + np.sqrt(np.maximum(rate * rate + 2.0 * slope * area, 0.0)))
