"""A lake of many small runs: what its files cost a query and a publication, before and after compaction."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.ingest import requests
from workbench.settings import Settings
from workbench.simulate.histograms import histograms
from workbench.store import NewRun, RunResult, Store, maintenance, publish, queries, write_parts

SIZES = (100, 300, 1000)
ROWS = 1000


def grow(store: Store, runs: int) -> None:
    """Add runs until there are so many."""
    for number in range(len(store.runs()), runs):
        run_id = store.begin_run(NewRun(str(number), "small", "{}", "random", 1, number, "none", "0"))
        table = requests(ROWS, run_id=run_id, seed=number)
        end = int(table["arrival_us"][-1].as_py())
        tables = {"requests": table, "histograms": histograms(table, measured_us=(0, end), run_id=run_id)}
        result = RunResult(ROWS, 0, end, end, 0.1)
        store.finish_run(run_id, result, write_parts(store.files, run_id, tables))


def once(ask: Callable[[], object]) -> float:
    """Time it, wall clock."""
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


def fresh(settings: Settings, ask: Callable[[Store], object]) -> float:
    """Time it in a store that has just been opened; median of three."""
    taken = []
    for _ in range(3):
        with Store(settings) as store:
            taken.append(once(lambda store=store: ask(store)))
    return statistics.median(taken)


def main() -> list[str]:
    """Give the lines of the table."""
    lines = [
        "| runs | files | count of all requests, s | one run's percentiles, s | publish anew, s "
        "| publish one more run, s | compaction, s | files after | count after, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for runs in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(lake=Path(folder))
            with Store(settings) as store:
                grow(store, runs)
                files = len(store.catalogue.parts.files())
            count = fresh(settings, lambda store: store.query("select count(*) from requests"))
            one = fresh(settings, lambda store: queries.latency(store, run_id=50))
            with Store(settings) as store:
                anew = once(lambda store=store: publish(store))
                grow(store, runs + 1)
                extended = once(lambda store=store: publish(store))
                compacting = once(lambda store=store: maintenance.compact(store))
                after = len(store.catalogue.parts.files())
            counted = fresh(settings, lambda store: store.query("select count(*) from requests"))
        lines.append(
            f"| {runs:,} | {files:,} | {count:.3f} | {one:.3f} | {anew:.2f} | {extended:.2f} "
            f"| {compacting:.2f} | {after} | {counted:.3f} |"
        )
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
