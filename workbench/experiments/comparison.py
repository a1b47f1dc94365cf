"""Comparing strategies that met the same requests.

Under common random numbers the difference of two strategies varies less than either alone, so
intervals are put on the paired differences (Law, Simulation Modeling and Analysis, 5th ed., sections
10.2 and 11.2). All differences to the best hold together at the stated level, by Bonferroni.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.errors import InputError
from workbench.experiments.intervals import LEVEL, Interval, Row, student


class Method(StrEnum):
    """Where the spread of the intervals comes from."""

    PAIRED_T = "paired_t"
    """Independent replications: Student's t on the mean of the paired differences."""
    BOOTSTRAP = "bootstrap"
    """A trace as recorded (replication 0) and resampled (the rest).

    The estimate is that of the recorded trace; the spread over the resampled ones is its standard
    error (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3), taken on the
    logarithms where all values are above 0, since times of congested traffic are skewed.
    """

    @property
    def least(self) -> int:
        """The fewest replications that it needs."""
        return 3 if self is Method.BOOTSTRAP else 2


class Verdict(StrEnum):
    """What a comparison says of a strategy."""

    BEST = "best"
    BOUND = "bound"
    """It knows what no balancer knows, so it is not in the running."""
    WORSE = "worse"
    """The interval of its difference to the best lies above 0."""
    SAME = "same"
    """It equals the best in every replication."""
    NOT_TOLD_APART = "not told apart"
    """The interval of its difference to the best holds 0."""
    NO_ANSWER = "no answer"
    """No request ended well in some replication, so there is nothing to compare."""


@dataclass(frozen=True)
class Standing:
    """How a strategy stands in a comparison."""

    strategy: str
    values: tuple[float, ...]
    """The measure in each replication."""
    measure: Interval
    """The measure, with an interval of its own at the comparison's level."""
    difference: Interval
    """Its difference to the best, paired; the intervals of all strategies hold together."""
    verdict: Verdict


def compare(
    values: Mapping[str, Sequence[float]],
    *,
    method: Method,
    bounds: Collection[str] = (),
    level: float = LEVEL,
) -> list[Standing]:
    """Rank strategies by a measure of which less is better.

    Args:
        values: for each strategy the measure in each replication, in the same order for all; NaN
            where no request ended well.
        method: how the replications came about.
        bounds: strategies that are shown but cannot be the best.
        level: the probability with which all intervals of the differences hold together, 0.5 to 1.

    Returns:
        The standings, the least first. The best has the least mean over the replications, or, for a
        resampled trace, the least value on the trace as recorded.

    Raises:
        InputError: too few replications for the method, or not the same number for all.
    """
    table = {strategy: np.asarray(row, dtype=np.float64) for strategy, row in values.items()}
    counts = {len(row) for row in table.values()}
    if len(counts) != 1 or min(counts) < method.least:
        raise InputError(
            f"replications: given {sorted(counts)}; allowed: {method.least} or more, equal for all"
        )
    ranked = sorted(table, key=lambda strategy: _rank(table[strategy], method))
    running = [strategy for strategy in ranked if strategy not in bounds] or ranked
    best = running[0]
    joint = 1.0 - (1.0 - level) / max(1, len(running) - 1)
    return [
        Standing(
            strategy=name,
            values=tuple(table[name].tolist()),
            measure=_own_interval(table[name], method, level),
            difference=(apart := _difference(table[name], table[best], method, joint)),
            verdict=_verdict(table[name], apart, is_best=name == best, is_bound=name not in running),
        )
        for name in ranked
    ]


def _rank(row: Row, method: Method) -> tuple[bool, float]:
    estimate = _estimate(row, method)
    return math.isnan(estimate), estimate


def _estimate(row: Row, method: Method) -> float:
    return float(row[0] if method is Method.BOOTSTRAP else row.mean())


def _verdict(row: Row, difference: Interval, *, is_best: bool, is_bound: bool) -> Verdict:
    if not np.isfinite(row).all():
        return Verdict.NO_ANSWER
    if is_best or is_bound:
        return Verdict.BEST if is_best else Verdict.BOUND
    if difference.low == difference.high == 0.0:
        return Verdict.SAME
    return Verdict.WORSE if difference.low > 0 else Verdict.NOT_TOLD_APART


def _own_interval(row: Row, method: Method, level: float) -> Interval:
    if method is Method.BOOTSTRAP and (row > 0).all():
        factor = math.exp(_half_width(np.log(row), method, level))
        return Interval(float(row[0]), float(row[0]) / factor, float(row[0]) * factor)
    return _linear(row, method, level)


def _difference(row: Row, best: Row, method: Method, level: float) -> Interval:
    if method is Method.BOOTSTRAP and (row > 0).all() and (best > 0).all():
        factor = math.exp(_half_width(np.log(row / best), method, level))
        ratio, scale = float(row[0] / best[0]), float(best[0])
        return Interval(
            float(row[0] - best[0]), scale * (ratio / factor - 1.0), scale * (ratio * factor - 1.0)
        )
    return _linear(row - best, method, level)


def _linear(row: Row, method: Method, level: float) -> Interval:
    estimate, half = _estimate(row, method), _half_width(row, method, level)
    return Interval(estimate, estimate - half, estimate + half)


def _half_width(row: Row, method: Method, level: float) -> float:
    sample = row[1:] if method is Method.BOOTSTRAP else row
    spread = float(sample.std(ddof=1))
    error = spread if method is Method.BOOTSTRAP else spread / math.sqrt(len(sample))
    return student(level, len(sample) - 1) * error
