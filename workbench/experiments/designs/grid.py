"""Every combination."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from workbench.experiments.designs._base import DESIGNS, Axis, Design, Option


@DESIGNS.register
class Grid(Design):
    """Every combination of all values."""

    summary: ClassVar[str] = "every combination of all values"
    kind: Literal["grid"] = "grid"

    def choose(self, axes: Sequence[Axis], *, seed: int) -> Iterator[tuple[Option, ...]]:
        """Give the points, the last axis running fastest."""
        return itertools.product(*(axis.levels() for axis in axes))
