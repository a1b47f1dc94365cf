"""Pareto demand."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import PositiveDuration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Pareto(ServiceDemand):
    """A power-law tail, P(S > x) = (least / x)^alpha, cut off at `most` where that is given.

    The bounded form is that of Harchol-Balter, Performance Modeling and Design of Computer Systems,
    2013, chapter 20.
    """

    summary: ClassVar[str] = "Pareto: a power-law tail, bounded where `most` is given"
    kind: Literal["pareto"] = "pareto"
    least: PositiveDuration
    """Smallest demand, seconds."""
    alpha: float = Field(gt=0, le=100)
    """Exponent of the tail; unbounded, it must be above 1 for the mean to exist."""
    most: PositiveDuration | None = None
    """Largest demand, seconds."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.most is None and self.alpha <= 1:
            raise PydanticCustomError(
                "pareto", "alpha above 1, or a largest demand `most`: else the mean is infinite"
            )
        if self.most is not None and self.most <= self.least:
            raise PydanticCustomError("pareto", "`most` above `least`")
        return self

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        kept = 1.0 if self.most is None else 1.0 - (self.least / self.most) ** self.alpha

        def source(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
            return self.least * (1.0 - kept * rng.random(count)) ** (-1.0 / self.alpha)

        return source

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        mean, square = self._moment(1), self._moment(2)
        return Moments(mean, square / mean**2 - 1.0)

    def _moment(self, order: int) -> float:
        a, gap = self.alpha, order - self.alpha
        if self.most is None:
            return math.inf if gap >= 0 else a / -gap * math.pow(self.least, order)
        span = math.log(self.most / self.least)
        # In units of `least`, so that no power of a small number is taken.
        moment = a * (math.expm1(gap * span) / gap if gap else span) / -math.expm1(-a * span)
        return moment * math.pow(self.least, order)
