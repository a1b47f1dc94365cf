"""Points drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from workbench.experiments.designs._base import DESIGNS, Axis, Design, Option


@DESIGNS.register
class Random(Design):
    """Independent points, each parameter drawn evenly over its range or list.

    Better than a grid where few of many parameters matter (Bergstra and Bengio, JMLR 13, 2012).
    """

    summary: ClassVar[str] = "points drawn at random, evenly over each range or list"
    kind: Literal["random"] = "random"
    points: int = Field(ge=1, le=100_000)
    """Number of points, 1 to 100,000."""

    def choose(self, axes: Sequence[Axis], *, seed: int) -> Iterator[tuple[Option, ...]]:
        """Draw the points; more of them begin with the same ones."""
        rng = np.random.default_rng(seed)
        for _ in range(self.points):
            yield tuple(axis.at(share) for axis, share in zip(axes, rng.random(len(axes)), strict=True))
