"""Keys of which few are popular."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from workbench.simulate.keys._base import KEYS, MOST_KEYS, KeyDistribution, KeySource


@KEYS.register
class ZipfKeys(KeyDistribution):
    """Key number i, from 0, is as likely as 1 / (i + 1) to the power of the exponent."""

    summary: ClassVar[str] = "Zipf: few keys are popular"
    kind: Literal["zipf"] = "zipf"
    count: int = Field(ge=1, le=MOST_KEYS)
    """Number of keys, 1 to 1,000,000."""
    exponent: float = Field(1.0, ge=0, le=10)
    """0 is uniform; about 0.8 to 1.1 is common for web pages."""

    def names(self) -> list[str]:
        """List the keys as text."""
        return [f"k{number}" for number in range(self.count)]

    def shares(self) -> NDArray[np.float64]:
        """Give the probability of each key."""
        weights = np.arange(1, self.count + 1, dtype=np.float64) ** -self.exponent
        return np.asarray(weights / weights.sum())

    def start(self, rng: Generator) -> KeySource:
        """Begin a run of keys."""
        edges = np.cumsum(self.shares())
        last = self.count - 1
        return lambda count, rows: np.minimum(np.searchsorted(edges, rng.random(count), side="right"), last)
