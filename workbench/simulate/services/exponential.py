"""Exponential demand."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.quantities import PositiveDuration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Exponential(ServiceDemand):
    """Memoryless work, for which most formulas hold."""

    summary: ClassVar[str] = "exponential: memoryless, cv2 1"
    kind: Literal["exponential"] = "exponential"
    mean: PositiveDuration
    """Seconds."""

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        return lambda count, rows: rng.exponential(self.mean, count)

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        return Moments(self.mean, 1.0)
