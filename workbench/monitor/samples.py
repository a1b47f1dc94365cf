"""Metrics that follow from samples: the values that a scrape at the end of an interval would have seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.monitor.points import Point

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEASURES = (
    "queue_depth",
    "queue_max",
    "in_service",
    "utilisation",
    "arrivals",
    "completions",
    "refused",
    "oldest_us",
)
"""The columns of samples that measure something, each null where it is not known."""

POOL = "all"
"""The pool of servers of which nothing else is said."""


@dataclass(frozen=True)
class Watched:
    """A server whose samples are looked at.

    Args:
        name: the label `server` of its series.
        slots: requests that it serves at once; None where that is not known.
        queue_limit: requests that may wait there; None where there is no limit, or it is not known.
        pool: the label `pool` of what is said of it and its neighbours.
    """

    name: str
    slots: float | None = None
    queue_limit: float | None = None
    pool: str = POOL


def sample_points(
    samples: pa.Table,
    *,
    servers: Sequence[Watched],
    began: float | None = None,
    every: bool = False,
) -> list[Point]:
    """Give the metrics at the end of the last interval, or of every one.

    Args:
        samples: rows of the samples table from the beginning on, since counters are sums over them.
        servers: the servers by their number.
        began: when the samples' clock was 0, seconds since 1970; with it points have times.
        every: all intervals; only the last one of each pool by default.

    Returns:
        Points of what is known. What is null in the samples is left out, and so is what lies in no
        interval: a gap is not a zero.
    """
    if not samples.num_rows:
        return []
    found: list[Point] = []
    pools: dict[str, list[_Series]] = {}
    for number, series in _by_server(samples):
        server = servers[number]
        pools.setdefault(server.pool, []).append(series)
        found += _points(server, series, began, slice(None) if every else slice(-1, None))
    for pool, members in pools.items():
        counting = [one for one in members if not np.isnan(one.columns["arrivals"]).all()]
        if counting:
            names = [servers[one.number].name for one in counting]
            found += _shares(pool, counting, names, began, every)
    return found


@dataclass(frozen=True, eq=False)
class _Series:
    """The samples of one server in order of time; NaN where they are null."""

    number: int
    end: Ints
    length: Floats
    columns: Mapping[str, Floats]


def _by_server(samples: pa.Table) -> Iterator[tuple[int, _Series]]:
    server = samples["server_id"].to_numpy()
    begin, length = samples["ts_us"].to_numpy(), samples["interval_us"].to_numpy()
    order = np.lexsort((begin, server))
    columns = {name: _floats(samples[name])[order] for name in MEASURES}
    edges = np.flatnonzero(np.diff(server[order])) + 1
    for part in np.split(np.arange(len(order)), edges):
        rows = order[part]
        taken = {name: column[part] for name, column in columns.items()}
        ends = (begin[rows] + length[rows]).astype(np.int64)
        number = int(server[rows[0]])
        yield number, _Series(number, ends, length[rows] / 1e6, taken)


def _floats(column: pa.ChunkedArray[Any]) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _points(server: Watched, series: _Series, began: float | None, chosen: slice) -> Iterator[Point]:
    labels = {"server": server.name}
    for name, values in {**_gauges(server, series), **_counters(series)}.items():
        for end, value in zip(series.end[chosen], values[chosen], strict=True):
            if not math.isnan(value):
                yield Point(name, labels, float(value), _time(began, end))


def _gauges(server: Watched, series: _Series) -> dict[str, Floats]:
    own = series.columns
    waiting, busy = own["queue_depth"], own["in_service"]
    gauges = {
        "workbench_queue_depth": waiting,
        "workbench_queue_depth_highest": own["queue_max"],
        "workbench_in_service": busy,
        "workbench_oldest_wait_seconds": own["oldest_us"] / 1e6,
        "workbench_in_flight": waiting + busy,
        "workbench_utilisation_ratio": own["utilisation"],
        "workbench_arrivals_per_second": own["arrivals"] / series.length,
        "workbench_throughput_per_second": own["completions"] / series.length,
    }
    if server.slots:
        gauges["workbench_saturation_ratio"] = (waiting + busy) / server.slots
    if server.queue_limit is not None:
        gauges["workbench_overflow_seconds"] = overflow(waiting, server.queue_limit, _growth(series))
    return gauges


def _counters(series: _Series) -> dict[str, Floats]:
    return {
        f"workbench_{name}_total": np.nancumsum(series.columns[name])
        for name in ("arrivals", "completions", "refused")
        if not np.isnan(series.columns[name]).all()
    }


def _growth(series: _Series) -> Floats:
    """By how many requests a second the queue grew from the middle of each interval's neighbour before."""
    waiting, begin = series.columns["queue_depth"], series.end - np.round(series.length * 1e6)
    apart = (series.length[1:] + series.length[:-1]) / 2
    apart[begin[1:] != series.end[:-1]] = math.nan  # what it did in a gap is not known
    return np.concatenate(([math.nan], np.diff(waiting) / apart))


