"""Poisson arrivals whose rate follows a given course."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration, Rate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource
from workbench.simulate.arrivals.time_change import time_changed

_PIECES = 1024
"""Pieces that a course which repeats gives at once: few large steps rather than many small ones."""


@ARRIVALS.register
class RateOverTime(ArrivalProcess):
    """Poisson arrivals under a rate that goes through given points; after the last they end or repeat."""

    summary: ClassVar[str] = "rate over time: Poisson with a rate that follows given points"
    kind: Literal["rate_over_time"] = "rate_over_time"
    points: list[tuple[Duration, Rate]] = Field(min_length=2, max_length=100_000)
    """Pairs of a time and the rate from then on; the first at 0, the last the end."""
    between: Literal["line", "step"] = "line"
    """The rate between two points: a straight line, or that of the earlier point."""
    repeat: bool = False
    """Begin anew after the last point, as a day does."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        times = [time for time, _ in self.points]
        if times[0] != 0 or any(later <= earlier for earlier, later in pairwise(times)):
            raise PydanticCustomError("points", "points that begin at 0s and whose times increase")
        if self.mean_rate() == 0:
            raise PydanticCustomError("points", "at least one rate above 0 before the last point")
        return self

    def _pieces(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        times, rates = np.array(self.points, dtype=np.float64).T
        return np.diff(times), rates[:-1], rates[1:] if self.between == "line" else rates[:-1]

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0."""
        length, low, high = self._pieces()
        rounds = max(1, _PIECES // len(length)) if self.repeat else 1
        round_trip = (np.tile(length, rounds), np.tile(low, rounds), np.tile(high, rounds))
        none = np.empty(0)
        begun = False

        def pieces() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
            nonlocal begun
            over, begun = begun and not self.repeat, True
            return (none, none, none) if over else round_trip

        return time_changed(rng, pieces)

    def mean_rate(self) -> float:
        """Arrivals per second, over one course."""
        length, low, high = self._pieces()
        return float(np.dot(length, low + high) / 2.0 / length.sum())
