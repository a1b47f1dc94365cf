"""Keys from a column of a recorded trace."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from workbench.errors import TraceError
from workbench.simulate.keys._base import KEYS, MOST_KEYS, KeyDistribution, KeySource
from workbench.simulate.traces import TraceFile, read_texts


@KEYS.register
class TraceKeys(KeyDistribution):
    """The texts of a column.

    Where the arrivals are those of the same file, each request keeps its own row's; otherwise rows are
    drawn at random, with replacement.
    """

    summary: ClassVar[str] = "trace: the texts of a recorded column"
    kind: Literal["trace"] = "trace"
    file: TraceFile
    """CSV with a header, or Parquet; found from the document's folder."""
    column: str = Field(min_length=1)

    def _rows(self) -> tuple[list[str], NDArray[np.int64]]:
        texts = read_texts(self.file, self.column)
        names, numbers = np.unique(texts, return_inverse=True)
        if len(names) > MOST_KEYS:
            raise TraceError(
                f"{self.file}: {self.column}: given {len(names):,} keys; allowed: at most {MOST_KEYS:,}"
            )
        return [str(name) for name in names], numbers.astype(np.int64)

    def names(self) -> list[str]:
        """List the keys as text, sorted.

        Raises:
            TraceError: the trace cannot be used, or has more than 1,000,000 different keys.
        """
        return self._rows()[0]

    def start(self, rng: Generator) -> KeySource:
        """Begin a run of keys."""
        numbers = self._rows()[1]

        def source(count: int, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
            return np.take(
                numbers, (rng.random(count) * len(numbers)).astype(np.int64) if rows is None else rows
            )

        return source
