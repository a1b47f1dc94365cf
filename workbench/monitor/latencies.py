"""Metrics that follow from histograms: what became of requests, and how long they took."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.monitor.metrics import BUCKETS
from workbench.monitor.points import Point
from workbench.monitor.samples import Watched
from workbench.tables import BIN_RATIO, Outcome, Timing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOWHERE = "none"
"""The label `server` of requests for which there was no server."""

_POOL = -1


@dataclass(frozen=True, eq=False)
class _Counts:
    """Rows of the histograms table as arrays; the pool's server is -1."""

    server: Ints
    timing: Ints
    outcome: Ints
    begin: Ints
    length: Ints
    middle_s: Floats
    n: Ints

    def where(self, chosen: NDArray[np.bool_]) -> _Counts:
        return _Counts(**{name: column[chosen] for name, column in vars(self).items()})

    def of(self, timing: Timing) -> _Counts:
        return self.where(self.timing == timing)

    def total(self, chosen: NDArray[np.bool_]) -> int:
        return int(self.n[chosen].sum())


def histogram_points(
    histograms: pa.Table, *, servers: Sequence[Watched], at: float | None = None
) -> list[Point]:
    """Give what the histograms of a run say: requests by outcome, and the times of those that ended ok.

    A time is known to its bin, at most 0.99 % off, and counts in a bucket where the bin's middle does.

    Args:
        histograms: rows of the histograms table.
        servers: the servers by their number.
        at: when, seconds since 1970; None where points need no time.
    """
    counts = _counts(histograms)
    found: list[Point] = []
    of_servers = dict.fromkeys(Outcome, 0)
    for number, server in enumerate(servers):
        own = counts.where(counts.server == number)
        ended = _ended(own)
        of_servers = {outcome: of_servers[outcome] + ended[outcome] for outcome in Outcome}
        found += _outcomes(server.name, ended, at)
        found += _goodput(server.name, own, at)
        for timing in Timing:
            found += _buckets(server.name, timing, own.of(timing), at)
    pool = _ended(counts.where(counts.server == _POOL))
    nowhere = {outcome: pool[outcome] - of_servers[outcome] for outcome in Outcome}
    if any(nowhere.values()):
        found += _outcomes(NOWHERE, nowhere, at)
    return found


def _counts(table: pa.Table) -> _Counts:
    columns = {
        name: np.asarray(table[name].to_numpy(), dtype=np.int64)
        for name in ("timing", "outcome", "ts_us", "interval_us", "bin", "n")
    }
    # As floats, in which null is NaN.
    server = np.nan_to_num(table["server_id"].cast(pa.float64()).to_numpy(), nan=_POOL)
    bins = columns["bin"].astype(np.float64)
    # The harmonic mean of a bin's edges, as in `bin_middle_sql`.
    middle = np.where(bins < 0, 0.0, 2 * BIN_RATIO / (1 + BIN_RATIO) * BIN_RATIO ** np.maximum(bins, 0.0))
    return _Counts(
        server=server.astype(np.int64),
        timing=columns["timing"],
        outcome=columns["outcome"],
        begin=columns["ts_us"],
        length=columns["interval_us"],
        middle_s=middle / 1e6,
        n=columns["n"],
    )


def _ended(own: _Counts) -> Mapping[Outcome, int]:
    responses = own.of(Timing.RESPONSE)
    return {outcome: responses.total(responses.outcome == outcome) for outcome in Outcome}


def _outcomes(server: str, ended: Mapping[Outcome, int], at: float | None) -> Iterator[Point]:
    labels, answers = {"server": server}, sum(ended.values())
    for outcome, n in ended.items():
        yield Point("workbench_requests_total", labels | {"outcome": outcome.label}, float(n), at)
    yield Point("workbench_answers_total", labels, float(answers), at)
    yield Point("workbench_errors_total", labels, float(answers - ended[Outcome.OK]), at)
    yield Point("workbench_timed_out_total", labels, float(ended[Outcome.TIMEOUT]), at)


def _goodput(server: str, own: _Counts, at: float | None) -> Iterator[Point]:
    responses = own.of(Timing.RESPONSE)
    if len(responses.n):
        place = int(np.argmax(responses.begin))
        last = responses.begin == responses.begin[place]
        good = responses.total(last & (responses.outcome == Outcome.OK))
        rate = good / (float(responses.length[place]) / 1e6)
        yield Point("workbench_goodput_per_second", {"server": server}, rate, at)


def _buckets(server: str, timing: Timing, own: _Counts, at: float | None) -> Iterator[Point]:
    ok = own.where(own.outcome == Outcome.OK)
    if not len(ok.n):
        return
    name, labels, total = f"workbench_{timing.label}_seconds", {"server": server}, float(ok.n.sum())
    for bound in BUCKETS:
        inside = ok.total(ok.middle_s <= bound)
        yield Point(f"{name}_bucket", labels | {"le": f"{bound:g}"}, float(inside), at)
    yield Point(f"{name}_bucket", labels | {"le": "+Inf"}, total, at)
    yield Point(f"{name}_count", labels, total, at)
    yield Point(f"{name}_sum", labels, float((ok.n * ok.middle_s).sum()), at)
    yield Point("workbench_latency_mean_seconds", labels | {"timing": timing.label}, _mean(ok), at)


def _mean(counts: _Counts) -> float:
    total = float(counts.n.sum())
    return float((counts.n * counts.middle_s).sum()) / total if total else math.nan
