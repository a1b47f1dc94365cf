"""A precision that holds: the lowest confidence above which proposals may be accepted unseen.

For a threshold t, let the precision be the chance that a proposal of confidence t or more is right.
Among n labelled ones the errors are binomial, so "the precision is below the target" is tested
exactly. Thresholds are tested from the highest down, each at the full level, until one does not
pass: with a fixed sequence the chance that any threshold passes wrongly stays below that level
(Angelopoulos, Bates, Candès, Jordan and Lei, Learn then Test, 2021, section 3; fixed sequence
testing: Maurer, Hothorn and Lehmacher, 1995). The sequence may depend on the confidences of the
labelled proposals, never on their verdicts.

The labels must be drawn at random from what will be accepted, and must not have trained the model.
Labels of an audit were drawn above the threshold of their time only; they count at thresholds from
there on, where they are as random as the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from workbench.errors import InputError

STEPS = 1000
"""Thresholds that are tested at most, spread evenly over the ranks of the labelled confidences."""

MOST_LABELS = 10_000_000
"""Labels beyond which no number is given: there are none to be had."""

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """One threshold and what the labels say of it."""

    threshold: float
    labels: int
    """Labelled proposals of this confidence or more."""
    errors: int
    """Of these, wrong."""
    p_value: float
    """Chance of so few errors or fewer if the precision were just the target."""


@dataclass(frozen=True)
class Certificate:
    """What labels allow to be accepted unseen.

    With probability `1 - miss_rate` over the draw of the labels, proposals of confidence `threshold`
    or more are right with a share of at least `target`.
    """

    target: float
    """Precision that is promised, 0 to 1."""
    miss_rate: float
    """Chance that the promise does not hold, 0 to 1."""
    labels: int
    """Labelled proposals in all."""
    threshold: float | None
    """The lowest confidence that passes; None where none does."""
    at: Trial | None
    """The test of that threshold."""
    stopped: Trial | None
    """The first test that did not pass; None where all passed or none could be made."""

    @property
    def needed(self) -> int | None:
        """Labels still needed before the threshold that stopped the sequence can pass.

        It counts on the errors seen there so far and no more; None where nothing stopped it.
        """
        if self.threshold is None and self.stopped is None:
            return max(0, _least(0, self.target, self.miss_rate) - self.labels)
        return None if self.stopped is None else labels_needed(self.stopped, self.target, self.miss_rate)


def certify(
    confidence: Floats,
    right: Booleans,
    *,
    target: float,
    miss_rate: float = 0.05,
    drawn_above: Floats | None = None,
    steps: int = STEPS,
) -> Certificate:
    """Find the lowest threshold whose precision is certified.

    Args:
        confidence: of each labelled proposal, 0 to 1.
        right: whether it was right, in the same order.
        target: precision that is to be certified, above 0 and below 1.
        miss_rate: chance that the certificate may be wrong, above 0 and below 1.
        drawn_above: of each labelled proposal the confidence above which it was drawn at random; 0, all
            proposals, by default.
        steps: thresholds that are tested at most; fewer are coarser, not safer.

    Returns:
        The certificate; its `threshold` is None where there are too few labels or too many errors.

    Raises:
        InputError: target or miss rate outside 0 to 1, a confidence that is no probability, or arrays of
            different lengths.

    Example:
        >>> import numpy as np
        >>> certify(np.full(299, 0.9), np.full(299, True), target=0.99).threshold
        0.9
    """
    _check(confidence, right, target, miss_rate)
    above = np.zeros(len(confidence)) if drawn_above is None else drawn_above
    tests = _sequence(confidence, right, above, target=target, miss_rate=miss_rate, steps=steps)
    passed = 0
    while passed < len(tests) and tests[passed].p_value <= miss_rate:
        passed += 1
    at = tests[passed - 1] if passed else None
    return Certificate(
        target=target,
        miss_rate=miss_rate,
        labels=len(confidence),
        threshold=at.threshold if at else None,
        at=at,
        stopped=tests[passed] if passed < len(tests) else None,
    )


def trial_at(confidence: Floats, right: Booleans, threshold: float, *, target: float) -> Trial:
    """Test one threshold that was chosen without looking at these labels."""
    above = confidence >= threshold
    labels = int(above.sum())
    errors = labels - int(right[above].sum())
    return Trial(threshold, labels, errors, _p_value(errors, labels, target))


def labels_needed(tested: Trial, target: float, miss_rate: float) -> int:
    """Count the labels still needed at a threshold if no further error comes.

    >>> labels_needed(Trial(0.9, 0, 0, 1.0), target=0.99, miss_rate=0.05)
    299
    """
    return max(0, _least(tested.errors, target, miss_rate) - tested.labels)


def labels_expected(tested: Trial, target: float, miss_rate: float) -> int | None:
    """Count the labels still needed if errors go on coming at the rate seen at this threshold.

    None where that rate is not below what the target allows: more labels would not help, a higher
    threshold may.
    """
    rate = tested.errors / tested.labels if tested.labels else 0.0
    if rate == 0.0:
        return labels_needed(tested, target, miss_rate)
    if rate >= 1.0 - target:
        return None
    low, high = tested.labels, max(1, tested.labels)
    while not _passes(rate, high, target, miss_rate):
        low, high = high, 2 * high
        if high > MOST_LABELS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _passes(rate, middle, target, miss_rate) else (middle, high)
    return high - tested.labels


def _passes(rate: float, labels: int, target: float, miss_rate: float) -> bool:
    return _p_value(math.ceil(rate * labels), labels, target) <= miss_rate


def _least(errors: int, target: float, miss_rate: float) -> int:
    """Find the fewest labels of which so many may be wrong (the test is monotone in them)."""
    low, high = errors, max(1, 2 * errors)
    while _p_value(errors, high, target) > miss_rate:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _p_value(errors, middle, target) <= miss_rate else (middle, high)
    return high


def _p_value(errors: int, labels: int, target: float) -> float:
    return float(bdtr(errors, labels, 1.0 - target)) if labels else 1.0


def _sequence(
    confidence: Floats, right: Booleans, above: Floats, *, target: float, miss_rate: float, steps: int
) -> list[Trial]:
    """List the tests, the highest threshold first, from the first on that has the labels to pass."""
    thresholds = np.unique(confidence)[::-1]
    if len(thresholds) > steps:
        ranks = np.linspace(0, len(confidence) - 1, steps).round().astype(np.int64)
        thresholds = np.unique(np.sort(confidence)[ranks])[::-1]
    labels, errors = np.zeros(len(thresholds), np.int64), np.zeros(len(thresholds), np.int64)
    for least in np.unique(above):
        drawn = above == least
        counts = thresholds >= least
        labels += np.where(counts, _at_least(confidence[drawn], thresholds), 0)
        errors += np.where(counts, _at_least(confidence[drawn & ~right], thresholds), 0)
    enough = labels >= _least(0, target, miss_rate)
    first = int(np.argmax(enough)) if enough.any() else len(thresholds)
    return [
        Trial(float(threshold), int(count), int(wrong), _p_value(int(wrong), int(count), target))
        for threshold, count, wrong in zip(thresholds[first:], labels[first:], errors[first:], strict=True)
    ]


def _at_least(values: Floats, thresholds: Floats) -> NDArray[np.int64]:
    return len(values) - np.searchsorted(np.sort(values), thresholds, side="left")


def _check(confidence: Floats, right: Booleans, target: float, miss_rate: float) -> None:
    for name, value in (("target precision", target), ("miss rate", miss_rate)):
        if not 0.0 < value < 1.0:
            raise InputError(f"{name}: given {value}; allowed: above 0 and below 1")
    if len(confidence) != len(right):
        raise InputError(f"labels: given {len(right)} for {len(confidence)} confidences; allowed: one each")
    if len(confidence) and not bool(np.all((confidence >= 0.0) & (confidence <= 1.0))):
        raise InputError(
            "confidence: given what is no probability; allowed: 0 to 1 for each labelled proposal"
        )
