"""The probability of a pair among its rivals, where each record has at most one partner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from workbench.reconcile.calibration import LEAST

_SWEEPS = 100
_CLOSE = 1e-10
_MOST_TILT = 6.0
_TILT_CLOSE = 1e-3

Floats = NDArray[np.float64]
Integers = NDArray[np.integer]


class Edges(NamedTuple):
    """Candidate pairs and their probabilities, one entry each, sorted by left, then right record."""

    left: Integers
    right: Integers
    probability: Floats
    """Of each pair by itself, no rival seen."""


def one_to_one_marginals(edges: Edges, *, tilt: float = 0.0) -> Floats:
    """Give the probability of each pair when no record may have two partners, or none at all.

    Belief propagation on the bipartite graph of the candidates, where the weight of a set of pairs is
    the product of their odds. On a graph without cycles it is exact; with cycles it is the Bethe
    approximation, which converges for matchings (Huang and Jebara, AISTATS 2009; Bayati, Shah and
    Sharma, 2011).

    Args:
        edges: candidates; `probability` from 0 to 1.
        tilt: added to each pair's log odds before rivals meet.
    """
    if len(edges.left) == 0:
        return np.empty(0)
    own = np.clip(edges.probability, LEAST, 1 - LEAST)
    odds = own / (1 - own) * np.exp(tilt)
    from_left, from_right = np.ones(len(odds)), np.ones(len(odds))
    for _ in range(_SWEEPS):
        before = from_left
        from_left = _messages(odds * from_right, edges.left)
        from_right = _messages(odds * from_left, edges.right)
        if np.abs(from_left - before).max() < _CLOSE:
            break
    claim = odds * from_left * from_right
    return np.asarray(claim / (1 + claim))


def _messages(claims: Floats, record: Integers) -> Floats:
    """Tell over each pair how free its record is of other claims."""
    others = np.bincount(record, claims)[record] - claims
    return np.asarray(1 / (1 + np.maximum(others, 0.0)))


def find_tilt(edges: Edges) -> float:
    """Find the tilt under which the marginals add up to as many matches as the pairs' own probabilities.

    A pair's own probability already pays for the rivals that pairs like it tend to have. Where rivals
    are then ruled out one by one, that is paid twice: the marginals would add up to too few matches.
    The sum of calibrated probabilities is right whatever the rivals, so it sets the tilt, without labels.
    """
    if len(edges.left) == 0:
        return 0.0
    expected = float(edges.probability.sum())

    def excess(tilt: float) -> float:
        return float(one_to_one_marginals(edges, tilt=tilt).sum()) - expected

    if excess(0.0) >= 0:
        return 0.0
    if excess(_MOST_TILT) <= 0:
        return _MOST_TILT
    return float(brentq(excess, 0.0, _MOST_TILT, xtol=_TILT_CLOSE))
