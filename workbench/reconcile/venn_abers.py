"""Bands around a confidence: inductive Venn-Abers predictors.

For a new score, isotonic regression is fitted to the labelled ones twice, with the new one as a
non-match and as a match; the two fitted values p0 and p1 at the new score bound a probability that
is calibrated by construction (Vovk and Petej, UAI 2014). A wide band says that few labels lie near.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]

_Stack = tuple[float, float, "_Stack"] | tuple[()]
"""Blocks of a fitted staircase, the nearest first: sum of the labels, their number, the rest."""


class VennAbers(BaseModel):
    """The bands of all scores, from the labelled ones.

    Entry `2 i + 1` is for a score equal to the i-th distinct labelled one, entry `2 i` for one below
    it and above the one before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    scores: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fit(cls, scores: Floats, right: NDArray[np.bool_]) -> Self:
        """Learn the bands from labelled scores, at least one."""
        distinct, place = np.unique(scores, return_inverse=True)
        sums = np.asarray(np.bincount(place, right.astype(np.float64)), np.float64)
        counts = np.bincount(place).astype(np.float64)
        low, high = (
            [_at(below, own, above, label) for below, own, above in _places(sums, counts)]
            for label in (0.0, 1.0)
        )
        return cls(scores=tuple(distinct.tolist()), low=tuple(low), high=tuple(high))

    def __call__(self, scores: Floats) -> tuple[Floats, Floats]:
        """Give p0 and p1 of each score."""
        known = np.array(self.scores)
        below = np.searchsorted(known, scores, side="left")
        equal = np.searchsorted(known, scores, side="right") > below
        entry = 2 * below + equal
        return np.array(self.low)[entry], np.array(self.high)[entry]


def _places(sums: Floats, counts: Floats) -> Iterator[tuple[_Stack, tuple[float, float], _Stack]]:
    """Give for each place a new score may have: the staircase below it, what lies at it, that above it."""
    above: list[_Stack] = [()]
    for total, count in zip(sums[::-1], counts[::-1], strict=True):
        above.append(_joined(above[-1], total, count, rising=False))
    above.reverse()
    below: _Stack = ()
    for place, (total, count) in enumerate(zip(sums, counts, strict=True)):
        yield below, (0.0, 0.0), above[place]
        yield below, (float(total), float(count)), above[place + 1]
        below = _joined(below, total, count, rising=True)
    yield below, (0.0, 0.0), ()


def _joined(stack: _Stack, total: float, count: float, *, rising: bool) -> _Stack:
    """Put a block at the end of a staircase; blocks that break its order are pooled."""
    total, count = float(total), float(count)
    while stack:
        before, number, rest = stack
        wrong = before * count >= total * number if rising else before * count <= total * number
        if not wrong:
            break
        total, count, stack = total + before, count + number, rest
    return (total, count, stack)


def _at(below: _Stack, own: tuple[float, float], above: _Stack, label: float) -> float:
    """Give the fitted value at a place when one more label lies there."""
    total, count = own[0] + label, own[1] + 1.0
    while True:
        if below and below[0] * count >= total * below[1]:
            total, count, below = total + below[0], count + below[1], below[2]
        elif above and above[0] * count <= total * above[1]:
            total, count, above = total + above[0], count + above[1], above[2]
        else:
            return total / count
