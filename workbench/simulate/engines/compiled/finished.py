"""What the compiled engine hands on: requests of which all is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Finished:
    """Requests of which all is known, in the order of arrival; arrays as in `Records`."""

    first: int
    """Number of the first of them."""
    arrival: NDArray[np.float64]
    begin: NDArray[np.float64]
    finish: NDArray[np.float64]
    answered: NDArray[np.float64]
    balancer: NDArray[np.int32]
    server: NDArray[np.int32]
    outcome: NDArray[np.int8]
    queue_depth: NDArray[np.int32]
    area: float = math.nan
    """Integral of the number of requests in the system, as far as the run has come; NaN if not counted."""

    def __len__(self) -> int:
        return len(self.arrival)

    def copy(self) -> Finished:
        """Copy the arrays, which else are used again."""
        return replace(self, **{name: getattr(self, name).copy() for name in KEPT})


KEPT = tuple(field.name for field in fields(Finished) if field.name not in ("first", "area"))
