"""What every service demand has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.documents import Family, Member

DemandSource = Callable[[int, "NDArray[np.int64] | None"], NDArray[np.float64]]
"""Gives the next n demands in seconds, for requests that are these rows of the trace, if any.

The whole does not depend on the sizes in which it is asked for.
"""


class Moments(NamedTuple):
    """The first two moments of a distribution."""

    mean: float
    """Seconds."""
    cv2: float
    """Squared coefficient of variation; infinite where the variance is."""


class ServiceDemand(Member):
    """How much work a request is: seconds at a server of speed 1."""

    @abstractmethod
    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""

    @abstractmethod
    def moments(self) -> Moments:
        """Mean and variability of the demands."""


SERVICES: Family[ServiceDemand] = Family("distribution", ServiceDemand)  # type: ignore[type-abstract]
