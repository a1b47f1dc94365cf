"""Results beside queueing theory: does what was measured agree with what is known?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from workbench.experiments.intervals import Interval
from workbench.simulate.theory import Prediction, Theory

CHECK_LEVEL = 0.99
"""With a right model all quantities of a run lie in their intervals with this probability."""

LITTLE = 1e-6
"""Residual of Little's law above which something is wrong; engines keep it below 1e-9."""


class Agreement(StrEnum):
    """What a check says."""

    PASS = "pass"
    """The expected value lies in the interval."""
    WARN = "warn"
    """It does not: the run or its warm-up may be too short, or the model is not what it seems."""
    NO_FORMULA = "no exact formula here"
    UNKNOWN = "too few requests"
    """Nothing was measured, or too little for an interval."""


@dataclass(frozen=True)
class Check:
    """One quantity as expected and as measured."""

    quantity: str
    expected: float
    measured: Interval
    agreement: Agreement


Measured = Callable[[str, float], Interval | None]
"""Gives a quantity, by its name, with an interval at a level; None where it cannot be told."""


def check(theory: Theory, measured: Measured) -> list[Check]:
    """Compare each quantity that theory knows; the intervals hold together at 99 % (Bonferroni)."""
    level = 1.0 - (1.0 - CHECK_LEVEL) / max(1, len(theory.predictions))
    found = [(prediction, measured(prediction.quantity, level)) for prediction in theory.predictions]
    return [
        Check(prediction.quantity, prediction.expected, interval, _agreement(prediction, interval))
        for prediction, interval in found
        if interval is not None
    ]


def overall(theory: Theory, checks: list[Check]) -> Agreement:
    """Sum the checks of one run up."""
    if any(one.agreement is Agreement.WARN for one in checks):
        return Agreement.WARN
    if not theory.model:
        return Agreement.NO_FORMULA
    return Agreement.PASS if checks else Agreement.UNKNOWN


def _agreement(prediction: Prediction, interval: Interval) -> Agreement:
    slack = prediction.tolerance * prediction.expected
    inside = interval.low - slack <= prediction.expected <= interval.high + slack
    return Agreement.PASS if inside else Agreement.WARN
