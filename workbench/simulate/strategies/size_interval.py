"""Size interval task assignment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from workbench.errors import InputError
from workbench.quantities import PositiveDuration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the server in whose interval the demand lies, or else the usable one next to it.

    `floats` holds the cutoffs in ascending order; a demand equal to one belongs to the shorter side.
    """
    usable = view.usable
    cutoffs = view.floats
    count = len(usable)
    demand = view.demand[0]
    low = 0
    high = len(cutoffs)
    while low < high:
        middle = (low + high) // 2
        if demand > cutoffs[middle]:
            low = middle + 1
        else:
            high = middle
    for step in range(count):
        if low + step < count and usable[low + step]:
            return low + step
        if low - step >= 0 and usable[low - step]:
            return low - step
    return NO_HEALTHY_SERVER


def equal_load_cutoffs(demands: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Find the cutoffs that give each server its share of the work (SITA-E where all are equal).

    Args:
        demands: a sample of service demands, seconds, in any order.
        shares: what part of the work each server should have, in any unit, such as its speed.

    Returns:
        The greatest demand of each server but the last, seconds.

    >>> equal_load_cutoffs([1, 1, 1, 1, 4], [1, 1])
    [1.0]
    """
    ordered = np.sort(np.asarray(demands, dtype=float))
    work = np.cumsum(ordered)
    targets = np.cumsum(np.asarray(shares, dtype=float))
    targets *= work[-1] / targets[-1]
    places = np.searchsorted(work, targets[:-1] * (1 - 1e-12))
    return [float(cutoff) for cutoff in ordered[places]]


@STRATEGIES.register
class SizeInterval(Strategy):
    """Each server has the requests whose demand lies in its own interval; the first has the shortest.

    `equal_load_cutoffs` finds the cutoffs that give each server the same work (SITA-E). Where the
    server of an interval is not usable, the nearest usable one takes its requests, the one of longer
    demands first.
    """

    summary: ClassVar[str] = "each server its own interval of demands, known in advance"
    source: ClassVar[str] = (
        "Harchol-Balter, Crovella and Murta, Journal of Parallel and Distributed Computing 59, 1999"
    )
    kind: Literal["size_interval"] = "size_interval"
    knows_demand: ClassVar[bool] = True
    cutoffs: list[PositiveDuration]
    """Greatest demand of each server but the last, ascending; seconds, above 0."""
    pick = staticmethod(pick)

    @field_validator("cutoffs")
    @classmethod
    def _ascend(cls, cutoffs: list[float]) -> list[float]:
        if any(later <= earlier for earlier, later in pairwise(cutoffs)):
            raise PydanticCustomError("ascending", "durations, each above the one before")
        return cutoffs

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Keep the cutoffs.

        Raises:
            InputError: there is not one cutoff fewer than servers.
        """
        if len(self.cutoffs) != servers.count - 1:
            raise InputError(
                f"strategy size_interval: cutoffs: given {len(self.cutoffs)} for {servers.count} servers; "
                f"allowed: one fewer than servers"
            )
        return Memory([], list(self.cutoffs))
