"""How good proposals and their confidences are, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from workbench.errors import InputError

BINS = 15
"""Bins of equal mass over which the calibration error is taken."""

_LEAST = 1e-15
_FLOOR_DRAWS = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability diagram: one entry a bin, from the least confident on."""

    confidence: Floats
    """Mean confidence of the bin."""
    share_right: Floats
    """Share of the bin that is right."""
    count: NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """How far confidences mean what they say."""

    count: int
    ece: float
    """Expected calibration error over bins of equal mass."""
    ece_floor: float
    """The error that forecasts which are exactly right would show at this size, on average."""
    brier: float
    log_loss: float


@dataclass(frozen=True)
class MatchQuality:
    """Proposals against the truth; those of a confidence of 1/2 or more count as matches."""

    true_matches: int
    proposed: int
    right: int
    precision: float
    recall: float
    f1: float


def reliability(confidence: Floats, right: NDArray[np.bool_], *, bins: int = BINS) -> Reliability:
    """Compare confidence and outcome in bins of equal mass; equal confidences share one bin.

    Raises:
        InputError: there is nothing to compare, or the two differ in length.
    """
    if len(confidence) == 0 or len(confidence) != len(right):
        raise InputError(
            f"proposals: given {len(confidence)} confidences and {len(right)} outcomes; "
            "allowed: as many of each, at least one"
        )
    order = np.argsort(confidence, kind="stable")
    ranked, outcome = confidence[order], right[order].astype(np.float64)
    edges = np.linspace(0, len(ranked), bins + 1).astype(int)[:-1]
    # A tie goes to the bin in which it begins, so that the order of equal confidences does not matter.
    starts = np.unique(np.searchsorted(ranked, ranked[np.minimum(edges, len(ranked) - 1)]))
    count = np.diff(np.append(starts, len(ranked)))
    return Reliability(
        np.add.reduceat(ranked, starts) / count, np.add.reduceat(outcome, starts) / count, count
    )


def ece(confidence: Floats, right: NDArray[np.bool_], *, bins: int = BINS) -> float:
    """Give the expected calibration error over bins of equal mass (Naeini et al., AAAI 2015).

    >>> ece(np.array([0.5, 0.5]), np.array([True, False]))
    0.0
    """
    found = reliability(confidence, right, bins=bins)
    gaps = np.abs(found.confidence - found.share_right)
    return float(np.average(gaps, weights=found.count))


def ece_floor(confidence: Floats, rng: Generator, *, bins: int = BINS) -> float:
    """Give the error that these confidences would show on average if each were exactly right."""
    draws = (
        ece(confidence, rng.random(len(confidence)) < confidence, bins=bins) for _ in range(_FLOOR_DRAWS)
    )
    return float(np.mean(list(draws)))


def calibration(confidence: Floats, right: NDArray[np.bool_], rng: Generator) -> Calibration:
    """Measure how far confidences mean what they say.

    Args:
        confidence: of each proposal, 0 to 1.
        right: whether it is right.
        rng: draws the outcomes from which the floor is taken.

    Raises:
        InputError: there is nothing to measure.
    """
    error = ece(confidence, right)
    outcome = right.astype(np.float64)
    return Calibration(
        count=len(confidence),
        ece=error,
        ece_floor=ece_floor(confidence, rng),
        brier=float(np.mean((confidence - outcome) ** 2)),
        log_loss=log_loss(confidence, right),
    )


def log_loss(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Give the mean negative log-likelihood of the outcomes, in nats."""
    told = np.where(right, confidence, 1 - confidence)
    return float(-np.mean(np.log(np.maximum(told, _LEAST))))


def match_quality(confidence: Floats, right: NDArray[np.bool_], *, true_matches: int) -> MatchQuality:
    """Count what is found of the true matches, those that blocking lost included.

    Args:
        confidence: of each proposal, 0 to 1.
        right: whether it is right.
        true_matches: matches that there are among the records.
    """
    chosen = confidence >= 0.5
    proposed, correct = int(chosen.sum()), int((chosen & right).sum())
    precision = correct / proposed if proposed else 0.0
    recall = correct / true_matches if true_matches else 0.0
    both = proposed + true_matches
    return MatchQuality(
        true_matches, proposed, correct, precision, recall, 2 * correct / both if both else 0.0
    )
