"""KN: choosing the best with a stated probability, one replication after the other.

Kim and Nelson, A fully sequential procedure for indifference-zone selection in simulation, ACM TOMACS
11 (2001), 251-273, with c = 1. It holds under common random numbers, for it looks at paired
differences, and takes replications' values to be normal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InputError

FIRST = 10
"""Replications of everyone before the first is dropped."""


@dataclass(frozen=True)
class Screening:
    """How far the choice has come with the replications that there are."""

    left: tuple[str, ...]
    """Who is still in the running, the least mean first; the first is chosen once it is decided."""
    dropped: Mapping[str, int]
    """Those who are out, each with the replications that it took to drop it."""
    used: int
    """Replications of those who are left that the procedure has looked at."""
    most: int
    """After so many it is decided at the latest."""
    decided: bool


def kim_nelson(
    values: Mapping[str, Sequence[float]], *, probability: float, indifference: float, first: int = FIRST
) -> Screening:
    """Screen candidates of which less is better, as far as their replications reach.

    If the best is better than all others by the indifference or more, it is chosen with the probability;
    else someone is who is worse by less than that.

    Args:
        values: for each candidate its measure, replication by replication, the same requests under the
            same number; those who are dropped may have fewer.
        probability: above 1 / candidates, below 1.
        indifference: a difference that does not matter, above 0, in the unit of the values.
        first: replications of the first stage, 3 or more.

    Raises:
        InputError: fewer than 2 candidates or than `first` replications, or a parameter out of its range.
    """
    _check(values, probability, indifference, first)
    table = {name: np.asarray(row, dtype=np.float64) for name, row in values.items()}
    alpha = 1.0 - probability
    eta = 0.5 * ((2.0 * alpha / (len(table) - 1)) ** (-2.0 / (first - 1)) - 1.0)
    # The paper's h^2 S^2 / delta^2: replications after which a pair is told apart at the latest.
    reach = {
        pair: 2.0 * eta * (first - 1) * _variance(table, pair, first) / indifference**2
        for pair in permutations(table, 2)
    }
    sums = {name: np.concatenate(([0.0], np.cumsum(row))) for name, row in table.items()}
    left, used = list(table), first
    dropped: dict[str, int] = {}
    while True:
        most = max((int(reach[pair]) for pair in permutations(left, 2)), default=0) + 1
        totals = {name: float(sums[name][used]) for name in left}
        # Who is behind by more than what chance may still turn, is out.
        beaten = [
            one
            for one in left
            if any(
                totals[one] - totals[other] > max(0.0, indifference / 2.0 * (reach[one, other] - used))
                for other in left
                if other != one
            )
        ]
        dropped |= dict.fromkeys(beaten, used)
        left = [name for name in left if name not in dropped]
        left.sort(key=totals.__getitem__)
        decided = len(left) == 1 or used >= most
        if decided or used >= min(len(table[name]) for name in left):
            return Screening(tuple(left), dropped, used, max(used, most), decided)
        used += 1


def _variance(table: Mapping[str, NDArray[np.float64]], pair: tuple[str, str], first: int) -> float:
    one, other = pair
    return float(np.var(table[one][:first] - table[other][:first], ddof=1))


def _check(
    values: Mapping[str, Sequence[float]], probability: float, indifference: float, first: int
) -> None:
    if len(values) < 2:
        raise InputError(f"candidates: given {len(values)}; allowed: 2 or more")
    if not 1.0 / len(values) < probability < 1.0:
        raise InputError(
            f"probability: given {probability:g}; allowed: above {1.0 / len(values):.3g}, which a guess has, "
            "and below 1"
        )
    if not indifference > 0.0:
        raise InputError(f"indifference: given {indifference:g}; allowed: above 0")
    shortest = min(len(row) for row in values.values())
    if first < 3 or shortest < first:
        raise InputError(
            f"replications: given {shortest} with a first stage of {first}; "
            "allowed: a first stage of 3 or more, and as many replications of everyone"
        )
