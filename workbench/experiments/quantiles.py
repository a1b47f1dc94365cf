"""Intervals for quantiles of one run, without taking its requests as independent."""

from __future__ import annotations

import math

import numpy as np

from workbench.experiments.batch_means import check_batches
from workbench.experiments.intervals import LEVEL, Interval, Row, mean_interval, student

SECTIONS = 6
"""Sections that a run is cut into for a quantile: those of the tail need longer ones than means do."""


def quantile_interval(values: Row, q: float, *, sections: int = SECTIONS, level: float = LEVEL) -> Interval:
    """Put an interval on a quantile of a run's values, from the shares above it in each section.

    The share of values above the whole run's quantile is a mean, section by section, and has Student's
    interval; the quantiles of the run at its two ends are the interval of the quantile. It covers better
    than the spread of the sections' own quantiles, which are biased in short sections.

    Args:
        values: those of the requests after the warm-up, in the order of arrival.
        q: 0 to 1, without the ends.
        sections: 5 or more.
        level: 0 to 1, without the ends.

    Raises:
        InputError: fewer than 5 sections, or fewer values than sections.
    """
    check_batches(sections, len(values))
    centre = float(np.quantile(values, q))
    above = [float(np.mean(part > centre)) for part in np.array_split(values, sections)]
    low, high = ends(q, mean_interval(above, level=level))
    return Interval(centre, float(np.quantile(values, low)), float(np.quantile(values, high)))


def section_quantile(values: Row, q: float, *, sections: int = 10, level: float = LEVEL) -> Interval:
    """Put an interval on a quantile from the spread of the sections' quantiles about the whole run's.

    Asmussen and Glynn, Stochastic Simulation (2007), III.4.

    Args:
        values: those of the requests after the warm-up, in the order of arrival.
        q: 0 to 1, without the ends.
        sections: 5 or more.
        level: 0 to 1, without the ends.

    Raises:
        InputError: fewer than 5 sections, or fewer values than sections.
    """
    check_batches(sections, len(values))
    centre = float(np.quantile(values, q))
    apart = np.array([np.quantile(part, q) for part in np.array_split(values, sections)]) - centre
    spread = math.sqrt(float((apart**2).sum()) / (sections - 1) / sections)
    half = student(level, sections - 1) * spread
    return Interval(centre, centre - half, centre + half)


def ends(q: float, above: Interval) -> tuple[float, float]:
    """Give the two quantiles that stand for an interval of the share above the quantile q, each 0 to 1."""
    half = (above.high - above.low) / 2.0
    return max(0.0, q - half), min(1.0, q + half)
