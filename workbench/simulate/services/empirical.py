"""Demand drawn from given values."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Empirical(ServiceDemand):
    """Values drawn with replacement, each as likely as its weight says.

    Values in a file are read by `kind: trace`.
    """

    summary: ClassVar[str] = "empirical: drawn from a list of values"
    kind: Literal["empirical"] = "empirical"
    values: list[Duration] = Field(min_length=1, max_length=100_000)
    """Seconds."""
    weights: list[Annotated[float, Field(ge=0)]] | None = None
    """How often each value comes, in any unit; equally by default."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise PydanticCustomError("weights", "as many weights as values")
        if self.weights is not None and not 0 < sum(self.weights) < float("inf"):
            raise PydanticCustomError("weights", "finite weights, at least one above 0")
        return self

    def _shares(self) -> NDArray[np.float64]:
        weights = np.array(self.weights if self.weights is not None else [1.0] * len(self.values))
        return np.asarray(weights / weights.sum())

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        values, edges = np.array(self.values), np.cumsum(self._shares())
        last = int(np.flatnonzero(self._shares())[-1])

        def source(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
            return np.take(values, np.minimum(np.searchsorted(edges, rng.random(count), side="right"), last))

        return source

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        values, shares = np.array(self.values), self._shares()
        mean = float(shares @ values)
        return Moments(mean, float(shares @ (values - mean) ** 2) / mean**2 if mean else 0.0)
