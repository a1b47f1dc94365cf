"""Time series as rules see them, and where rules get them from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Matcher
from workbench.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = Sequence[float] | Floats

_STALE_BITS = 0x7FF0000000000002
STALE = float(np.array(_STALE_BITS, dtype=np.int64).view(np.float64))
"""The sample that ends a series at once: a NaN of its own, with Prometheus's bits."""

_US = 1e6


def is_stale(values: Floats) -> Bools:
    """Tell which values are the marker that ends a series, and no other NaN."""
    bits: Ints = np.ascontiguousarray(values, np.float64).view(np.int64)
    return np.equal(bits, _STALE_BITS)


def microseconds(seconds: Floats | float) -> Ints:
    """Round times to whole microseconds, in which all times are compared."""
    return np.rint(np.asarray(seconds, dtype=np.float64) * _US).astype(np.int64)


@dataclass(frozen=True, eq=False)
class SeriesSet:
    """Series of one metric, their samples one after the other.

    Args:
        labels: of each series, no two alike.
        times: of the samples, seconds, increasing within a series.
        values: of the samples; `STALE` ends a series.
        edges: where each series begins in the arrays, and the end: one more than there are series.
    """

    labels: tuple[Labels, ...]
    times: Floats
    values: Floats
    edges: Ints

    @classmethod
    def gather(cls, series: Iterable[tuple[Labels, Numbers, Numbers]]) -> SeriesSet:
        """Put series together, each with its labels, times and values.

        Raises:
            ValueError: two series have the same labels, or times that do not increase.
        """
        parts = [(labels, np.asarray(t, np.float64), np.asarray(v, np.float64)) for labels, t, v in series]
        names = tuple(labels for labels, _, _ in parts)
        if len(set(names)) != len(names):
            raise ValueError("two series have the same labels")
        if any(len(t) != len(v) or np.any(np.diff(t) <= 0) for _, t, v in parts):
            raise ValueError("a series needs as many values as times, and its times must increase")
        edges = np.concatenate(([0], np.cumsum([len(t) for _, t, _ in parts], dtype=np.int64)))
        empty = [np.empty(0)]
        times = np.concatenate(empty + [t for _, t, _ in parts])
        return cls(names, times, np.concatenate(empty + [v for _, _, v in parts]), edges)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fresh(self) -> SeriesSet:
        """The same series without the markers that end them."""
        stale = is_stale(self.values)
        if not stale.any():
            return self
        kept = np.concatenate(([0], np.cumsum(~stale)))
        return SeriesSet(self.labels, self.times[~stale], self.values[~stale], kept[self.edges])

    def chosen(self, matchers: Sequence[Matcher]) -> SeriesSet:
        """Give the series that all matchers match."""
        equal = next((one for one in matchers if one.operator == "=" and one.value), None)
        places = range(len(self)) if equal is None else self._places.get((equal.name, equal.value), ())
        wanted = [
            place for place in places if all(matcher.matches(self.labels[place]) for matcher in matchers)
        ]
        if len(wanted) == len(self):
            return self
        return SeriesSet.gather(self.one(place) for place in wanted)

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], list[int]]:
        """Where each label's value stands."""
        found: dict[tuple[str, str], list[int]] = {}
        for place, labels in enumerate(self.labels):
            for pair in labels.items():
                found.setdefault(pair, []).append(place)
        return found

    def without(self, start: float, end: float) -> SeriesSet:
        """Give the series without the samples from start to before end, seconds."""
        kept = (self.times < start) | (self.times >= end)
        edges = np.concatenate(([0], np.cumsum(kept)))[self.edges]
        return SeriesSet(self.labels, self.times[kept], self.values[kept], edges)

    def one(self, place: int) -> tuple[Labels, Floats, Floats]:
        """Give one series: its labels, times and values."""
        part = slice(self.edges[place], self.edges[place + 1])
        return self.labels[place], self.times[part], self.values[part]

    def elapsed(self, at: Floats) -> Floats:
        """Give times as seconds since the first sample, exact to the microsecond."""
        return (microseconds(at) - self._keys[2]) / _US

    @cached_property
    def ages(self) -> Floats:
        """The times of the samples as seconds since the first, exact to the microsecond."""
        return self.elapsed(self.times)

    @cached_property
    def _keys(self) -> tuple[Ints, Ints, int, int]:
        """Times in microseconds, moved apart so that one sorted array holds all series."""
        times = microseconds(self.times)
        first = int(times.min()) if len(times) else 0
        span = (int(times.max()) - first if len(times) else 0) + 3
        offsets = np.arange(len(self), dtype=np.int64) * span
        return times - first + 1 + np.repeat(offsets, np.diff(self.edges)), offsets, first, span

    def locate(self, at: Floats, *, over: float, left_open: bool) -> tuple[Ints, Ints]:
        """Find the samples between `at - over` and `at`, for each series (row) and time (column).

        Returns:
            The first sample's place and the place after the last; equal where there is none.
        """
        keys, offsets, first, span = self._keys
        ends = microseconds(at)
        starts = ends - int(microseconds(over)) + (1 if left_open else 0)
        low = np.searchsorted(keys, offsets[:, None] + np.clip(starts - first + 1, 0, span - 1)[None, :])
        high = np.searchsorted(
            keys, offsets[:, None] + np.clip(ends - first + 1, 0, span - 1)[None, :], side="right"
        )
        return low, np.maximum(low, high)


NOTHING = SeriesSet.gather(())


class Source(Protocol):
    """Where rules get their data from: memory, the store, a live run."""

    def series(self, metric: str, matchers: Sequence[Matcher], *, start: float, end: float) -> SeriesSet:
        """Give the series of a metric that match, with their samples from start to end, or more.

        Raises:
            WorkbenchError: the data cannot be read.
        """
        ...

    def query(self, sql: str, *, at: float) -> Sequence[tuple[Labels, float]]:
        """Run an SQL query as of a time; text columns are labels, the column `value` is the value.

        Raises:
            WorkbenchError: the query cannot be run.
        """
        ...


Query = Callable[[str, float], Sequence[tuple[Labels, float]]]


class MemorySource:
    """Series that are already in memory, for tests, simulated and replayed runs."""

    def __init__(self, metrics: Mapping[str, SeriesSet], *, query: Query | None = None) -> None:
        self.metrics = metrics
        self._query = query
        self._chosen: dict[tuple[str, tuple[Matcher, ...]], SeriesSet] = {}

    def series(self, metric: str, matchers: Sequence[Matcher], *, start: float, end: float) -> SeriesSet:
        """Give the series of a metric that match, whole; none where there is no such metric."""
        key = metric, tuple(matchers)
        if key not in self._chosen:
            self._chosen[key] = self.metrics.get(metric, NOTHING).chosen(matchers)
        return self._chosen[key]

    def query(self, sql: str, *, at: float) -> Sequence[tuple[Labels, float]]:
        """Run an SQL query by the function that was given.

        Raises:
            InputError: none was given.
        """
        if self._query is None:
            raise InputError("sql: given a rule with an SQL query; allowed: such rules only over a store")
        return self._query(sql, at)
