"""Choosing proposals: each record once, or not at all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from workbench.reconcile.calibration import log_odds
from workbench.reconcile.marginals import Edges

FLOOR = 0.02
"""Marginal from which on a pair is worth proposing."""

TIE = 1e-6
"""Marginals that differ by less are as good as each other."""

_DENSE = 250_000
"""Cells of a component up to which its table is written out."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Rivals(NamedTuple):
    """The best other claim on either record of a pair, one entry a pair asked for."""

    edge: Indices
    """Position of the rival among the edges; -1 where there is none."""
    margin: Floats
    """Marginal less that of the rival; the marginal itself where there is none."""


def assign(edges: Edges, marginal: Floats, *, floor: float = FLOOR) -> Indices:
    """Choose the pairs whose log odds against the floor have the largest sum, each record once.

    Leaving a record without partner counts 0, so a pair below the floor is never chosen. The choice
    is optimal in each connected component of what is left.

    Args:
        edges: candidates.
        marginal: of each, 0 to 1.
        floor: 0 to 1.

    Returns:
        Positions of the chosen among the edges, ascending.
    """
    worth = log_odds(marginal) - float(log_odds(np.array([floor]))[0])
    kept = np.flatnonzero(worth > 0)
    if len(kept) == 0:
        return kept.astype(np.int64)
    left, right = edges.left[kept].astype(np.int64), edges.right[kept].astype(np.int64)
    shift = int(left.max()) + 1
    size = shift + int(right.max()) + 1
    graph = coo_array((np.ones(len(kept), np.int8), (left, right + shift)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][left]
    order = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    alone = np.diff(np.append(starts, len(order))) == 1
    chosen = [kept[order[starts[alone]]]]
    for start, end in zip(starts[~alone], np.append(starts, len(order))[1:][~alone], strict=True):
        part = order[start:end]
        chosen.append(kept[part[_best(left[part], right[part], worth[kept[part]])]])
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _best(left: Indices, right: Indices, worth: Floats) -> Indices:
    """Solve one component."""
    rows, row = np.unique(left, return_inverse=True)
    columns, column = np.unique(right, return_inverse=True)
    position = {pair: place for place, pair in enumerate(zip(row.tolist(), column.tolist(), strict=True))}
    if len(rows) * len(columns) <= _DENSE:
        table = np.zeros((len(rows), len(columns)))
        table[row, column] = worth
        found = zip(*linear_sum_assignment(table, maximize=True), strict=True)
    else:
        # Each row may also take a column of its own, worth nothing; weights must not be 0.
        own = np.arange(len(rows))
        cells = (
            np.append(float(worth.max()) + 1 - worth, np.full(len(rows), float(worth.max()) + 1)),
            (np.append(row, own), np.append(column, len(columns) + own)),
        )
        sparse = coo_array(cells, shape=(len(rows), len(columns) + len(rows))).tocsr()
        found = zip(*min_weight_full_bipartite_matching(sparse), strict=True)
    pairs = ((int(one), int(other)) for one, other in found)
    return np.array(sorted(position[pair] for pair in pairs if pair in position), np.int64)


def rivals(edges: Edges, marginal: Floats, chosen: Indices) -> Rivals:
    """Find the best other claim on a record of each chosen pair."""
    edge = np.full(len(chosen), -1, np.int64)
    best = np.full(len(chosen), -1.0)
    for record in (edges.left, edges.right):
        first, second = _two_best(record, marginal)
        ours = record[chosen]
        other = np.where(first[ours] == chosen, second[ours], first[ours])
        claim = np.where(other >= 0, marginal[other], -1.0)
        better = claim > best
        edge, best = np.where(better, other, edge), np.where(better, claim, best)
    return Rivals(edge, marginal[chosen] - np.maximum(best, 0.0))


def _two_best(record: NDArray[np.integer], marginal: Floats) -> tuple[Indices, Indices]:
    """Give each record's two best edges; -1 where there are not so many."""
    order = np.lexsort((np.arange(len(record)), -marginal, record))
    ranked = record[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=-1))
    first = np.full(int(ranked[-1]) + 1, -1, np.int64)
    second = first.copy()
    first[ranked[starts]] = order[starts]
    more = starts[np.diff(np.append(starts, len(order))) > 1]
    second[ranked[more]] = order[more + 1]
    return first, second
