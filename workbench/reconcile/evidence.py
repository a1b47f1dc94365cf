"""Why a proposal is as sure as it is: what each field contributes to the log odds of its pair.

Contributions are Shapley values (Lundberg and Lee, 2017) over the fields, exact: every set of fields
is tried with the pair's own comparisons, the others with those of a typical candidate that is no match.
They add up to the pair's log odds less that of the typical candidate.
"""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.reconcile.calibration import log_odds
from workbench.reconcile.comparisons import COMPARISONS, NAMES
from workbench.reconcile.model import ReconciliationModel, seen

Floats = NDArray[np.float64]


class Contribution(NamedTuple):
    """What one field says of a pair."""

    field: str
    """text, reference, party, amount, date, or rivals: how many candidates the records have."""
    log_odds: float
    """What it adds, in natural logarithms of the odds; below 0 it speaks against."""
    compared: dict[str, float]
    """Its comparisons; those that are missing are left out."""


class Contributions(NamedTuple):
    """What all fields say of a pair."""

    typical: float
    """Log odds of a typical candidate that is no match."""
    fields: list[Contribution]
    """The strongest first."""


def contributions(model: ReconciliationModel, values: NDArray[np.float32]) -> Contributions:
    """Explain one pair.

    Args:
        model: fitted.
        values: its comparisons, in the order of `comparisons.NAMES`.
    """
    columns = seen(model.facts.comparisons)
    typical = values.copy()
    typical[columns] = [np.nan if value is None else value for value in model.facts.typical]
    groups: dict[str, list[int]] = {}
    for column in columns:
        groups.setdefault(NAMES[column].split(".")[0], []).append(column)
    fields = list(groups)
    sets = [frozenset(some) for size in range(len(fields) + 1) for some in combinations(fields, size)]
    rows = np.tile(typical, (len(sets), 1))
    for row, some in zip(rows, sets, strict=True):
        for field in some:
            row[groups[field]] = values[groups[field]]
    worth = dict(zip(sets, log_odds(model.pair_probability(rows)).tolist(), strict=True))
    found = [
        Contribution(field, _shapley(field, fields, worth), _compared(values, groups[field]))
        for field in fields
    ]
    return Contributions(worth[frozenset()], sorted(found, key=lambda one: -abs(one.log_odds)))


def _shapley(field: str, fields: list[str], worth: dict[frozenset[str], float]) -> float:
    others = [other for other in fields if other != field]
    count, total = len(fields), 0.0
    for size in range(count):
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        total += weight * sum(
            worth[frozenset(some) | {field}] - worth[frozenset(some)] for some in combinations(others, size)
        )
    return total


def _compared(values: NDArray[np.float32], columns: list[int]) -> dict[str, float]:
    return {
        NAMES[column].split(".")[1]: float(values[column])
        for column in columns
        if not np.isnan(values[column])
    }


def meaning(field: str, comparison: str) -> str:
    """Say what a comparison of a field measures."""
    return COMPARISONS[f"{field}.{comparison}"]
