"""Intervals of shares that were counted."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import betaincinv

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval, in the unit of what was measured."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Give the same figure in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def share_of(hits: int, count: int, *, level: float = LEVEL) -> Estimate:
    """Estimate a share with its exact interval (Clopper and Pearson, 1934); 0 to 1 where nothing was counted.

    >>> found = share_of(0, 100)
    >>> found.value, found.low, round(found.high, 4)
    (0.0, 0.0, 0.0362)
    """
    tail = (1.0 - level) / 2.0
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1.0 - tail)) if hits < count else 1.0
    return Estimate(hits / count if count else 0.0, low, high)