def overflow(waiting: Floats, limit: float, growth: Floats) -> Floats:
    """Give the seconds until a queue is full, if it goes on growing as it does.

    Args:
        waiting: requests that wait.
        limit: requests that may wait.
        growth: requests a second by which it grows; where it does not, the answer is infinite.

    >>> overflow(np.array([20.0, 20.0, 100.0]), 100, np.array([4.0, -1.0, 4.0])).tolist()
    [20.0, inf, 0.0]
    """
    left = np.maximum(limit - waiting, 0.0)
    seconds = np.divide(left, growth, out=np.full(len(left), math.inf), where=growth > 0)
    return np.where(np.isnan(growth) | np.isnan(waiting), math.nan, seconds)


def imbalance(loads: Floats) -> float:
    """Give the largest load by the mean; 1 is even, NaN where there is none.

    >>> imbalance(np.array([30.0, 10.0, 20.0]))
    1.5
    """
    mean = loads.mean() if len(loads) else 0.0
    return float(loads.max() / mean) if mean > 0 else math.nan


def jain(loads: Floats) -> float:
    """Give Jain's fairness index of loads (Jain, Chiu and Hawe, 1984): 1 is even, 1/n all at one.

    >>> jain(np.array([5.0, 0.0, 0.0, 0.0]))
    0.25
    """
    squares = len(loads) * float(np.square(loads).sum())
    return float(np.square(loads.sum()) / squares) if squares > 0 else math.nan


def little_residual(in_system: float, rate: float, mean_time: float) -> float:
    """Give how far Little's law, L = lambda W, is off, as a share of L; NaN where nothing was there.

    Args:
        in_system: L, requests that were there on average.
        rate: lambda, requests a second.
        mean_time: W, mean time that a request was there, seconds.

    >>> little_residual(4.0, 2.0, 1.9)
    0.05
    """
    return abs(in_system - rate * mean_time) / in_system if in_system > 0 else math.nan


def _shares(
    pool: str, members: Sequence[_Series], names: Sequence[str], began: float | None, every: bool
) -> Iterator[Point]:
    """Compare the arrivals of the servers of a pool, at the ends of intervals that are known of all."""
    last = max(int(one.end[-1]) for one in members)
    for end, loads in _arrivals_at(members, None if every else last):
        at, total = _time(began, end), float(loads.sum())
        if total > 0:
            for name, load in zip(names, loads, strict=True):
                yield Point("workbench_share_ratio", {"server": name}, float(load / total), at)
            yield Point("workbench_imbalance_ratio", {"pool": pool}, imbalance(loads), at)
            yield Point("workbench_jain_ratio", {"pool": pool}, jain(loads), at)


def _arrivals_at(members: Sequence[_Series], only: int | None) -> Iterator[tuple[int, Floats]]:
    ends = members[0].end if only is None else np.array([only])
    for one in members:
        ends = np.intersect1d(ends, one.end, assume_unique=True)
    columns = [one.columns["arrivals"][np.searchsorted(one.end, ends)] for one in members]
    for end, loads in zip(ends, np.array(columns).T, strict=True):
        if not np.isnan(loads).any():
            yield int(end), loads


def _time(began: float | None, end_us: int) -> float | None:
    return None if began is None else began + float(end_us) / 1e6
