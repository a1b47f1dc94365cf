"""Poisson arrivals."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.quantities import PositiveRate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource, renewal


@ARRIVALS.register
class Poisson(ArrivalProcess):
    """Independent exponential gaps: many clients that know nothing of each other."""

    summary: ClassVar[str] = "Poisson: independent exponential gaps"
    kind: Literal["poisson"] = "poisson"
    rate: PositiveRate
    """Arrivals per second."""

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0."""
        return renewal(lambda count: rng.exponential(1.0 / self.rate, count))

    def mean_rate(self) -> float:
        """Arrivals per second."""
        return self.rate
