"""Arrivals as they were recorded."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from workbench.quantities import PositiveDuration
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, Arrivals, ArrivalSource
from workbench.simulate.traces import Trace, TraceFile, read_trace


@ARRIVALS.register
class TraceArrivals(ArrivalProcess):
    """The arrivals of a recorded trace, from its first request on, at time 0.

    Replication 0 is the trace as recorded. With `resample`, each further replication is another
    stretch of such traffic: the trace's time is cut anew into blocks of that length, drawn with
    replacement and laid end to end (circular block bootstrap: Politis and Romano, 1992). Bursts within
    a block stay as they were, and each request keeps its size.
    """

    summary: ClassVar[str] = "trace: arrivals as recorded in a CSV or Parquet file"
    kind: Literal["trace"] = "trace"
    file: TraceFile
    """CSV with a header, or Parquet; found from the document's folder."""
    time_column: str
    """Column of the arrival time: seconds, or ISO 8601."""
    speed: float = Field(1.0, gt=0)
    """Replay this many times as fast: 2 doubles the rate."""
    sort: bool = False
    """Put the rows in the order of time first."""
    resample: PositiveDuration | None = None
    """Length of the blocks of which replications 1, 2, ... are made, on the recorded clock, seconds."""

    def times(self) -> NDArray[np.float64]:
        """Recorded times in seconds from the first on, before `speed`.

        Raises:
            TraceError: the trace cannot be used.
        """
        return self._recorded().columns[self.time_column]

    def _recorded(self) -> Trace:
        return read_trace(self.file, (), time_column=self.time_column, sort=self.sort)

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at the first recorded request."""
        times, rows = self.times(), self._recorded().rows
        if self.resample is not None and replication > 0 and times[-1] > 0:
            times, drawn = _resample(times, self.resample, rng)
            rows = rows[drawn]
        times = times / self.speed
        taken = 0

        def source(count: int) -> Arrivals:
            nonlocal taken
            part = slice(taken, taken + count)
            taken += count
            return Arrivals(times[part], rows[part])

        return source

    def mean_rate(self) -> float | None:
        """Requests per second over the recorded time; None for a trace without duration."""
        times = self.times()
        return len(times) / float(times[-1]) * self.speed if times[-1] > 0 else None


def _resample(
    times: NDArray[np.float64], block: float, rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lay randomly chosen blocks of a trace end to end until its length is reached again."""
    length = float(times[-1]) * len(times) / max(1, len(times) - 1)
    twice = np.concatenate((times, times + length))
    pieces, rows, begun = [], [], 0.0
    while begun < length:
        size = min(block, length - begun)
        start = rng.random() * length
        low, high = np.searchsorted(twice, (start, start + size))
        pieces.append(twice[low:high] - start + begun)
        rows.append(np.arange(low, high) % len(times))
        begun += size
    return np.concatenate(pieces), np.concatenate(rows)
