"""A run whose requests are not kept: histograms, samples and summaries in memory that does not grow.

The run is simulated twice. The first time only the ends of all intervals are learnt: when arrivals end,
when the warm-up does, when the last answer comes. The second time requests are counted, so many at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.simulate.engines import CompiledEngine, Progress
from workbench.simulate.engines.compiled import Finished
from workbench.simulate.histograms import Slices, add_counts, count_times, cut_slices, histograms_table
from workbench.simulate.records import Records
from workbench.simulate.sampling import Sampler
from workbench.simulate.scenario import Scenario
from workbench.simulate.totals import Totals
from workbench.simulate.workload import CHUNK, Workload

_TIMES = ("arrival", "begin", "finish", "answered")
_NUMBERS = ("balancer", "server", "outcome", "queue_depth")

BLOCK = 1 << 18
"""Requests that are counted at once."""


@dataclass(frozen=True)
class Bounds:
    """The ends of all intervals of a run; times in seconds."""

    requests: int
    begin: float
    """When the warm-up ends and the measured window begins."""
    until: float
    """When arrivals end, and the window with them."""
    drained: float
    """When the last answer comes."""
    area: float
    """Integral of the number of requests in the system, as the engine counted it."""

    @property
    def window_us(self) -> tuple[int, int]:
        """The measured window, microseconds."""
        return round(self.begin * 1e6), round(self.until * 1e6)


@dataclass(frozen=True, eq=False)
class Condensed:
    """What is kept of a run."""

    bounds: Bounds
    tables: dict[str, pa.Table]
    """Histograms, samples and summaries, by table."""


def condense(workload: Workload, *, run_id: int = 0, progress: Progress | None = None) -> Condensed:
    """Simulate with the compiled engine and keep no request.

    Histograms and samples are those of a run that keeps them; the percentiles of the summaries are read
    from the histograms, and so at most 0.99 % off.

    Args:
        workload: what is simulated.
        run_id: the run's number.
        progress: told how many requests have arrived so far, at half the pace since all arrive twice.

    Raises:
        SimulationError: the engine cannot run the scenario, or the strategy returned what is no server.
        InputError: `sample_every` is too short for so long a run.
        TraceError: the trace cannot be used.
    """
    scenario, engine = workload.scenario, CompiledEngine()
    first = None if progress is None else lambda done: progress(done // 2)
    bounds = find_bounds(scenario, engine.stream(workload, size=CHUNK, counted=True, progress=first))
    second = None if progress is None else lambda done: progress((bounds.requests + done) // 2)
    last_us = bounds.window_us[1]
    slices = cut_slices(bounds.window_us, last_us=last_us, requests=bounds.requests)
    sampler, totals = (
        Sampler.of(scenario, drained=bounds.drained),
        Totals(scenario, (bounds.begin, bounds.until)),
    )
    counts, left = _counts_of_none(slices), bounds.requests
    for block in blocks(scenario, bounds, engine.stream(workload, size=CHUNK, progress=second)):
        counts = add_counts(counts, count_times(block.to_table(run_id), slices))
        left -= len(block)
        sampler.add(block.visits(), until=float(block.arrival[-1]) if left else math.inf)
        totals.add(block)
    tables = {
        "histograms": histograms_table(counts, run_id),
        "samples": sampler.table(run_id),
        "summaries": totals.table(
            counts, from_us=bounds.window_us[0], area=bounds.area, drained=bounds.drained, run_id=run_id
        ),
    }
    return Condensed(bounds, tables)


def find_bounds(scenario: Scenario, parts: Iterable[Finished]) -> Bounds:
    """Read from a whole run where its intervals end."""
    warm_up, horizon = scenario.warm_up, scenario.horizon
    requests, last, drained, area, measured = 0, 0.0, 0.0, 0.0, 0.0
    for part in parts:
        place = (warm_up.requests or 0) - part.first
        if warm_up.requests is not None and place >= 0:
            measured = float(part.arrival[min(place, len(part) - 1)])
        requests += len(part)
        last, area = float(part.arrival[-1]), part.area
        drained = max(drained, float(part.answered.max()))
    until = last if horizon is None or horizon.seconds is None else horizon.seconds
    if warm_up.requests is None:
        given = warm_up.seconds if warm_up.seconds is not None else (warm_up.share or 0.0) * until
        measured = min(given, until)
    elif warm_up.requests == 0 or requests < 2:
        measured = 0.0
    return Bounds(requests, measured, until, drained, area)


def blocks(scenario: Scenario, bounds: Bounds, parts: Iterable[Finished]) -> Iterator[Records]:
    """Give the records of a run block by block."""
    delay, held, count = np.array(scenario.servers().delay), list[Finished](), 0
    for part in parts:
        held.append(part.copy())
        count += len(part)
        if count >= BLOCK:
            yield _records(held, delay, bounds)
            held, count = [], 0
    if held:
        yield _records(held, delay, bounds)


def _records(parts: list[Finished], delay: NDArray[np.float64], bounds: Bounds) -> Records:
    columns: dict[str, Any] = {}
    for name in _TIMES:
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
    for name in _NUMBERS:
        columns[name] = np.concatenate([getattr(part, name) for part in parts], dtype=np.int64)
    return Records(**columns, delay=delay, until=bounds.until, area=math.nan)


def _counts_of_none(slices: Slices) -> dict[str, NDArray[np.int64]]:
    """Give the counts of no request."""
    times: dict[str, Any] = {name: np.empty(0) for name in (*_TIMES, "delay")}
    numbers: dict[str, Any] = {name: np.empty(0, np.int64) for name in _NUMBERS}
    none = Records(**times, **numbers, until=0.0, area=0.0)
    return count_times(none.to_table(0), slices)
