"""Why a proposal is as sure as it is: what each field contributes to the log odds of its pair.

Contributions are Shapley values (Lundberg and Lee, 2017) over the fields, exact: every set of fields
is tried with the pair's own comparisons, the others with those of a typical candidate that is no match.
They add up to the pair's log odds less that of the typical candidate.
"""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.reconcile.calibration import log_odds
from workbench.reconcile.comparisons import NAMES, compare
from workbench.reconcile.matching import table_of
from workbench.reconcile.model import ReconciliationModel, seen
from workbench.reconcile.results import EVIDENCE, Kind
from workbench.reconcile.workspace import Workspace

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


class FieldOdds(NamedTuple):
    """What the fields of many pairs add to their log odds."""

    typical: float
    fields: tuple[str, ...]
    log_odds: Floats
    """One row a pair, one column a field."""


def contributions(model: ReconciliationModel, values: NDArray[np.float32]) -> Contributions:
    """Explain one pair.

    Args:
        model: fitted.
        values: its comparisons, in the order of `comparisons.NAMES`.
    """
    found = field_odds(model, values[None, :])
    groups = _groups(model)
    fields = [
        Contribution(field, float(odds), _compared(values, groups[field]))
        for field, odds in zip(found.fields, found.log_odds[0], strict=True)
    ]
    return Contributions(found.typical, sorted(fields, key=lambda one: -abs(one.log_odds)))


def field_odds(model: ReconciliationModel, values: NDArray[np.float32]) -> FieldOdds:
    """Give what each field adds, of many pairs at once.

    Args:
        model: fitted.
        values: comparisons, one row a pair, columns as `comparisons.NAMES`.
    """
    groups = _groups(model)
    fields = tuple(groups)
    typical = values.copy()
    typical[:, seen(model.facts.comparisons)] = [
        np.nan if value is None else value for value in model.facts.typical
    ]
    worth: dict[frozenset[str], Floats] = {}
    for size in range(len(fields) + 1):
        for some in combinations(fields, size):
            columns = [column for field in some for column in groups[field]]
            mixed = typical.copy()
            mixed[:, columns] = values[:, columns]
            worth[frozenset(some)] = log_odds(model.pair_probability(mixed))
    columns_of = [_shapley(field, fields, worth) for field in fields]
    base = worth[frozenset()]
    return FieldOdds(float(base[0]) if len(base) else 0.0, fields, np.column_stack(columns_of))


def evidence_table(workspace: Workspace, model: ReconciliationModel, proposals: pa.Table) -> pa.Table:
    """Explain every proposal of a pair, in rows of `results.EVIDENCE`.

    Args:
        workspace: where they were matched.
        model: what proposed them.
        proposals: rows of the proposals table.
    """
    pairs = proposals.filter(pa.array([kind == Kind.ONE_TO_ONE for kind in proposals["kind"].to_pylist()]))
    workspace.keep("explained", pairs.select(["proposal_id", "left_ids", "right_ids"]))
    workspace.run(
        "create or replace table explained_pairs as select a.n as el, b.n as er, proposal_id from explained "
        "join left_records a on a.id = left_ids[1] join right_records b on b.id = right_ids[1]"
    )
    names = workspace.table("select proposal_id from explained_pairs order by el, er")["proposal_id"]
    parts = [
        field_odds(model, part.values)
        for part in compare(workspace, where="(l, r) in (select el, er from explained_pairs)")
    ]
    columns: dict[str, Any] = {"proposal_id": names}
    if parts:
        columns["typical"] = np.full(len(names), parts[0].typical)
        odds = np.concatenate([part.log_odds for part in parts])
        columns |= {field: odds[:, place] for place, field in enumerate(parts[0].fields)}
    return table_of(columns, EVIDENCE, len(names))


def _groups(model: ReconciliationModel) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for column in seen(model.facts.comparisons):
        groups.setdefault(NAMES[column].split(".")[0], []).append(column)
    return groups


def _shapley(field: str, fields: tuple[str, ...], worth: dict[frozenset[str], Floats]) -> Floats:
    others = [other for other in fields if other != field]
    count, total = len(fields), np.zeros_like(worth[frozenset()])
    for size in range(count):
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        for some in combinations(others, size):
            total += weight * (worth[frozenset(some) | {field}] - worth[frozenset(some)])
    return total


def _compared(values: NDArray[np.float32], columns: list[int]) -> dict[str, float]:
    return {
        NAMES[column].split(".")[1]: float(values[column])
        for column in columns
        if not np.isnan(values[column])
    }
