"""Evenly paced arrivals."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import PositiveRate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource, renewal


@ARRIVALS.register
class Uniform(ArrivalProcess):
    """Gaps spread uniformly about their mean: at spread 0 the steady pace of a load generator."""

    summary: ClassVar[str] = "uniform: evenly paced, or with gaps uniform about their mean"
    kind: Literal["uniform"] = "uniform"
    rate: PositiveRate
    """Arrivals per second."""
    spread: float = Field(0.0, ge=0, le=1)
    """Gaps lie between 1 - spread and 1 + spread of their mean, 0 to 1."""

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0."""
        low, high = (1.0 - self.spread) / self.rate, (1.0 + self.spread) / self.rate
        return renewal(lambda count: low + (high - low) * rng.random(count))

    def mean_rate(self) -> float:
        """Arrivals per second."""
        return self.rate
