"""The share of right proposals changes: noticed without labels, and confidences corrected for it.

If the share of matches moves while matches go on looking like matches, calibrated confidences tell
the new share, and Bayes' rule carries each over to it (Saerens, Latinne and Decaestecker, Adjusting
the outputs of a classifier to new a priori probabilities, 2002). A certificate was earned under the
old share, so an alarm voids it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtri

from workbench.documents import Section
from workbench.errors import InputError

ITERATIONS = 100_000
_LEAST = 1e-12
_CLOSE = 1e-10

Floats = NDArray[np.float64]


class ShiftAlarm(Section):
    """When a changed share of matches raises the alarm: both limits must be passed."""

    level: float = Field(0.001, gt=0, lt=1)
    """Chance of an alarm where nothing changed, above 0 and below 1."""
    tolerance: float = Field(0.02, ge=0, lt=1)
    """Change of the share that is of no interest, 0 to 1."""


@dataclass(frozen=True)
class PriorShift:
    """The share of right proposals, as trained and as it is now."""

    trained: float
    """Share of right proposals that the confidences were calibrated to, 0 to 1."""
    estimated: float
    """The share now, by maximum likelihood, 0 to 1."""
    low: float
    """Lower end of its interval, which holds for `1 - level` of samples."""
    high: float
    """Its upper end."""
    proposals: int
    alarm: bool
    """Whether the change is beyond chance and beyond what is of no interest."""

    def correct(self, confidence: Floats) -> Floats:
        """Carry confidences over to the estimated share."""
        return carry_over(confidence, trained=self.trained, now=self.estimated)


def prior_shift(
    confidence: Floats, *, trained: float, trained_on: int | None = None, alarm: ShiftAlarm | None = None
) -> PriorShift:
    """Estimate the share of right proposals from calibrated confidences, without labels.

    Args:
        confidence: of each proposal, calibrated under the share `trained`.
        trained: share of right proposals that they were calibrated to, above 0 and below 1.
        trained_on: labels that `trained` was counted on, for its own uncertainty; exact by default.
        alarm: when to raise the alarm.

    Raises:
        InputError: no proposal, or a share that is not above 0 and below 1.
    """
    if not 0.0 < trained < 1.0:
        raise InputError(f"trained share: given {trained}; allowed: above 0 and below 1")
    if len(confidence) == 0:
        raise InputError("proposals: given none; allowed: 1 or more")
    alarm = alarm or ShiftAlarm()
    sure = np.clip(np.sort(confidence), _LEAST, 1.0 - _LEAST)
    match, other = sure / trained, (1.0 - sure) / (1.0 - trained)
    share = _most_likely(match, other, trained)
    error = _standard_error(match, other, share)
    own = trained * (1.0 - trained) / trained_on if trained_on else 0.0
    width = float(ndtri(1.0 - alarm.level / 2.0)) * math.sqrt(error**2 + own)
    change = abs(share - trained)
    return PriorShift(
        trained=trained,
        estimated=share,
        low=max(0.0, share - width),
        high=min(1.0, share + width),
        proposals=len(sure),
        alarm=change > width and change > alarm.tolerance,
    )


def carry_over(confidence: Floats, *, trained: float, now: float) -> Floats:
    """Apply Bayes' rule under another share of matches.

    >>> carry_over(np.array([0.5]), trained=0.5, now=0.1)
    array([0.1])
    """
    match = confidence * (now / trained)
    other = (1.0 - confidence) * ((1.0 - now) / (1.0 - trained))
    total = match + other
    return np.divide(match, total, out=confidence.copy(), where=total > 0.0)


def _most_likely(match: Floats, other: Floats, start: float) -> float:
    """Iterate expectation and maximisation until the share stands still."""
    share = start
    for _ in range(ITERATIONS):
        weighted = share * match
        following = float(np.mean(weighted / (weighted + (1.0 - share) * other)))
        if abs(following - share) < _CLOSE:
            return following
        share = following
    return share


def _standard_error(match: Floats, other: Floats, share: float) -> float:
    slope = (match - other) / (share * match + (1.0 - share) * other)
    return 1.0 / math.sqrt(max(float(np.sum(slope**2)), _LEAST))
