"""Summaries from sums: what the records say after the warm-up, without holding them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.simulate.summary import Window, balance, busy_seconds
from workbench.tables import QUANTILES, SUMMARIES, Outcome, Timing, bin_middles, quantile_column

_MEASURES = {"response": Timing.RESPONSE, "wait": Timing.WAIT}

Counts = dict[str, NDArray[np.int64]]


class Totals:
    """Sums of the requests of a run in which none is sent twice, some at a time.

    Args:
        scenario: what is simulated.
        window: from and until when requests that arrive are measured, seconds.
    """

    def __init__(self, scenario: Scenario, window: Window) -> None:
        self.slots = np.array(scenario.servers().slots, dtype=np.float64)
        self.window = window
        servers = len(self.slots)
        self.busy = np.zeros(servers)
        self.spent = 0.0
        """Response times of all requests, those outside the window included."""
        # The row behind the servers is for requests that no server was found for.
        self.outcomes = np.zeros((servers + 1, len(Outcome)), np.int64)
        self.sums = {measure: np.zeros(servers + 1) for measure in _MEASURES}
        self.longest = {measure: np.zeros(servers + 1) for measure in _MEASURES}

    def add(self, records: Records) -> None:
        """Add the next requests."""
        servers = len(self.slots)
        self.busy += busy_seconds(records, self.window, servers)
        self.spent += float(records.response.sum())
        inside = (records.arrival >= self.window[0]) & (records.arrival <= self.window[1])
        server = np.where(records.server < 0, servers, records.server)
        cells = server[inside] * len(Outcome) + records.outcome[inside]
        self.outcomes += np.bincount(cells, minlength=self.outcomes.size).reshape(self.outcomes.shape)
        good = inside & records.ok()
        for measure in _MEASURES:
            values = getattr(records, measure)[good]
            self.sums[measure] += np.bincount(server[good], values, servers + 1)
            np.maximum.at(self.longest[measure], server[good], values)

    def table(
        self, counts: Counts, *, from_us: int, area: float, drained: float, run_id: int = 0
    ) -> pa.Table:
        """Give rows of the summaries table: the pool's first, then one for each server.

        Args:
            counts: of the times of all requests, as `count_times` gives them.
            from_us: when the measured window begins, microseconds.
            area: integral of the number of requests in the system.
            drained: when the last answer came, seconds.
            run_id: the run's number.
        """
        length = self.window[1] - self.window[0]
        times = self.slots * length
        busy = np.minimum(self.busy, times)
        utilisation = busy / times if length > 0 else np.zeros(len(times))
        good = _good_after(counts, from_us)
        pool = self._row(slice(None), good, -1) | balance(utilisation)
        pool |= {"server_id": None, "share": 1.0, "utilisation": 0.0}
        if length > 0:
            pool["utilisation"] = float(busy.sum() / times.sum())
        if drained > 0 and area > 0:
            pool["mean_in_system"] = area / drained
            pool["little_residual"] = abs(area - self.spent) / area
        rows = [pool]
        for server in range(len(times)):
            row = self._row(slice(server, server + 1), good, server)
            row |= {"server_id": server, "utilisation": float(utilisation[server])}
            row["share"] = row["requests"] / max(1, pool["requests"])
            rows.append(row)
        return pa.Table.from_pylist([row | {"run_id": run_id} for row in rows], schema=SUMMARIES)

    def _row(self, servers: slice, good: Counts, server: int) -> dict[str, Any]:
        length = self.window[1] - self.window[0]
        outcomes = self.outcomes[servers].sum(axis=0)
        requests, ok = int(outcomes.sum()), int(outcomes[Outcome.OK])
        row: dict[str, Any] = {outcome.label: int(outcomes[outcome]) for outcome in Outcome}
        row |= {"window_s": length, "requests": requests, "attempts": requests, "retried": 0}
        row["goodput_per_s"] = ok / length if length > 0 else 0.0
        for measure, timing in _MEASURES.items() if ok else ():
            row[f"{measure}_mean_s"] = float(self.sums[measure][servers].sum() / ok)
            row[f"{measure}_max_s"] = float(self.longest[measure][servers].max())
            chosen = (good["server_id"] == server) & (good["timing"] == timing.value)
            found = quantiles(good["bin"][chosen], good["n"][chosen])
            row |= {quantile_column(measure, q): value for q, value in zip(QUANTILES, found, strict=True)}
        return row


def quantiles(bins: NDArray[np.int64], n: NDArray[np.int64]) -> list[float]:
    """Read the quantiles of the summaries from a histogram, in seconds: each at most 0.99 % off.

    As NumPy does, between the two of all times that a quantile lies between.
    """
    order = np.argsort(bins, kind="stable")
    until = np.cumsum(n[order])
    middles = bin_middles(bins[order]) * 1e-6
    ranks = np.array(QUANTILES) * (until[-1] - 1)
    below = np.floor(ranks)
    low, high = (middles[np.searchsorted(until, rank, side="right")] for rank in (below, np.ceil(ranks)))
    return [float(value) for value in low + (ranks - below) * (high - low)]


def _good_after(counts: Counts, from_us: int) -> Counts:
    """Choose what was counted of good answers to requests from a time on."""
    chosen = (counts["ts_us"] >= from_us) & (counts["outcome"] == Outcome.OK)
    return {name: counts[name][chosen] for name in ("server_id", "timing", "bin", "n")}
