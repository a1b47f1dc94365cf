"""Coverage of nominal 95 % intervals on M/M/1, after a warm-up of 10 %: how often they hold the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.experiments import (
    Interval,
    SlicedTimes,
    batch_means,
    mean_interval,
    quantile_interval,
    section_quantile,
)
from workbench.simulate import CompiledEngine, Records, Scenario, Workload, histograms, load_scenario
from workbench.tables import Timing

WARM_UP = 0.1
REPLICATIONS = 10


class Cell(NamedTuple):
    """A load, a length, and how often it is simulated."""

    load: float
    requests: int
    runs: int


CELLS = (Cell(0.8, 100_000, 1000), Cell(0.9, 1_000_000, 400))


def main() -> list[str]:
    """Measure and give the rows of the table."""
    rows = [
        "| method | measure | "
        + " | ".join(f"load {c.load:g}, {c.requests:,} requests" for c in CELLS)
        + " |",
        "|---|---|" + "---|" * len(CELLS),
    ]
    columns = [covered(cell) for cell in CELLS]
    for method, measure in columns[0]:
        shares = [column[method, measure] for column in columns]
        errors = [math.sqrt(s * (1 - s) / c.runs) for s, c in zip(shares, CELLS, strict=True)]
        cells = [f"{100 * s:.1f} ± {100 * e:.1f} %" for s, e in zip(shares, errors, strict=True)]
        rows.append(f"| {method} | {measure} | {' | '.join(cells)} |")
    return rows


def covered(cell: Cell) -> dict[tuple[str, str], float]:
    """Give the share of the runs in which the interval of each method and measure holds the truth."""
    mean, p99 = truth(cell.load)
    hits: dict[tuple[str, str], list[bool]] = {}
    for replication in range(cell.runs):
        records = CompiledEngine().run(Workload(mm1(cell.load, cell.requests), replication=replication))
        for method, measure, interval in _intervals(records):
            expected = mean if measure == "mean" else p99
            hits.setdefault((method, measure), []).append(interval.low <= expected <= interval.high)
        for method, measure, interval in _of_replications(cell, replication):
            expected = mean if measure == "mean" else p99
            hits.setdefault((method, measure), []).append(interval.low <= expected <= interval.high)
    return {key: float(np.mean(found)) for key, found in hits.items()}


def truth(load: float) -> tuple[float, float]:
    """Give mean and 99th percentile of the response time, seconds, where service takes 1 s on average."""
    return 1.0 / (1.0 - load), math.log(100.0) / (1.0 - load)


def mm1(load: float, requests: int) -> Scenario:
    """Give the scenario, from an empty start."""
    return load_scenario(
        {
            "name": "coverage",
            "arrivals": {"kind": "poisson", "rate": load},
            "service": {"kind": "exponential", "mean": 1},
            "pool": {},
            "balancers": {"strategy": "round_robin"},
            "horizon": f"{requests} requests",
            "seed": 7,
        }
    )


def measured(records: Records) -> NDArray[np.float64]:
    """Give the response times after the warm-up, seconds."""
    return records.response[int(WARM_UP * len(records)) :]


def _intervals(records: Records) -> Iterator[tuple[str, str, Interval]]:
    values = measured(records)
    yield "20 batches", "mean", batch_means(values)
    yield "shares above, 6 sections", "p99", quantile_interval(values, 0.99)
    yield "10 sections' quantiles", "p99", section_quantile(values, 0.99)
    begin = round(WARM_UP * records.until * 1e6)
    table = histograms(records.to_table(1), measured_us=(begin, round(records.until * 1e6)))
    kept = table.filter((_column(table, "timing") == Timing.RESPONSE) & (_column(table, "ts_us") >= begin))
    kept = kept.filter(kept["server_id"].is_null())
    times = SlicedTimes.of(*(_column(kept, name) for name in ("ts_us", "bin", "n")))
    yield "as `workbench run` (histograms)", "mean", times.mean(float(values.mean()))
    yield "as `workbench run` (histograms)", "p99", times.quantile(float(np.quantile(values, 0.99)), 0.99)


def _column(table: object, name: str) -> NDArray[np.int64]:
    return np.asarray(table[name])  # type: ignore[index]


def _of_replications(cell: Cell, number: int) -> Iterator[tuple[str, str, Interval]]:
    """Ten replications, each a tenth as long, so that all methods see as many requests."""
    scenario = mm1(cell.load, cell.requests // REPLICATIONS).model_copy(update={"seed": 11})
    numbers = range(number * REPLICATIONS, (number + 1) * REPLICATIONS)
    runs = [measured(CompiledEngine().run(Workload(scenario, replication=one))) for one in numbers]
    yield "10 replications", "mean", mean_interval([float(run.mean()) for run in runs])
    yield "10 replications", "p99", mean_interval([float(np.quantile(run, 0.99)) for run in runs])
