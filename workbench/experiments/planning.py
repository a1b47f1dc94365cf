"""How long to simulate for a precision, guessed from pilot runs before the real ones start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.experiments.batch_means import batch_means
from workbench.experiments.intervals import LEVEL, Interval, Row, mean_interval, student
from workbench.experiments.quantiles import section_quantile

_BATCHES = 6
"""Batches of a pilot: few and long, so that what a queue remembers is not taken for independent."""


@dataclass(frozen=True)
class Need:
    """What a precision takes."""

    value: float
    """The measure, as the pilots have it, seconds."""
    relative: float
    """Half-width, at 95 %, by the value, of a run as long as a pilot."""
    requests: float
    """Measured requests that make it as narrow as was asked for."""


def need_of_long_runs(pilots: Sequence[Row], q: float | None, *, precision: float) -> Need:
    """Guess the requests that a scenario needs whose long run is looked for.

    The spread of long batches inside each pilot is pooled over the pilots.

    Args:
        pilots: for each run its values after the warm-up, in the order of arrival.
        q: the quantile that is measured, 0 to 1; None is the mean.
        precision: half-width by the value, above 0.
    """
    intervals = [_interval(values, q) for values in pilots]
    value = float(np.mean([one.value for one in intervals]))
    factor = student(LEVEL, _BATCHES - 1)
    errors = [(one.high - one.low) / 2.0 / factor for one in intervals]
    error = math.sqrt(float(np.mean(np.square(errors))))
    return _need(value, error, float(np.mean([len(one) for one in pilots])), precision)


def need_of_replications(values: Sequence[float], *, requests: float, precision: float) -> Need:
    """Guess the requests of a scenario whose every replication is looked at from begin to end.

    Args:
        values: the measure in each pilot, 2 or more.
        requests: measured requests of one.
        precision: half-width by the value, above 0.
    """
    found = mean_interval(values)
    error = (found.high - found.low) / 2.0 / student(LEVEL, len(values) - 1) * math.sqrt(len(values))
    return _need(found.value, error, requests, precision)


def _interval(values: Row, q: float | None) -> Interval:
    if q is None:
        return batch_means(values, batches=_BATCHES)
    # Of short pilots the interval that covers better has, now and then, a wide upper end, which would rule.
    return section_quantile(values, q, sections=_BATCHES)


def _need(value: float, error: float, requests: float, precision: float) -> Need:
    if value == 0.0:
        return Need(0.0, 0.0, 0.0)
    relative = student(LEVEL, 1_000_000) * error / value
    return Need(value, relative, requests * (relative / precision) ** 2)
