"""Whether confidences still mean what they say: calibration on labels that came after the training.

Even a perfect forecaster has a calibration error above 0 on a finite sample, so the error comes with
the floor that chance alone gives (Roelofs, Cain, Shlens and Mozer, Mitigating bias in calibration
error estimation, 2022), and counts as off only above what chance exceeds in 1 of 100 samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.reconcile.evaluation import BINS, ece, log_loss, reliability
from workbench.reconcile.intervals import Estimate, share_of

FEWEST = 30
"""Labels below which a calibration error says nothing."""

_DRAWS = 400
_UNUSUAL = 0.99
_SEED = 20_240_229

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class DiagramBin:
    """Proposals of like confidence in a reliability diagram."""

    count: int
    confidence: float
    """Their mean confidence, 0 to 1."""
    share: Estimate
    """Share of them that was right, 0 to 1."""


@dataclass(frozen=True)
class ObservedCalibration:
    """How far confidences and fresh labels agree."""

    labels: int
    share: float
    """Share that was right, 0 to 1."""
    confidence: float
    """Mean confidence, 0 to 1."""
    ece: float
    """Expected calibration error over bins of equal mass."""
    ece_floor: float
    """What it is on average for a forecaster that is exactly right."""
    ece_limit: float
    """What it exceeds in 1 of 100 samples of such a forecaster."""
    brier: float
    """Mean squared distance between confidence and truth."""
    log_loss: float
    """Mean negative logarithm of the probability given to the truth, nats."""
    bins: tuple[DiagramBin, ...]
    """The reliability diagram, the lowest confidence first."""

    @property
    def off(self) -> bool:
        """Whether the calibration error is more than chance explains, and there are labels enough to tell."""
        return self.labels >= FEWEST and self.ece > self.ece_limit


def observed_calibration(confidence: Floats, right: Booleans, *, bins: int = BINS) -> ObservedCalibration:
    """Compare confidences with fresh labels; the order of the rows does not matter.

    Args:
        confidence: of each labelled proposal, 0 to 1.
        right: whether it was right, in the same order.
        bins: bins of the diagram at most, 1 or more.

    Raises:
        InputError: no label, or not one for each confidence.
    """
    diagram = reliability(confidence, right, bins=bins)
    ranked = np.sort(confidence)
    rng = np.random.default_rng(_SEED)
    by_chance = [ece(ranked, rng.random(len(ranked)) < ranked, bins=bins) for _ in range(_DRAWS)]
    return ObservedCalibration(
        labels=len(ranked),
        share=float(right.mean()),
        confidence=float(ranked.mean()),
        ece=ece(confidence, right, bins=bins),
        ece_floor=float(np.mean(by_chance)),
        ece_limit=float(np.quantile(by_chance, _UNUSUAL)),
        brier=float(np.mean((confidence - right) ** 2)),
        log_loss=log_loss(confidence, right),
        bins=tuple(
            DiagramBin(int(count), float(mean), share_of(round(float(share * count)), int(count)))
            for count, mean, share in zip(diagram.count, diagram.confidence, diagram.share_right, strict=True)
        ),
    )
