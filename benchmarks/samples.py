"""Samples of 1,000 servers, one a second for a day: room, time to read a chart, and what sampling costs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.timing import interleave
from workbench.monitor.rollup import Coarser
from workbench.settings import Settings
from workbench.simulate import Workload, choose_engine, load_scenario, sample
from workbench.store import NewRun, RunResult, Store, queries, write_parts
from workbench.tables import SAMPLES
from workbench.workflows.rolling_up import roll_up_run

SERVERS = int(os.environ.get("BENCHMARK_SERVERS", "1000"))
HOURS = int(os.environ.get("BENCHMARK_HOURS", "24"))
REQUESTS = int(os.environ.get("BENCHMARK_REQUESTS", "1000000"))
SECOND = 1_000_000
RULES = [Coarser(after=3600.0, step=60.0)]
QUARTERS = 4
"""Parts an hour."""

POOL = {
    "name": "sampling",
    "arrivals": {"kind": "poisson", "rate": "640/s"},
    "service": {"kind": "exponential", "mean": "10ms"},
    "pool": {"count": 8},
    "balancers": {"strategy": "join_shortest_queue"},
    "horizon": f"{REQUESTS} requests",
}


def quarter(rng: np.random.Generator, run_id: int, number: int) -> pa.Table:
    """Make the samples of a quarter of an hour: queues that come and go at a load of 70 %."""
    seconds = 3600 // QUARTERS
    count = SERVERS * seconds
    arrivals = rng.poisson(35.0, count)
    busy = np.clip(arrivals * 0.02 + rng.normal(0.0, 0.05, count), 0.0, 1.0)
    waiting = np.maximum(rng.exponential(1.0, count) - 0.5, 0.0) * (busy > 0.6)
    columns = {
        "run_id": np.full(count, run_id),
        "server_id": np.repeat(np.arange(SERVERS), seconds),
        "ts_us": np.tile((number * seconds + np.arange(seconds)) * SECOND, SERVERS),
        "interval_us": np.full(count, SECOND),
        "queue_depth": waiting,
        "queue_max": np.ceil(waiting * 3),
        "in_service": busy,
        "utilisation": busy,
        "arrivals": arrivals,
        "completions": np.maximum(arrivals + rng.integers(-3, 4, count), 0),
        "refused": np.zeros(count),
        "oldest_us": waiting * 20_000,
    }
    return pa.table(
        {field.name: pa.array(columns[field.name]).cast(field.type, safe=False) for field in SAMPLES}
    )


def fill(store: Store, *, keep: bool) -> tuple[int, float]:
    """Store the day, as a collection would; with `keep` what is older than an hour goes to steps of a minute.

    Returns:
        The run, and the processor time that storing took, without that of making the samples, seconds.
    """
    run_id = store.begin_run(NewRun(f"samples {keep}", "samples", "{}", "none", 1, 0, "none", "0"))
    end = HOURS * 3600 * SECOND
    rng, taken = np.random.default_rng(1), 0.0
    for number in range(HOURS * QUARTERS):
        table = quarter(rng, run_id, number)
        begun = time.process_time()
        parts = write_parts(store.files, run_id, {"samples": table})
        if number:
            store.replace_parts([], parts, renew=[run_id])
        else:
            store.finish_run(run_id, RunResult(0, 0, end, end, 1.0, records=0.0), parts)
        if keep and number % QUARTERS == QUARTERS - 1:
            roll_up_run(store, run_id, RULES, now_us=(number + 1) * 3600 // QUARTERS * SECOND)
        taken += time.process_time() - begun
    return run_id, taken


def chart_time(store: Store, run_id: int) -> tuple[float, float]:
    """Give the least wall and processor time of a day's chart, of three after a first, seconds."""
    queries.queue_over_time(store, run_id=run_id)
    walls, processor = [], []
    for _ in range(3):
        begun = time.perf_counter(), time.process_time()
        queries.queue_over_time(store, run_id=run_id)
        walls.append(time.perf_counter() - begun[0])
        processor.append(time.process_time() - begun[1])
    return min(walls), min(processor)


def stored() -> list[str]:
    """Give the lines about storing and reading."""
    lines = [
        "| samples | rows | MB | bytes a row | CPU-s to store | s for a day's chart | CPU-s |",
        "|---|---|---|---|---|---|---|",
    ]
    for keep, name in ((True, "1 s for an hour, then 1 min"), (False, "1 s for the whole day")):
        with (
            tempfile.TemporaryDirectory() as folder,
            Store(Settings(lake=Path(folder), duckdb_memory="4GB")) as store,
        ):
            run_id, taken = fill(store, keep=keep)
            parts = store.parts("samples", [run_id])
            rows, size = sum(part.rows for part in parts), sum(part.bytes for part in parts)
            wall, processor = chart_time(store, run_id)
        room = f"{rows / 1e6:,.1f} M | {size / 1e6:,.0f} | {size / rows:.1f}"
        lines.append(f"| {name} | {room} | {taken:,.0f} | {wall:.2f} | {processor:.2f} |")
    return lines


def overhead() -> list[str]:
    """Give the lines about what sampling costs beside simulating."""
    lines = [
        "| engine | requests | CPU-s to simulate | to sample, 500 intervals | every second |",
        "|---|---|---|---|---|",
    ]
    for name in ("compiled", "reference"):
        scenario = load_scenario(POOL | {"engine": name})
        every_second = scenario.model_copy(update={"sample_every": 1.0})
        engine = choose_engine(scenario).engine
        records = engine.run(Workload(scenario))
        contenders: dict[str, Callable[[], object]] = {
            "simulate": lambda engine=engine, scenario=scenario: engine.run(Workload(scenario)),
            "sample": lambda records=records, scenario=scenario: sample(records, scenario),
            "seconds": lambda records=records, scenario=every_second: sample(records, scenario),
        }
        taken = interleave(contenders, rounds=3)
        shares = [
            f"{taken[one]:.2f} ({100 * taken[one] / taken['simulate']:.0f} %)"
            for one in ("sample", "seconds")
        ]
        lines.append(
            f"| {engine.name} | {REQUESTS / 1e6:g} M | {taken['simulate']:.2f} | {shares[0]} | {shares[1]} |"
        )
    return lines


def main() -> list[str]:
    """Give the lines of the tables."""
    return [
        f"{SERVERS:,} servers, {HOURS} h, {HOURS * QUARTERS} parts; two threads.",
        "",
        *stored(),
        "",
        *overhead(),
    ]


if __name__ == "__main__":
    print("\n".join(main()))
