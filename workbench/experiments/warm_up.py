"""Where the beginning of a run ends that does not belong to its long run: MSER-5.

On one short run the rule cuts at places that chance makes, and intervals then cover less than they
promise; over the average of several replications it does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import InputError
from workbench.experiments.intervals import Row

BATCH = 5


def mser(series: Row, *, batch: int = BATCH, floor: int = 0) -> int:
    """Find how many values to leave out so that the standard error of the mean of the rest is least.

    White, Cobb and Spratt, Proceedings of the Winter Simulation Conference (2000), 755-760. The cut is
    sought in the first half; a least value at its end means that the run is too short to tell.

    Args:
        series: the values in order; best the average over replications, see `average`.
        batch: values whose mean is one point; 1 or more.
        floor: leave out so many at least.

    Returns:
        Number of values to leave out: a multiple of `batch`, or `floor`.

    Raises:
        InputError: there are fewer than 20 batches.

    >>> mser(np.array([9.0] * 50 + [1.0, 2.0] * 500))
    50
    """
    points = len(series) // batch
    if points < 20:
        raise InputError(f"series: given {len(series)} values; allowed: {20 * batch} or more")
    means = series[: points * batch].reshape(points, batch).mean(axis=1)
    # Sums from the end give the spread of what is left after each cut.
    left = np.arange(points, 0, -1)
    centred = means - means.mean()
    first, second = (np.cumsum(one[::-1])[::-1] for one in (centred, centred**2))
    spread = np.maximum(second - first**2 / left, 0.0) / left**2
    return max(floor, int(np.argmin(spread[: points // 2 + 1])) * batch)


def average(replications: Sequence[Row]) -> Row:
    """Average replications value by value, as far as the shortest one goes.

    Args:
        replications: each the values of its requests, in the order of arrival; one or more.
    """
    shortest = min(len(one) for one in replications)
    whole = np.zeros(shortest)
    for one in replications:
        whole += one[:shortest]
    return whole / len(replications)
