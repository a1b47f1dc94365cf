"""Erlang demand."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Erlang(ServiceDemand):
    """The sum of several exponential stages: steadier than exponential."""

    summary: ClassVar[str] = "Erlang: a sum of exponential stages, cv2 1 / stages"
    kind: Literal["erlang"] = "erlang"
    mean: PositiveDuration
    """Seconds."""
    stages: int = Field(ge=1, le=10_000)
    """Number of stages, 1 to 10,000."""

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        return lambda count, rows: rng.standard_gamma(float(self.stages), count) * (self.mean / self.stages)

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        return Moments(self.mean, 1.0 / self.stages)
