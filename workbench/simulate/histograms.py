"""Histograms of a run: its times in bins of equal ratio, for percentiles without the requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.tables import HISTOGRAMS, Outcome, Timing, histogram_bins

SLICES = 120
"""Slices that the measured window of a long run is cut into."""

_REQUESTS_A_SLICE = 200
_MOST_CELLS = 1 << 22
_KEYS = ("bin", "outcome", "ts_us", "timing", "server_id")
_COLUMNS = {Timing.RESPONSE: "response_us", Timing.WAIT: "wait_us", Timing.SERVICE: "service_us"}

Ints = NDArray[np.int64]


def histograms(requests: pa.Table, *, measured_us: tuple[int, int], run_id: int = 0) -> pa.Table:
    """Count the times of requests as rows of the histograms table.

    Args:
        requests: all requests of a run, as rows of the requests table, sorted by arrival.
        measured_us: begin and end of the measured window, microseconds, the end inside.
        run_id: number of the run.
    """
    arrival = requests["arrival_us"].to_numpy()
    last = int(arrival[-1]) if len(arrival) else 0
    slices = cut_slices(measured_us, last_us=last, requests=len(arrival))
    return histograms_table(count_times(requests, slices), run_id)


@dataclass(frozen=True, eq=False)
class Slices:
    """Edges of the slices of a run, microseconds."""

    fine: Ints
    """Of the pool's."""
    coarse: Ints
    """Of each server's."""


def cut_slices(measured_us: tuple[int, int], *, last_us: int, requests: int) -> Slices:
    """Cut a run into slices.

    Args:
        measured_us: begin and end of the measured window, microseconds, the end inside.
        last_us: when the last request arrived.
        requests: how many there are.
    """
    count = max(1, min(SLICES, requests // _REQUESTS_A_SLICE))
    return Slices(_edges(last_us, measured_us, count), _edges(last_us, measured_us, 1))


def count_times(requests: pa.Table, slices: Slices) -> dict[str, Ints]:
    """Count the times of requests, which may be some of a run's, sorted by arrival."""
    arrival = requests["arrival_us"].to_numpy()
    server = requests["server_id"].fill_null(pa.scalar(-1, pa.int16())).to_numpy().astype(np.int64)
    outcome = requests["outcome"].to_numpy()
    pool = _Groups.of(np.zeros(len(arrival), np.int64), slices.fine, arrival, outcome)
    servers = _Groups.of(server + 1, slices.coarse, arrival, outcome)
    found = []
    for timing, column in _COLUMNS.items():
        bins = histogram_bins(requests[column].to_numpy())
        counted = _counted(timing, outcome)
        found.append(pool.count(timing, bins, counted))
        found.append(servers.count(timing, bins, counted, without_first=True))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def add_counts(one: dict[str, Ints], other: dict[str, Ints]) -> dict[str, Ints]:
    """Add what was counted of some requests to what was counted of others."""
    whole = {name: np.concatenate([one[name], other[name]]) for name in one}
    order = np.lexsort([whole[name] for name in _KEYS])
    ordered = {name: values[order] for name, values in whole.items()}
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = np.any([np.diff(ordered[name]) != 0 for name in _KEYS], axis=0)
    firsts = np.flatnonzero(fresh)
    added = {name: values[firsts] for name, values in ordered.items()}
    return added | {"n": np.add.reduceat(ordered["n"], firsts) if len(firsts) else ordered["n"]}


def _counted(timing: Timing, outcome: NDArray[np.int8]) -> Ints | slice:
    """Give the places of the requests whose time is counted; without a gap where that is all of them."""
    if timing is Timing.RESPONSE or not np.any(outcome != Outcome.OK):
        return slice(None)
    return np.flatnonzero(outcome == Outcome.OK)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Requests in groups of one server (0 is none, or all), slice and outcome."""

    group: Ints
    """The group of each request."""
    edges: Ints
    outcomes: int

    @classmethod
    def of(cls, server: Ints, edges: Ints, arrival: Ints, outcome: NDArray[np.int8]) -> _Groups:
        outcomes = int(outcome.max(initial=0)) + 1
        # Requests are sorted by arrival, so where each edge falls says it for all of them.
        places = np.repeat(np.arange(len(edges) - 1), np.diff(np.searchsorted(arrival, edges)))
        group = server
        group *= len(edges) - 1
        group += places
        group *= outcomes
        group += outcome
        return cls(group, edges, outcomes)

    def count(
        self, timing: Timing, bins: NDArray[np.int16], counted: Ints | slice, *, without_first: bool = False
    ) -> dict[str, Ints]:
        """Count each bin of each group; those of server 0 are left out on demand."""
        lowest = int(bins.min(initial=0))
        width = int(bins.max(initial=0)) - lowest + 1
        cells = self.group[counted] * width
        cells += bins[counted]
        cells -= lowest
        found, n = _tally(cells)
        rest, binned = np.divmod(found, width)
        rest, outcome = np.divmod(rest, self.outcomes)
        server, place = np.divmod(rest, len(self.edges) - 1)
        columns = {
            "server_id": server - 1,
            "timing": np.full(len(n), timing.value),
            "outcome": outcome,
            "ts_us": self.edges[place],
            "interval_us": np.diff(self.edges)[place],
            "bin": binned + lowest,
            "n": n,
        }
        chosen = server > 0 if without_first else slice(None)
        return {name: values[chosen] for name, values in columns.items()}


def _edges(last_us: int, measured_us: tuple[int, int], count: int) -> Ints:
    """Cut from 0 to the end into slices of one length; one edge is the begin of the measured window."""
    begin, end = measured_us
    end = max(end, last_us) + 1
    width = max(1, -(-(end - begin) // count))
    warm_up = np.arange(begin, 0, -width)[::-1] if count > 1 else np.array([begin])
    edges = np.concatenate(([0], warm_up, np.arange(begin, end, width), [end]))
    return np.unique(edges)


def _tally(cells: Ints) -> tuple[Ints, Ints]:
    """Give the cells that occur, in rising order, and how often each does."""
    if int(cells.max(initial=0)) > _MOST_CELLS:
        found, n = np.unique(cells, return_counts=True)
        return found, n
    counts = np.bincount(cells)
    found = np.flatnonzero(counts)
    return found, counts[found]


def histograms_table(columns: dict[str, Ints], run_id: int = 0) -> pa.Table:
    """Write what was counted as rows of the histograms table."""
    order = np.lexsort([columns[name] for name in _KEYS])
    ordered: dict[str, Any] = {name: values[order] for name, values in columns.items()}
    ordered["run_id"] = np.full(len(order), run_id)
    arrays = {
        field.name: pa.array(
            ordered[field.name],
            field.type,
            mask=ordered[field.name] < 0 if field.name == "server_id" else None,
        )
        for field in HISTOGRAMS
    }
    return pa.table(arrays, schema=HISTOGRAMS)


def kept_requests(requests: pa.Table, share: float) -> pa.Table:
    """Keep a share of the requests, chosen by their numbers alone.

    The same numbers are chosen in every run, so that two strategies are sampled at the same requests,
    and whoever takes turns is sampled at every turn alike.

    Args:
        requests: rows of the requests table.
        share: 0 to 1.
    """
    if share >= 1:
        return requests
    return requests.filter(pa.array(_uniform(requests["req_id"].to_numpy()) < share))


def _uniform(numbers: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Scatter numbers evenly over 0 to 1, with the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))).astype(np.float64) / 2.0**64
