"""A start without labels: Fellegi-Sunter weights learned by expectation maximisation.

Each comparison falls into a few levels of agreement. Among the candidates a share are matches; given
whether a pair matches, levels are taken as independent (Fellegi and Sunter, JASA 1969; Winkler 1988
for EM). That independence is wrong in detail, and no label says how wrong, so that what comes out
is a ranking with numbers from 0 to 1, not a calibrated probability.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import expit

from workbench.errors import InputError
from workbench.reconcile.comparisons import NAMES

_EDGES: dict[str, tuple[float, ...]] = {
    **{f"{field}.words": (0.7, 0.85, 0.999) for field in ("text", "reference", "party")},
    "amount.distance": (1e-9, 0.01, 0.03, 0.08, 0.15),
    "date.days": (-0.5, 2.5, 7.5, 14.5, 30.5),
}
"""Where the levels of a comparison part."""

_ROUNDS = 500
_CLOSE = 1e-9
_MOST_MATCHES = 0.9
_SMOOTH = 0.5

Floats = NDArray[np.float64]


class FellegiSunter(BaseModel):
    """Weights of agreement, one list a comparison, one natural logarithm of odds a level."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    weights: dict[str, tuple[float, ...]]
    prior: float
    """Share of the candidates that are matches, 0 to 1."""

    @classmethod
    def fit(cls, values: NDArray[np.float32], *, most_matches: int) -> Self:
        """Learn from candidates alone.

        Args:
            values: comparisons, one row a candidate, columns as `NAMES`.
            most_matches: matches that there can be: the records of the smaller side.

        Raises:
            InputError: there is no candidate, or nothing that two levels of are met.
        """
        levels = {name: found for name in _EDGES if len(np.unique(found := _levels(values, name))) > 1}
        if len(values) == 0 or not levels:
            raise InputError(f"candidates: given {len(values)} that do not differ; allowed: some that do")
        patterns, counts = np.unique(np.column_stack(list(levels.values())), axis=0, return_counts=True)
        prior = min(_MOST_MATCHES, 0.7 * most_matches / len(values))
        agreement = _start(patterns, list(levels))
        posterior = expit(np.log(prior / (1 - prior)) + agreement)
        weights: list[Floats] = []
        for _ in range(_ROUNDS):
            share = float(np.average(posterior, weights=counts))
            weights = [_weights(column, counts, posterior) for column in patterns.T]
            odds = np.log(share / (1 - share)) + sum(
                each[column] for each, column in zip(weights, patterns.T, strict=True)
            )
            after, change = expit(odds), np.abs(expit(odds) - posterior).max()
            posterior = np.clip(after, 1e-9, 1 - 1e-9)
            prior = share
            if change < _CLOSE:
                break
        return cls(
            weights={name: tuple(each.tolist()) for name, each in zip(levels, weights, strict=True)},
            prior=prior,
        )

    def __call__(self, values: NDArray[np.float32]) -> Floats:
        """Score candidates."""
        odds = np.full(len(values), np.log(self.prior / (1 - self.prior)))
        for name, weights in self.weights.items():
            odds += np.array(weights)[_levels(values, name)]
        return np.asarray(expit(odds))


def _levels(values: NDArray[np.float32], name: str) -> NDArray[np.int64]:
    """Give the level of each pair: 0 where the comparison is missing, then from 1 upwards."""
    column = values[:, NAMES.index(name)].astype(np.float64)
    found = 1 + np.searchsorted(np.array(_EDGES[name]), column, side="right")
    return np.where(np.isnan(column), 0, found)


def _start(patterns: NDArray[np.int64], names: list[str]) -> Floats:
    """Take near amounts, near days and like texts as signs of a match, to begin with."""
    odds = np.zeros(len(patterns))
    for name, column in zip(names, patterns.T, strict=True):
        top = len(_EDGES[name]) + 1
        height = (column - 1) / (top - 1) if name.endswith("words") else (top - column) / (top - 1)
        odds += np.where(column > 0, 4.0 * (height - 0.5), 0.0)
    return odds


def _weights(column: NDArray[np.int64], counts: NDArray[np.int64], posterior: Floats) -> Floats:
    """Give the logarithm of how much likelier each level is among matches; a missing value says nothing."""
    size = int(column.max()) + 1
    match = np.bincount(column, counts * posterior, size) + _SMOOTH
    other = np.bincount(column, counts * (1 - posterior), size) + _SMOOTH
    match[0] = other[0] = 0.0
    weights = np.zeros(max(size, 1))
    weights[1:] = np.log(match[1:] / match.sum()) - np.log(other[1:] / other.sum())
    return weights
