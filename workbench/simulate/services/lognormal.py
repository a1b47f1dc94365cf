"""Lognormal demand."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Lognormal(ServiceDemand):
    """Demand whose logarithm is normal: what measured service times most often look like."""

    summary: ClassVar[str] = "lognormal: a moderately heavy tail, of a given mean and cv2"
    kind: Literal["lognormal"] = "lognormal"
    mean: PositiveDuration
    """Seconds."""
    cv2: float = Field(gt=0, le=1e6)
    """Squared coefficient of variation, above 0."""

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        variance = math.log1p(self.cv2)
        centre = math.log(self.mean) - variance / 2.0
        return lambda count, rows: rng.lognormal(centre, math.sqrt(variance), count)

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        return Moments(self.mean, self.cv2)
