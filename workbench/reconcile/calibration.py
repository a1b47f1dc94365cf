"""Turning scores into probabilities that mean what they say.

Each calibrator is what it has learned and no more: a few numbers. Which one is used is chosen by
cross-validated log loss; temperature alone, which has no intercept, is not among them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from workbench.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logarithms are taken."""

ISOTONIC_FROM = 1_000
"""Labels from which on isotonic regression, which has many steps to learn, is tried."""

_RIDGE_SLOPE = 3.0
_RIDGE_INTERCEPT = 0.3
_NEWTON_STEPS = 50


def log_odds(probability: Floats) -> Floats:
    """Give the logarithm of the odds, with the probability kept from 0 and 1."""
    return np.asarray(logit(np.clip(probability, LEAST, 1 - LEAST)))


class Calibrator(BaseModel):
    """What turns the two scores of a pair, its own and that among its rivals, into a probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str
    meaning: ClassVar[str]

    @abstractmethod
    def __call__(self, scores: Floats) -> Floats:
        """Give probabilities.

        Args:
            scores: probabilities before calibration, one row a pair. The last column is the one that
                is calibrated; where there is another, it is the pair's own, no rival seen.
        """


class Uncalibrated(Calibrator):
    """Takes the score as it is."""

    kind: Literal["none"] = "none"
    meaning: ClassVar[str] = "the score as it is"

    def __call__(self, scores: Floats) -> Floats:
        """Give the last column."""
        return np.clip(scores[:, -1], LEAST, 1 - LEAST)


class Sigmoid(Calibrator):
    """A logistic model on the log odds of the scores (Platt 1999)."""

    kind: Literal["sigmoid"] = "sigmoid"
    meaning: ClassVar[str] = "sigmoid on the log odds"
    slopes: tuple[float, ...]
    intercept: float

    def __call__(self, scores: Floats) -> Floats:
        """Weigh the log odds."""
        odds = log_odds(scores[:, -len(self.slopes) :])
        return np.asarray(expit(odds @ np.array(self.slopes) + self.intercept))


class Isotonic(Calibrator):
    """A staircase that never falls, kept from 0 and 1 by what so few labels cannot tell."""

    kind: Literal["isotonic"] = "isotonic"
    meaning: ClassVar[str] = "clipped isotonic regression"
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, scores: Floats) -> Floats:
        """Read the staircase, straight between its points."""
        return np.interp(scores[:, -1], self.scores, self.probabilities)


AnyCalibrator = Annotated[Uncalibrated | Sigmoid | Isotonic, Field(discriminator="kind")]


class Chosen(BaseModel):
    """A calibrator and why it was chosen."""

    model_config = ConfigDict(frozen=True)
    calibrator: AnyCalibrator
    log_losses: dict[str, float]
    """Cross-validated log loss of each one that was tried, nats."""


def choose_calibrator(scores: Floats, right: Bools, folds: NDArray[np.int64]) -> Chosen:
    """Fit the calibrator that predicts held-out labels best.

    Args:
        scores: probabilities before calibration, as `Calibrator` takes them, none of them from a
            model that saw its label.
        right: labels.
        folds: the part that each row is held out with; rows of one transaction share it.

    Raises:
        InputError: the labels are all alike.
    """
    if len(right) == 0 or right.all() or not right.any():
        given = f"{int(right.sum())} that match and {int((~right).sum())} that do not"
        raise InputError(f"labels: given {given}; allowed: some of both")
    tried: dict[str, Callable[[Floats, Bools], Calibrator]] = {
        "none": lambda _scores, _right: Uncalibrated(),
        "sigmoid": lambda some, labels: fit_sigmoid(some[:, -1:], labels),
    }
    if scores.shape[1] > 1:
        tried["sigmoid of both"] = fit_sigmoid
    if len(right) >= ISOTONIC_FROM:
        tried["isotonic"] = fit_isotonic
    each = {name: _held_out_losses(fit, scores, right, folds) for name, fit in tried.items()}
    losses = {name: float(np.mean(found)) for name, found in each.items()}
    best = min((name for name in tried if name != "isotonic"), key=lambda name: losses[name])
    if "isotonic" in tried:
        # A staircase makes ties of what could be ranked, so it must be better beyond chance.
        gain = each[best] - each["isotonic"]
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            best = "isotonic"
    return Chosen.model_validate({"calibrator": tried[best](scores, right), "log_losses": losses})


def _held_out_losses(
    fit: Callable[[Floats, Bools], Calibrator], scores: Floats, right: Bools, folds: NDArray[np.int64]
) -> Floats:
    told = np.empty(len(right))
    for fold in np.unique(folds):
        out = folds == fold
        probability = fit(scores[~out], right[~out])(scores[out])
        told[out] = np.where(right[out], probability, 1 - probability)
    return np.asarray(-np.log(np.maximum(told, LEAST)))


def fit_sigmoid(scores: Floats, right: Bools) -> Sigmoid:
    """Fit a logistic model on log odds, drawn a little towards taking the last score as it is.

    That prior, in place of the softened labels of Platt, gives a perfect separation a finite answer.
    """
    odds = np.column_stack((log_odds(scores), np.ones(len(scores))))
    prior = np.zeros(odds.shape[1])
    prior[-2] = 1.0
    ridge = np.diag(np.append(np.full(scores.shape[1], _RIDGE_SLOPE), _RIDGE_INTERCEPT))
    target = right.astype(np.float64)
    weights = prior.copy()
    for _ in range(_NEWTON_STEPS):
        fitted = expit(odds @ weights)
        slope = odds.T @ (fitted - target) + ridge @ (weights - prior)
        curve = (odds.T * (fitted * (1 - fitted))) @ odds + ridge
        step = np.linalg.solve(curve, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return Sigmoid(slopes=tuple(float(value) for value in weights[:-1]), intercept=float(weights[-1]))


def fit_isotonic(scores: Floats, right: Bools) -> Isotonic:
    """Fit a staircase; its ends stay off 0 and 1 by one label in as many as there are, and two."""
    least = 1 / (len(right) + 2)
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    fitted.fit(scores[:, -1], right.astype(np.float64))
    return Isotonic(
        scores=tuple(fitted.X_thresholds_.tolist()), probabilities=tuple(fitted.y_thresholds_.tolist())
    )


CALIBRATORS: Mapping[str, type[Calibrator]] = {
    one.model_fields["kind"].default: one for one in (Uncalibrated, Sigmoid, Isotonic)
}
"""Every calibrator by its kind."""
