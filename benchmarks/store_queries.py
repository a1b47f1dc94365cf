"""The questions of dashboards over 100 M stored requests, 40 runs of 2.5 M; two threads."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from benchmarks.ingest import requests
from workbench.settings import Settings
from workbench.simulate.histograms import histograms
from workbench.store import NewRun, RunResult, Store, queries, write_parts
from workbench.tables import SUMMARIES

RUNS = int(os.environ.get("BENCHMARK_RUNS", "40"))
ROWS = int(os.environ.get("BENCHMARK_ROWS", "2500000"))
STRATEGIES = ("round_robin", "random", "power_of_two", "join_shortest_queue")

EXACT = """
    select strategy, quantile_cont(response_us, [0.5, 0.95, 0.99, 0.999]) as q
    from requests join runs using (run_id) where outcome_code = 0 group by strategy
"""
ERRORS = """
    select strategy, outcome, count(*) as n from requests join runs using (run_id) group by all
"""


def fill(store: Store) -> None:
    """Store the runs; four tables of requests serve all, each run with its own number."""
    kinds = [requests(ROWS, seed=seed) for seed in range(len(STRATEGIES))]
    for number in range(RUNS):
        strategy = STRATEGIES[number % len(STRATEGIES)]
        run_id = store.begin_run(NewRun(str(number), "bench", "{}", strategy, 1, number, "none", "0"))
        table = kinds[number % len(STRATEGIES)]
        field = table.schema.field("run_id")
        table = table.set_column(0, field, pa.array([run_id]).cast(pa.int32()).take(pa.array([0] * ROWS)))
        end = int(table["arrival_us"][-1].as_py())
        summary = {field.name: [0] for field in SUMMARIES} | {"run_id": [run_id], "server_id": [None]}
        tables = {
            "requests": table,
            "histograms": histograms(table, measured_us=(end // 10, end), run_id=run_id),
            "summaries": pa.table(
                {field.name: pa.array(summary[field.name], field.type) for field in SUMMARIES},
                schema=SUMMARIES,
            ),
        }
        parts = write_parts(store.files, run_id, tables)
        store.finish_run(run_id, RunResult(ROWS, end // 10, end, end, 1.0), parts)


def timed(ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Give the least of a few rounds, by the wall clock and by the processor; a first is not counted."""
    ask()
    walls, processor = [], []
    for _ in range(rounds):
        begun = time.perf_counter(), time.process_time()
        ask()
        walls.append(time.perf_counter() - begun[0])
        processor.append(time.process_time() - begun[1])
    return min(walls), min(processor)


def main() -> list[str]:
    """Give the lines of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Settings(lake=Path(folder), duckdb_memory="4GB")) as store,
    ):
        fill(store)
        size = sum(file.bytes for file in store.catalogue.parts.files() if file.table == "requests")
        binned = sum(file.bytes for file in store.catalogue.parts.files() if file.table == "histograms")
        every, one = [run.run_id for run in store.runs()], 1
        found = {
            "percentiles of all runs by strategy, histograms": timed(
                lambda: queries.percentiles(store, run_ids=every, by="strategy"), 5
            ),
            "the same, exact": timed(lambda: store.query(EXACT), 1),
            "percentiles of one run, exact": timed(lambda: queries.latency(store, run_id=one), 5),
            "one run over time, exact": timed(lambda: queries.latency_over_time(store, run_id=one), 5),
            "outcomes of one run": timed(lambda: queries.outcome_counts(store, run_id=one), 5),
            "outcomes of all runs by strategy, histograms": timed(
                lambda: queries.outcome_table(store, run_ids=every, by="strategy"), 5
            ),
            "the same, counted": timed(lambda: store.query(ERRORS), 3),
            "slowest requests of one run": timed(lambda: queries.slowest_requests(store, run_id=one), 5),
            "list of the runs": timed(lambda: queries.run_table(store), 5),
        }
    lines = [
        f"| question over {RUNS * ROWS / 1e6:,.0f} M requests | seconds | CPU-seconds |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {wall:.3f} | {processor:.3f} |" for name, (wall, processor) in found.items()]
    lines += [
        "",
        f"Requests take {size / 1e6:,.0f} MB, {size / RUNS / ROWS:.1f} bytes each; "
        f"histograms {binned / 1e6:,.1f} MB.",
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
