"""Hyperexponential demand."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Hyperexponential(ServiceDemand):
    """Two kinds of requests, short and long, each exponential, with balanced means.

    Each kind makes up half of the work (Whitt, Operations Research 30, 1982).
    """

    summary: ClassVar[str] = "hyperexponential: short and long requests, cv2 above 1"
    kind: Literal["hyperexponential"] = "hyperexponential"
    mean: PositiveDuration
    """Seconds."""
    cv2: float = Field(ge=1, le=1e6)
    """Squared coefficient of variation, 1 or more."""

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        choices, stages = rng.spawn(2)
        often = (1.0 + math.sqrt((self.cv2 - 1.0) / (self.cv2 + 1.0))) / 2.0
        short, long = self.mean / (2.0 * often), self.mean / (2.0 * (1.0 - often))

        def source(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
            return stages.standard_exponential(count) * np.where(choices.random(count) < often, short, long)

        return source

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        return Moments(self.mean, self.cv2)
