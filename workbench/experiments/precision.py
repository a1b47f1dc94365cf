"""Stopping at a relative precision: how many replications it takes, judged as they come in."""

from __future__ import annotations

import math

from workbench.experiments.intervals import Interval

FIRST = 10
"""Replications before precision is judged for the first time; with fewer, chance stops too early."""

_STEP = 4
"""The number of replications grows at most so many times at once, for the first guess is a rough one."""


def is_precise(interval: Interval, precision: float) -> bool:
    """Tell whether an interval is as narrow as was asked for.

    What is bounded is the error by the true value, so that the half-width by the estimate has to be
    precision / (1 + precision) (Law, Simulation Modeling and Analysis, 5th ed. (2015), section 9.4.1).

    Args:
        interval: of the measure.
        precision: share of the true value, above 0.
    """
    return interval.relative <= target(precision)


def target(precision: float) -> float:
    """Give the half-width by the estimate at which the error is the given share of the true value."""
    return precision / (1.0 + precision)


def next_count(relative: float, count: int, *, precision: float, most: int) -> int:
    """Say how many replications to have next: half-widths shrink with the root of their number.

    Args:
        relative: half-width by the estimate with `count` replications.
        count: replications so far, 2 or more.
        precision: share of the true value, above 0.
        most: the limit.
    """
    needed = needed_count(relative, count, precision=precision)
    return min(most, max(count + 1, min(needed, _STEP * count)))


def needed_count(relative: float, count: int, *, precision: float) -> int:
    """Guess how many replications a precision takes in all.

    Args:
        relative: half-width by the estimate with `count` replications.
        count: 1 or more.
        precision: share of the true value, above 0.

    >>> needed_count(0.02, 10, precision=0.01)
    41
    """
    if not math.isfinite(relative):
        return count + 1
    return math.ceil(count * (relative / target(precision)) ** 2)
