"""OCBA: a fixed budget of replications, put where it tells the best from the others.

Chen and Lee, Stochastic Simulation Optimization: An Optimal Computing Budget Allocation (2011), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtr

from workbench.errors import InputError

_LEAST = 1e-12


def allocate(values: Mapping[str, Sequence[float]], *, more: int) -> dict[str, int]:
    """Say how many replications each candidate should have once there are so many more.

    Args:
        values: for each candidate its measure, replication by replication; less is better.
        more: replications to hand out, 1 or more. None are taken back.

    Returns:
        Number of replications of each, in all.

    Raises:
        InputError: fewer than 2 candidates, or fewer than 2 replications of one.
    """
    _check(values)
    counts = {name: len(row) for name, row in values.items()}
    weights = _weights(values)
    total = sum(counts.values()) + more
    # Who has more than its share already keeps it; the others share what is left by their weights.
    open_ones = set(counts)
    while True:
        room = total - sum(counts[name] for name in counts if name not in open_ones)
        scale = room / math.fsum(weights[name] for name in open_ones)
        over = {name for name in open_ones if counts[name] > scale * weights[name]}
        if not over:
            break
        open_ones -= over
    wanted = {name: (scale * weights[name] if name in open_ones else counts[name]) for name in counts}
    return _whole(wanted, total)


def chance_of_best(values: Mapping[str, Sequence[float]]) -> float:
    """Estimate from below the probability that the least mean is the best one's.

    It is one minus the sum, over the others, of the chance that they are better, each normal with the
    means and variances as they are estimated (Bonferroni; chapter 3, APCS-B). Common random numbers make
    it larger than is said here.

    Args:
        values: for each candidate its measure, replication by replication.

    Raises:
        InputError: fewer than 2 candidates, or fewer than 2 replications of one.
    """
    _check(values)
    means, errors = _means(values), {name: _spread(row) ** 2 / len(row) for name, row in values.items()}
    best = min(means, key=lambda name: means[name])
    wrong = [
        float(ndtr(-(means[name] - means[best]) / math.sqrt(max(errors[name] + errors[best], _LEAST**2))))
        for name in values
        if name != best
    ]
    return max(0.0, 1.0 - math.fsum(wrong))


def _weights(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Shares of the budget, up to a factor: the closer to the best and the noisier, the more."""
    means, spreads = _means(values), {name: _spread(row) for name, row in values.items()}
    best = min(means, key=lambda name: means[name])
    scale = max(abs(means[best]), *spreads.values(), _LEAST)
    others = {
        name: (max(spreads[name], _LEAST * scale) / max(means[name] - means[best], _LEAST * scale)) ** 2
        for name in values
        if name != best
    }
    own = max(spreads[best], _LEAST * scale) * math.sqrt(
        math.fsum((one / max(spreads[name], _LEAST * scale)) ** 2 for name, one in others.items())
    )
    return others | {best: own}


def _whole(wanted: Mapping[str, float], total: int) -> dict[str, int]:
    """Round to whole numbers that add up to the total: the largest remainders go up."""
    whole = {name: math.floor(one + 1e-9) for name, one in wanted.items()}
    rest = total - sum(whole.values())
    by_remainder = sorted(wanted, key=lambda name: whole[name] - wanted[name])
    return whole | {name: whole[name] + 1 for name in by_remainder[:rest]}


def _means(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: float(np.mean(row)) for name, row in values.items()}


def _spread(row: Sequence[float]) -> float:
    return float(np.std(row, ddof=1))


def _check(values: Mapping[str, Sequence[float]]) -> None:
    fewest = min((len(row) for row in values.values()), default=0)
    if len(values) < 2 or fewest < 2:
        raise InputError(
            f"candidates: given {len(values)} with {fewest} replications or more each; "
            "allowed: 2 or more candidates with 2 or more"
        )
