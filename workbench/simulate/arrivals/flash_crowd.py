"""Poisson arrivals that a crowd joins for a while."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration, PositiveRate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource
from workbench.simulate.arrivals.time_change import time_changed

_TAIL = 1e6
"""Arrivals expected in each of the pieces that follow the crowd without end."""


@ARRIVALS.register
class FlashCrowd(ArrivalProcess):
    """Poisson arrivals at a steady rate that climbs to a peak, stays there and falls back, in straight lines.

    The shape is that of the flash events which Ari, Hong, Miller, Brandt and Long model (MASCOTS 2003):
    ramp up, sustained traffic, ramp down.
    """

    summary: ClassVar[str] = "flash crowd: Poisson at a steady rate that climbs to a peak and falls back"
    kind: Literal["flash_crowd"] = "flash_crowd"
    rate: PositiveRate
    """Arrivals per second before the crowd comes and after it has gone."""
    peak: PositiveRate | None = None
    """Arrivals per second at the peak, `rate` or more; or say it by `factor`."""
    factor: float | None = Field(None, ge=1, le=1e6)
    """The peak in multiples of `rate`, 1 or more."""
    at: Duration
    """When the rate begins to climb, seconds."""
    rise: Duration = 0.0
    """From there to the peak, seconds; 0 is a step."""
    hold: Duration
    """At the peak, seconds."""
    fall: Duration = 0.0
    """From the peak back to `rate`, seconds; 0 is a step."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.peak is None) == (self.factor is None):
            raise PydanticCustomError("flash_crowd", "exactly one of `peak` and `factor`")
        if self.highest() < self.rate:
            raise PydanticCustomError("flash_crowd", "a `peak` of `rate` or more")
        if self.rise + self.hold + self.fall == 0:
            raise PydanticCustomError(
                "flash_crowd", "a crowd that takes time: `rise`, `hold` or `fall` above 0"
            )
        return self

    def highest(self) -> float:
        """Arrivals per second at the peak."""
        return self.peak if self.peak is not None else self.rate * (self.factor or 1.0)

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0."""
        low, high = self.rate, self.highest()
        course = np.array(
            [(self.at, low, low), (self.rise, low, high), (self.hold, high, high), (self.fall, high, low)]
        )
        course = course[course[:, 0] > 0]
        tail = np.array([(_TAIL / low, low, low)])

        def pieces() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
            nonlocal course
            (length, first, last), course = course.T, tail
            return length, first, last

        return time_changed(rng, pieces)

    def mean_rate(self) -> float:
        """Arrivals per second in the long run, in which the crowd does not count."""
        return self.rate
