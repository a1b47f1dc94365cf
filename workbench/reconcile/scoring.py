"""Scoring all candidates, a chunk at a time, and proposing the best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.reconcile.assignment import TIE, Rivals, assign, rivals
from workbench.reconcile.comparisons import CHUNK, compare
from workbench.reconcile.marginals import Edges, one_to_one_marginals
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.workspace import Workspace

Floats = NDArray[np.float64]


class Proposed(NamedTuple):
    """The chosen candidates, one entry each, in the order of the edges."""

    marginal: Floats
    """Of every candidate: its probability among its rivals."""
    edge: NDArray[np.int64]
    """Position among the edges."""
    confidence: Floats
    low: Floats | None
    high: Floats | None
    rivals: Rivals
    ambiguous: NDArray[np.bool_]


def score(workspace: Workspace, model: ReconciliationModel, *, chunk: int = CHUNK) -> Edges:
    """Give every candidate its calibrated probability by itself.

    Only three numbers a candidate are kept; their comparisons are in memory a chunk at a time.
    """
    lefts, rights, probabilities = [], [], []
    for part in compare(workspace, chunk=chunk):
        lefts.append(part.left)
        rights.append(part.right)
        probabilities.append(model.pair_probability(part.values))
    if not lefts:
        return Edges(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))
    return Edges(np.concatenate(lefts), np.concatenate(rights), np.concatenate(probabilities))


def propose(edges: Edges, model: ReconciliationModel) -> Proposed:
    """Choose proposals and say how sure each is."""
    marginal = one_to_one_marginals(edges, tilt=model.learned.tilt)
    chosen = assign(edges, marginal)
    if len(chosen) == 0:
        none = np.empty(0)
        nothing = Rivals(np.empty(0, np.int64), none)
        return Proposed(marginal, chosen, none, none, none, nothing, np.empty(0, np.bool_))
    confidence = model.confidence(edges.probability[chosen], marginal[chosen])
    found = rivals(edges, marginal, chosen)
    ambiguous = (found.edge >= 0) & (found.margin <= TIE)
    bands = model.learned.bands
    low, high = bands(marginal[chosen]) if bands is not None else (None, None)
    return Proposed(marginal, chosen, confidence, low, high, found, ambiguous)
