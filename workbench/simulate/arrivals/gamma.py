"""Arrivals burstier or smoother than Poisson."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveRate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource, renewal


@ARRIVALS.register
class Gamma(ArrivalProcess):
    """Independent gamma gaps: cv2 below 1 is smoother than Poisson, above 1 burstier."""

    summary: ClassVar[str] = "gamma: independent gaps of a given squared coefficient of variation"
    kind: Literal["gamma"] = "gamma"
    rate: PositiveRate
    """Arrivals per second."""
    cv2: float = Field(gt=0, le=1e4)
    """Squared coefficient of variation of the gaps, above 0; 1 is Poisson."""

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0."""
        return renewal(lambda count: rng.standard_gamma(1.0 / self.cv2, count) * (self.cv2 / self.rate))

    def mean_rate(self) -> float:
        """Arrivals per second."""
        return self.rate
