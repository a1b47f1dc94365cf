"""Points of a Sobol sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from workbench.experiments.designs._base import DESIGNS, Axis, Design, Option


@DESIGNS.register
class Sobol(Design):
    """Points that fill the space evenly: a scrambled Sobol sequence.

    The number of points is rounded up to a power of two, since only those are balanced (Owen, On
    dropping the first Sobol' point, 2020).
    """

    summary: ClassVar[str] = "points that fill the space evenly, a power of two of them"
    kind: Literal["sobol"] = "sobol"
    points: int = Field(ge=1, le=65_536)
    """Number of points, 1 to 65,536; rounded up to a power of two."""

    def choose(self, axes: Sequence[Axis], *, seed: int) -> Iterator[tuple[Option, ...]]:
        """Give the points of the sequence."""
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(axes), scramble=True, rng=seed)
        for shares in sequence.random_base2((self.points - 1).bit_length()):
            yield tuple(axis.at(float(share)) for axis, share in zip(axes, shares, strict=True))
