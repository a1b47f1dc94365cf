"""Samples at a coarser step: counts add up, means are weighted by time, the largest stays the largest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.documents import Section
from workbench.quantities import PositiveDuration
from workbench.tables import SAMPLES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MEANS = ("queue_depth", "in_service", "utilisation")
_SUMS = ("arrivals", "completions", "refused")


class Coarser(Section):
    """From which age on samples have a coarser step."""

    after: PositiveDuration
    """Age from which on, seconds."""
    step: PositiveDuration
    """Length of an interval, seconds."""


def in_order(rules: Sequence[Coarser]) -> bool:
    """Whether rules, each with a greater age than the one before, have longer steps too."""
    ordered = sorted(rules, key=lambda rule: rule.after)
    return all(one.after < two.after and one.step < two.step for one, two in pairwise(ordered))


def roll_up(samples: pa.Table, *, step_us: int, before_us: int | None = None) -> pa.Table:
    """Bring samples together in intervals that begin at multiples of a step.

    No interval lies across a gap: what is together is what follows each other without one. An interval
    that reaches into the next step, or is as long as the step already, stays with where it begins.

    Args:
        samples: rows of the samples table, sorted by server, then time.
        step_us: the step, microseconds.
        before_us: only of intervals that end by then; the others stay as they are.

    Returns:
        Rows of the same kind. All counts add up to what they did. A mean is that of the intervals in
        which it is known; a count that is known in none is null.
    """
    if not samples.num_rows:
        return samples
    server = samples["server_id"].to_numpy()
    begin, length = samples["ts_us"].to_numpy(), samples["interval_us"].to_numpy()
    end = begin + length
    # Counted in whole steps, so that a step that is partly old is not split.
    limit = np.iinfo(np.int64).max if before_us is None else before_us // step_us * step_us
    slot = np.where(end <= limit, begin // step_us, -1 - np.arange(len(begin)))
    new = np.ones(len(begin), dtype=np.bool_)
    new[1:] = (server[1:] != server[:-1]) | (slot[1:] != slot[:-1]) | (begin[1:] != end[:-1])
    starts = np.flatnonzero(new)
    last = np.append(starts[1:], len(begin)) - 1
    columns = {
        "run_id": samples["run_id"].to_numpy()[starts],
        "server_id": server[starts],
        "ts_us": begin[starts],
        "interval_us": end[last] - begin[starts],
        **{name: _mean(_floats(samples, name), length, starts) for name in _MEANS},
        **{name: _sum(_floats(samples, name), starts) for name in _SUMS},
        "queue_max": _most(_floats(samples, "queue_max"), starts),
        # As of the end of an interval, but a queue that was long in between should not vanish.
        "oldest_us": _most(_floats(samples, "oldest_us"), starts),
    }
    return pa.Table.from_arrays(
        [_column(columns[field.name], field.type) for field in SAMPLES], schema=SAMPLES
    )


def _floats(samples: pa.Table, name: str) -> Floats:
    return np.asarray(samples[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _column(values: NDArray[np.generic], kind: pa.DataType) -> pa.Array[Any]:
    known = ~np.isnan(values.astype(np.float64))
    whole = np.where(known, values, 0)
    if pa.types.is_integer(kind):
        whole = np.round(whole)
    return pa.array(whole, mask=~known).cast(kind, safe=False)


def _mean(values: Floats, length: Ints, starts: Ints) -> Floats:
    known = ~np.isnan(values)
    weight = np.add.reduceat(np.where(known, length, 0).astype(np.float64), starts)
    total = np.add.reduceat(np.where(known, values * length, 0.0), starts)
    mean: Floats = np.divide(total, weight, out=np.full(len(starts), np.nan), where=weight > 0)
    return mean


def _sum(values: Floats, starts: Ints) -> Floats:
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), starts)
    return np.where(np.logical_or.reduceat(known, starts), total, np.nan)


def _most(values: Floats, starts: Ints) -> Floats:
    known = ~np.isnan(values)
    highest = np.maximum.reduceat(np.where(known, values, -1.0), starts)
    return np.where(highest >= 0, highest, np.nan)
