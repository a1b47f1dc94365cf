"""Intervals from one run: the means of long batches of it count as independent.

Requests of one run depend on each other, so that an interval that takes them as independent is far too
narrow: nominal 95 % cover the truth in 17 % of runs of M/M/1 at load .8.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError
from workbench.experiments.intervals import LEVEL, Interval, Row, mean_interval, student

BATCHES = 20
"""Batches that a run is cut into for a mean: 10 to 30 are known to do."""

FEWEST = 5
"""Batches below which no interval is given."""


def batch_means(values: Row, *, batches: int = BATCHES, level: float = LEVEL) -> Interval:
    """Put an interval on the mean of a run's values.

    Law, Simulation Modeling and Analysis, 5th ed. (2015), section 9.5.3.

    Args:
        values: those of the requests after the warm-up, in the order of arrival.
        batches: 5 or more; each has to be much longer than the queue's memory.
        level: 0 to 1, without the ends.

    Raises:
        InputError: fewer than 5 batches, or fewer values than batches.
    """
    check_batches(batches, len(values))
    interval = mean_interval([float(part.mean()) for part in np.array_split(values, batches)], level=level)
    shift = float(values.mean()) - interval.value
    return Interval(interval.value + shift, interval.low + shift, interval.high + shift)


def ratio_interval(sums: Row, counts: Row, *, level: float = LEVEL) -> Interval:
    """Put an interval on a sum by a count, both given batch by batch.

    Batches of equal time hold unequal numbers of requests, so that their means do not weigh the same
    (Law 2015, section 9.5.2, on regeneration cycles, has the same estimator).

    Args:
        sums: sum of the values in each batch; 2 batches or more.
        counts: number of values in each batch, in all above 0.
        level: 0 to 1, without the ends.
    """
    ratio = float(sums.sum() / counts.sum())
    apart = sums - ratio * counts
    spread = math.sqrt(float((apart**2).sum()) / (len(sums) - 1) / len(sums)) / float(counts.mean())
    half = student(level, len(sums) - 1) * spread
    return Interval(ratio, ratio - half, ratio + half)


def in_batches(slices: NDArray[np.int64] | Row, batches: int) -> Row:
    """Add up neighbouring slices, along the first axis, into so many batches of about equal length."""
    edges = np.linspace(0, len(slices), batches + 1).round().astype(np.int64)[:-1]
    return np.add.reduceat(np.asarray(slices, dtype=np.float64), edges, axis=0)


def check_batches(batches: int, values: int) -> None:
    """Refuse what gives no interval.

    Raises:
        InputError: fewer than 5 batches, or fewer values than batches.
    """
    if not FEWEST <= batches <= values:
        raise InputError(
            f"batches: given {batches} of {values} values; allowed: {FEWEST} to as many as values"
        )
