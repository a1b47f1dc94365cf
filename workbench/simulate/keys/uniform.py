"""Keys that are equally popular."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from workbench.simulate.keys._base import KEYS, MOST_KEYS, KeyDistribution, KeySource


@KEYS.register
class UniformKeys(KeyDistribution):
    """Each of k0, k1, ... is equally likely."""

    summary: ClassVar[str] = "uniform: every key equally likely"
    kind: Literal["uniform"] = "uniform"
    count: int = Field(ge=1, le=MOST_KEYS)
    """Number of keys, 1 to 1,000,000."""

    def names(self) -> list[str]:
        """List the keys as text."""
        return [f"k{number}" for number in range(self.count)]

    def start(self, rng: Generator) -> KeySource:
        """Begin a run of keys."""
        return lambda count, rows: (rng.random(count) * self.count).astype(np.int64)
