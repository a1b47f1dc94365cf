"""The same demand for every request."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator

from workbench.quantities import Duration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand


@SERVICES.register
class Deterministic(ServiceDemand):
    """Every request is the same work."""

    summary: ClassVar[str] = "deterministic: the same for every request"
    kind: Literal["deterministic"] = "deterministic"
    value: Duration
    """Seconds."""

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        return lambda count, rows: np.full(count, self.value)

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        return Moments(self.value, 0.0)
