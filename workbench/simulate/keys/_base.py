"""What every distribution of keys has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.documents import Family, Member

KeySource = Callable[[int, "NDArray[np.int64] | None"], NDArray[np.int64]]
"""Gives the numbers of the next n requests' keys, for requests that are these rows of the trace, if any."""


class KeyDistribution(Member):
    """Which key a request carries: what hashing strategies hash, such as a client's address or a URL."""

    @abstractmethod
    def names(self) -> list[str]:
        """List the keys as text, in the order of their numbers."""

    @abstractmethod
    def start(self, rng: Generator) -> KeySource:
        """Begin a run of keys; the whole does not depend on the sizes in which it is asked for."""


KEYS: Family[KeyDistribution] = Family("key distribution", KeyDistribution)  # type: ignore[type-abstract]

MOST_KEYS = 1_000_000
"""The most different keys: strategies hash each of them once, at the start."""
