"""Intervals from the histograms of a run, slice by slice, for runs whose requests are not at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.experiments.batch_means import BATCHES, FEWEST, in_batches, ratio_interval
from workbench.experiments.intervals import LEVEL, Interval, Row
from workbench.experiments.quantiles import SECTIONS, ends
from workbench.tables import BIN_RATIO

_NOTHING = 1e-12
"""Upper edge, in seconds, of the bin of times of 0."""


@dataclass(frozen=True, eq=False)
class SlicedTimes:
    """How often times fell into each bin in each slice of the measured window."""

    counts: NDArray[np.int64]
    """One row a slice, in order of time, one column a bin, in order of size."""
    lower: Row
    """Lower edge of each bin, seconds."""
    upper: Row

    @classmethod
    def of(cls, start: NDArray[Any], bins: NDArray[Any], n: NDArray[Any]) -> SlicedTimes:
        """Arrange rows of a histogram.

        Args:
            start: start of the slice of each row.
            bins: its bin, as in `workbench.tables.HISTOGRAMS`; -1 is a time of 0.
            n: how many times fell there.
        """
        slices, place = np.unique(start, return_inverse=True)
        kinds, column = np.unique(bins.astype(np.int64), return_inverse=True)
        counts = np.zeros((len(slices), len(kinds)), np.int64)
        counts[place, column] = n
        zero = kinds < 0
        lower = np.where(zero, 0.0, BIN_RATIO ** kinds.astype(np.float64) / 1e6)
        return cls(counts, lower, np.where(zero, _NOTHING, lower * BIN_RATIO))

    @property
    def enough(self) -> bool:
        """Whether there are as many slices as an interval needs."""
        return len(self.counts) >= FEWEST and bool(self.counts.sum() > 0)

    def mean(self, exact: float, *, level: float = LEVEL) -> Interval:
        """Put an interval on the mean by batch means.

        Args:
            exact: the mean itself, seconds; the bins give the interval's relative width.
            level: 0 to 1, without the ends.
        """
        table = in_batches(self.counts, min(BATCHES, len(self.counts)))
        found = ratio_interval(table @ ((self.lower + self.upper) / 2.0), table.sum(axis=1), level=level)
        return _about(exact, found)

    def quantile(self, exact: float, q: float, *, level: float = LEVEL) -> Interval:
        """Put an interval on a quantile, as `quantile_interval` does.

        Args:
            exact: the quantile itself, seconds.
            q: 0 to 1, without the ends.
            level: 0 to 1, without the ends.
        """
        table = in_batches(self.counts, min(SECTIONS, len(self.counts)))
        share = np.clip((self.upper - exact) / (self.upper - self.lower), 0.0, 1.0)
        low, high = ends(q, ratio_interval(table @ share, table.sum(axis=1), level=level))
        centre = self._value(q)
        return _about(exact, Interval(centre, self._value(low), self._value(high)))

    def _value(self, q: float) -> float:
        """Find a quantile, inside its bin as if the bin were filled evenly."""
        total = self.counts.sum(axis=0)
        upto = np.concatenate(([0], np.cumsum(total)))
        rank = q * upto[-1]
        place = min(int(np.searchsorted(upto, rank, side="left")), len(total)) - 1
        place = max(place, 0)
        inside = (rank - upto[place]) / max(int(total[place]), 1)
        return float(self.lower[place] + inside * (self.upper[place] - self.lower[place]))


def _about(exact: float, found: Interval) -> Interval:
    """Move an interval to the exact estimate, its ends in the same proportion to it."""
    if found.value == 0.0:
        return Interval(exact, exact, exact)
    return Interval(exact, exact * found.low / found.value, exact * found.high / found.value)
