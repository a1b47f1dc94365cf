"""Quantiles of histograms with cumulative buckets, as PromQL's `histogram_quantile` (2.42)."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from workbench.alerts.courses import Course
from workbench.alerts.labels import Labels
from workbench.alerts.series import Bools, Floats


def histogram_quantile(buckets: Course, quantile: float) -> Course:
    """Bring the buckets of each histogram together into its quantile.

    Args:
        buckets: one row a bucket; the label `le` is its upper bound, the value the count up to it.
        quantile: 0 to 1.
    """
    groups: dict[Labels, list[tuple[float, int]]] = {}
    for row, labels in enumerate(buckets.labels):
        bound = _bound(labels.get("le", ""))
        if not math.isnan(bound):
            groups.setdefault(labels.without(frozenset({"le"})), []).append((bound, row))
    values = np.full((len(groups), buckets.values.shape[1]), np.nan)
    present = np.zeros(values.shape, dtype=np.bool_)
    for place, rows in enumerate(groups.values()):
        rows.sort()
        members = [row for _, row in rows]
        bounds = np.array([bound for bound, _ in rows])
        present[place] = buckets.present[members].any(axis=0)
        for column in np.flatnonzero(present[place]):
            inside = buckets.present[members, column]
            values[place, column] = _quantile(quantile, bounds, buckets.values[members, column], inside)
    return Course(tuple(groups), values, present)


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _quantile(quantile: float, bounds: Floats, counts: Floats, inside: Bools) -> float:
    upper: list[float] = bounds[inside].tolist()
    total: list[float] = np.maximum.accumulate(counts[inside]).tolist()
    if upper[-1] != math.inf or len(upper) < 2 or total[-1] == 0:
        return math.nan
    rank = quantile * total[-1]
    place = bisect_left(total[:-1], rank)
    if place == len(upper) - 1:
        return upper[-2]
    if place == 0 and upper[0] <= 0:
        return upper[0]
    start, below = (upper[place - 1], total[place - 1]) if place else (0.0, 0.0)
    return start + (upper[place] - start) * ((rank - below) / (total[place] - below))
