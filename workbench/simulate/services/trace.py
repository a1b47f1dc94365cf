"""Demand computed from the columns of a recorded trace."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from workbench.errors import TraceError
from workbench.quantities import Duration
from workbench.simulate.services._base import SERVICES, DemandSource, Moments, ServiceDemand
from workbench.simulate.traces import TraceFile, read_trace


@SERVICES.register
class TraceDemand(ServiceDemand):
    """A constant and so much for each unit of a column: a + b x + c y for every row of a trace.

    Where the arrivals are those of the same file, each request keeps its own row; otherwise rows are
    drawn at random, with replacement.
    """

    summary: ClassVar[str] = "trace: a constant and so much for each unit of a recorded column"
    kind: Literal["trace"] = "trace"
    file: TraceFile
    """CSV with a header, or Parquet; found from the document's folder."""
    constant: Duration = 0.0
    """Demand of a request whose columns are all 0, seconds."""
    per: dict[str, Duration] = Field(min_length=1, max_length=100)
    """Demand for each unit of a column, seconds: `{GeneratedTokens: 30ms}`."""

    def demands(self) -> NDArray[np.float64]:
        """Demand of every row, seconds.

        Raises:
            TraceError: the trace cannot be used.
        """
        columns = read_trace(Path(self.file), tuple(self.per)).columns
        demands = sum((price * columns[name] for name, price in self.per.items()), np.float64(self.constant))
        if not np.any(demands):
            raise TraceError(
                f"{self.file}: every request's demand is 0; raise `constant` or the prices in `per`"
            )
        return np.asarray(demands)

    def start(self, rng: Generator) -> DemandSource:
        """Begin a run of demands."""
        demands = self.demands()

        def source(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.float64]:
            return demands[(rng.random(count) * len(demands)).astype(np.int64) if rows is None else rows]

        return source

    def moments(self) -> Moments:
        """Mean and variability of the demands."""
        demands = self.demands()
        mean = float(demands.mean())
        return Moments(mean, float(demands.var()) / mean**2)
