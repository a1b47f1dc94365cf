"""Window functions: what PromQL's `..._over_time`, `rate` and the like say of the samples in a window.

Each takes `Windows`, one row a series and time, and gives one value a row. The definitions are those
of Prometheus 2.42 (promql/functions.go); tests compare them with a real Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from workbench.alerts.series import Bools, Floats, Ints

_CHUNK = 4_000_000
"""Cells of the table that some functions spread windows into; more rows are taken in turns."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Stretches of samples, one a row; windows may overlap, and none is empty.

    Args:
        times: of all samples, seconds since any one moment near them, lest digits be lost.
        values: of all samples.
        low: the first sample of each window.
        high: one after its last sample.
        end: when each window ends, seconds since the same moment.
        over: how long a window is, seconds.
        parameter: of `quantile_over_time` the quantile, of `predict_linear` the seconds ahead.
    """

    times: Floats
    values: Floats
    low: Ints
    high: Ints
    end: Floats
    over: float
    parameter: float = 0.0

    @property
    def count(self) -> Ints:
        """Samples of each window."""
        return self.high - self.low

    @property
    def first(self) -> Floats:
        """The first value of each window."""
        return self.values[self.low]

    @property
    def last(self) -> Floats:
        """The last value of each window."""
        return self.values[self.high - 1]

    def reduce(self, function: np.ufunc, values: Floats, *, low: Ints | None = None) -> Floats:
        """Reduce stretches of values, 0 where one is empty."""
        starts = self.low if low is None else low
        places = np.column_stack((starts, self.high)).ravel()
        reduced = function.reduceat(np.append(values, 0.0), places)[::2]
        return np.where(starts < self.high, reduced, 0.0)

    @cached_property
    def steps(self) -> Floats:
        """Each sample's difference to the one before; the first of all has 0."""
        return np.diff(self.values, prepend=self.values[:1])

    def by_table(self, function: Callable[[Floats, Floats, Ints], Floats]) -> Floats:
        """Apply a function of tables: times and values, NaN after a window's last, and the counts."""
        result = np.empty(len(self.low))
        rows = max(1, _CHUNK // max(1, int(self.count.max(initial=1))))
        for begin in range(0, len(self.low), rows):
            part = slice(begin, begin + rows)
            count = self.count[part]
            place = np.arange(int(count.max(initial=0)))
            inside = place < count[:, None]
            index = np.where(inside, self.low[part, None] + place, 0)
            times, values = (np.where(inside, array[index], np.nan) for array in (self.times, self.values))
            result[part] = function(times, values, count)
        return result


def avg_over_time(windows: Windows) -> Floats:
    """The mean."""

    def mean(_times: Floats, values: Floats, count: Ints) -> Floats:
        return _compensated(values, count, lambda value, so_far, number: value / number - so_far / number)

    return windows.by_table(mean)


def min_over_time(windows: Windows) -> Floats:
    """The least."""
    return windows.reduce(np.fmin, windows.values)


def max_over_time(windows: Windows) -> Floats:
    """The largest."""
    return windows.reduce(np.fmax, windows.values)


def sum_over_time(windows: Windows) -> Floats:
    """The sum."""

    def total(_times: Floats, values: Floats, count: Ints) -> Floats:
        return _compensated(values, count, lambda value, _so_far, _number: value)

    return windows.by_table(total)


def _compensated(values: Floats, count: Ints, increment: Callable[[Floats, Floats, int], Floats]) -> Floats:
    """Add increments up, sample by sample, with Neumaier's compensation: the digits are Prometheus's."""
    so_far, lost = np.zeros(len(values)), np.zeros(len(values))
    for place in range(values.shape[1]):
        inside = place < count
        added = np.where(inside, increment(values[:, place], so_far, place + 1), 0.0)
        total = so_far + added
        larger = np.abs(so_far) >= np.abs(added)
        lost += np.where(larger, (so_far - total) + added, (added - total) + so_far)
        so_far = total
    return np.where(np.isinf(so_far), so_far, so_far + lost)


def count_over_time(windows: Windows) -> Floats:
    """How many samples there are."""
    return windows.count.astype(np.float64)


def last_over_time(windows: Windows) -> Floats:
    """The last value."""
    return windows.last


def quantile_over_time(windows: Windows) -> Floats:
    """The quantile `parameter` of the values, between neighbours by a straight line."""

    def quantile(_times: Floats, values: Floats, count: Ints) -> Floats:
        ordered = np.sort(values, axis=1)
        rank = windows.parameter * (count - 1)
        below = np.floor(rank).astype(np.int64)
        above = np.minimum(below + 1, count - 1)
        weight, rows = rank - below, np.arange(len(count))
        between: Floats = ordered[rows, below] * (1 - weight) + ordered[rows, above] * weight
        return between

    return windows.by_table(quantile)


def stddev_over_time(windows: Windows) -> Floats:
    """The standard deviation over the number of samples."""

    def deviation(_times: Floats, values: Floats, count: Ints) -> Floats:
        apart = values - (_total(values, count) / count)[:, None]
        return np.sqrt(_total(apart**2, count) / count)

    return windows.by_table(deviation)


def _total(values: Floats, count: Ints) -> Floats:
    """Add each row up, without what stands after its last sample."""
    inside = np.arange(values.shape[1]) < count[:, None]
    total: Floats = np.where(inside, values, 0.0).sum(axis=1)
    return total


def changes(windows: Windows) -> Floats:
    """How often the value changed; from one NaN to another is no change."""
    missing = np.isnan(windows.values)
    same = (windows.steps == 0) | (missing & np.concatenate(([False], missing[:-1])))
    return windows.reduce(np.add, (~same).astype(np.float64), low=windows.low + 1)


def resets(windows: Windows) -> Floats:
    """How often a counter fell."""
    return windows.reduce(np.add, (windows.steps < 0).astype(np.float64), low=windows.low + 1)


def delta(windows: Windows) -> Floats:
    """By how much a gauge changed, extended to the whole window."""
    return _extended(windows, windows.last - windows.first, counter=False)


def increase(windows: Windows) -> Floats:
    """By how much a counter grew, its resets counted, extended to the whole window."""
    return _extended(windows, _grown(windows), counter=True)


def rate(windows: Windows) -> Floats:
    """By how much a counter grew a second."""
    return _extended(windows, _grown(windows), counter=True, per=windows.over)


def _grown(windows: Windows) -> Floats:
    before = np.concatenate(([0.0], windows.values[:-1]))
    lost = np.where(windows.steps < 0, before, 0.0)
    return windows.last - windows.first + windows.reduce(np.add, lost, low=windows.low + 1)


def irate(windows: Windows) -> Floats:
    """By how much a counter grew a second between its last two samples."""
    last, before = windows.high - 1, windows.high - 2
    grown = np.where(
        windows.values[last] < windows.values[before],
        windows.values[last],
        windows.values[last] - windows.values[before],
    )
    return grown / (windows.times[last] - windows.times[before])


def _extended(windows: Windows, grown: Floats, *, counter: bool, per: float = 1.0) -> Floats:
    """Extend growth to the window's ends: to each end that is near, else by half a gap.

    A counter is not followed back beyond the time at which it would have been 0.
    """
    sampled = windows.times[windows.high - 1] - windows.times[windows.low]
    gap = sampled / (windows.count - 1)
    to_start = windows.times[windows.low] - (windows.end - windows.over)
    to_end = windows.end - windows.times[windows.high - 1]
    if counter:
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = sampled * (windows.first / grown)
        limited = (grown > 0) & (windows.first >= 0) & (to_zero < to_start)
        to_start = np.where(limited, to_zero, to_start)
    reach = sum(np.where(end < 1.1 * gap, end, gap / 2) for end in (to_start, to_end))
    return grown * ((sampled + reach) / sampled / per)


def deriv(windows: Windows) -> Floats:
    """The slope a second of the straight line through the samples."""
    return _line(windows, windows.times[windows.low])[0]


def predict_linear(windows: Windows) -> Floats:
    """The value `parameter` seconds ahead on the straight line through the samples."""
    slope, level = _line(windows, windows.end)
    return level + slope * windows.parameter


def _line(windows: Windows, origin: Floats) -> tuple[Floats, Floats]:
    """Slope and level at the origin of the least-squares line, row by row; flat where values are equal."""
    levels = np.empty(len(windows.low))
    taken = 0

    def fit(times: Floats, values: Floats, count: Ints) -> Floats:
        nonlocal taken
        part = slice(taken, taken + len(count))
        taken += len(count)
        x, y = times - origin[part, None], values
        mean_x, mean_y = _total(x, count) / count, _total(y, count) / count
        centred = x - mean_x[:, None]
        slope = _total(centred * (y - mean_y[:, None]), count) / _total(centred**2, count)
        flat = _total((y != y[:, :1]).astype(np.float64), count) == 0
        slope = np.where(flat, 0.0, slope)
        levels[part] = np.where(flat, y[:, 0], mean_y - slope * mean_x)
        return slope

    return windows.by_table(fit), levels


class Function(NamedTuple):
    """A window function, and what it needs."""

    compute: Callable[[Windows], Floats]
    least: int = 1
    """Samples without which there is no result."""
    parameter: str = ""
    """The key of the parameter that it takes."""
    counter: bool = False
    """Whether it is for counters."""


FUNCTIONS: Mapping[str, Function] = {
    "avg_over_time": Function(avg_over_time),
    "min_over_time": Function(min_over_time),
    "max_over_time": Function(max_over_time),
    "sum_over_time": Function(sum_over_time),
    "count_over_time": Function(count_over_time),
    "last_over_time": Function(last_over_time),
    "quantile_over_time": Function(quantile_over_time, parameter="quantile"),
    "stddev_over_time": Function(stddev_over_time),
    "changes": Function(changes),
    "resets": Function(resets, counter=True),
    "delta": Function(delta, least=2),
    "increase": Function(increase, least=2, counter=True),
    "rate": Function(rate, least=2, counter=True),
    "irate": Function(irate, least=2, counter=True),
    "deriv": Function(deriv, least=2),
    "predict_linear": Function(predict_linear, least=2, parameter="ahead"),
}
"""The functions by the names that PromQL gives them."""


def compute(name: str, windows: Windows, rows: Bools) -> Floats:
    """Apply a function to those windows that hold enough samples for it.

    Args:
        name: a key of `FUNCTIONS`.
        windows: all windows, empty ones included.
        rows: changed: those without a result become False.

    Returns:
        One value a window, NaN where there is none.
    """
    function = FUNCTIONS[name]
    rows &= windows.count >= function.least
    result = np.full(len(windows.low), np.nan)
    if rows.any():
        chosen = Windows(
            windows.times,
            windows.values,
            windows.low[rows],
            windows.high[rows],
            windows.end[rows],
            windows.over,
            windows.parameter,
        )
        with np.errstate(all="ignore"):  # infinite and missing values go through as they do in IEEE 754
            result[rows] = function.compute(chosen)
    return result
