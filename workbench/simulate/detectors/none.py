"""No passive health checks."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.checks import CheckState
from workbench.simulate.detectors._base import DETECTORS, NOTHING, Detector, DetectorState


def answered(
    state: DetectorState, checks: CheckState, server: int, outcome: int, seconds: float, rng: Generator
) -> int:
    """Learn nothing."""
    return NOTHING


@DETECTORS.register
class NoDetector(Detector):
    """Nothing is learnt from answers."""

    summary: ClassVar[str] = "nothing is learnt from answers"
    kind: Literal["none"] = "none"
    answered = staticmethod(answered)
