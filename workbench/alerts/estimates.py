"""Estimates with 95 % intervals, of which none assumes more than the data say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
_TAIL = (1.0 - LEVEL) / 2.0


class Estimate(NamedTuple):
    """A value and its interval; NaN where there is nothing to estimate it from."""

    value: float
    low: float
    high: float


_NONE = Estimate(math.nan, math.nan, math.nan)


def rate_estimate(count: int, length: float) -> Estimate:
    """Estimate a rate from a count of independent events: the exact Poisson interval.

    From: F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.
    """
    from scipy.stats import chi2

    if length <= 0:
        return _NONE
    low = float(chi2.ppf(_TAIL, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(1 - _TAIL, 2 * count + 2)) / 2
    return Estimate(count / length, low / length, high / length)


def share_estimate(count: int, total: int) -> Estimate:
    """Estimate a probability from a count: the exact binomial interval.

    From: C. Clopper and E. Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934.
    """
    from scipy.stats import beta

    if total == 0:
        return _NONE
    low = float(beta.ppf(_TAIL, count, total - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - _TAIL, count + 1, total - count)) if count < total else 1.0
    return Estimate(count / total, low, high)


def quantile_estimate(values: Sequence[float], quantile: float) -> Estimate:
    """Estimate a quantile by order statistics, some of which may be infinite.

    The value is the least of which at least a share `quantile` of the values is not larger. The interval
    is infinite, or begins at 0, where so few values cannot say better.

    From: H. David and H. Nagaraja, Order Statistics, 2003, section 7.1.
    """
    from scipy.stats import binom

    if not values:
        return _NONE
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count = len(ordered)
    value = float(ordered[max(0, math.ceil(quantile * count - 1e-9) - 1)])
    below = int(binom.ppf(_TAIL, count, quantile))
    above = int(binom.ppf(1 - _TAIL, count, quantile)) + 1
    low = float(ordered[below - 1]) if below >= 1 else 0.0
    high = float(ordered[above - 1]) if above <= count else math.inf
    return Estimate(value, low, high)
