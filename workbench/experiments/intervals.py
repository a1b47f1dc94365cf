"""Estimates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

LEVEL = 0.95

Row = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval, in the unit of what was measured."""

    value: float
    low: float
    high: float

    @property
    def relative(self) -> float:
        """Half of its width as a share of the estimate; infinite where that is 0 and the width is not."""
        half = (self.high - self.low) / 2.0
        if self.value == 0.0:
            return 0.0 if half == 0.0 else math.inf
        return half / abs(self.value)


def student(level: float, freedom: int) -> float:
    """Give Student's factor of a two-sided interval.

    Args:
        level: 0 to 1, without the ends.
        freedom: degrees of freedom, 1 or more.
    """
    return float(stdtrit(freedom, 0.5 + level / 2.0))


def mean_interval(values: Sequence[float] | Row, *, level: float = LEVEL) -> Interval:
    """Put Student's interval on the mean of values that are independent of each other.

    Args:
        values: those of replications, or of batches so long that they count as independent; 2 or more.
        level: 0 to 1, without the ends.

    >>> interval = mean_interval([1.0, 2.0, 3.0])
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.484, 4.484)
    """
    row = np.asarray(values, dtype=np.float64)
    half = student(level, len(row) - 1) * float(row.std(ddof=1)) / math.sqrt(len(row))
    value = float(row.mean())
    return Interval(value, value - half, value + half)
