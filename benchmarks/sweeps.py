"""Sweeps: what a cell costs beside its simulation, 10,000 cells, two processes, and a million on paper."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.experiments.sweeps import simulate
from workbench.settings import Settings
from workbench.workflows import load_sweep, plan_sweep, show_sweep, sweep
from workbench.workflows.sweep_plan import lay_out
from workbench.workflows.sweep_shelf import Shelf

POINTS = 2000
REPLICATIONS = 5
SMALL = 100
"""Requests of a cell where what is measured is all but the simulation."""
LARGE = 25_000
"""Requests of a cell, a tenth of a second of the reference engine, where scaling is measured."""


def document(points: int, replications: int, requests: int) -> dict[str, Any]:
    """Give a sweep of so many points over the load."""
    return {
        "name": "benchmark",
        "scenario": {
            "name": "small",
            "arrivals": {"kind": "poisson", "rate": "160/s"},
            "service": {"kind": "exponential", "mean": "20ms"},
            "pool": {"count": 4},
            "balancers": {"strategy": "join_shortest_queue"},
            "horizon": f"{requests} requests",
            "engine": "reference",
        },
        "parameters": {"load": {"from": 0.1, "to": 0.9, "points": points}},
        "replications": replications,
    }


def main() -> list[str]:
    """Give the lines of the tables."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_overhead(Path(folder)), "", *_scaling(Path(folder)), "", *_paper(Path(folder))]


def _seconds(work: Callable[[], object]) -> float:
    """Time it, processor time of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _overhead(folder: Path) -> list[str]:
    wanted = load_sweep(document(POINTS, REPLICATIONS, SMALL))
    settings = Settings(lake=folder / "overhead")
    cells = POINTS * REPLICATIONS
    _, scenarios, listed = lay_out(wanted)
    simulate(scenarios[0], 0)  # what is imported late is there now
    bare = _seconds(lambda: [simulate(scenarios[cell.point], cell.replication) for cell in listed])
    whole = _seconds(lambda: sweep(wanted, on="serial", settings=settings))
    planned = _seconds(lambda: plan_sweep(wanted, settings=settings))
    again = _seconds(lambda: sweep(wanted, on="serial", settings=settings))
    shown = _seconds(lambda: show_sweep("benchmark", settings=settings))
    files = list((settings.lake / "cells").glob("*.arrow"))
    size = sum(file.stat().st_size for file in files)
    return [
        f"{cells:,} cells of {SMALL} requests, processor time of one process:",
        "",
        "| what | s | ms a cell |",
        "|---|---|---|",
        *(
            f"| {what} | {seconds:.2f} | {1e3 * seconds / cells:.3f} |"
            for what, seconds in (
                ("simulating and summing up alone", bare),
                ("the sweep, nothing there before", whole),
                ("of it beside the simulation", whole - bare),
                ("a dry run, all there", planned),
                ("the sweep again, all reused", again),
                ("showing it", shown),
            )
        ),
        "",
        f"Its results are {len(files)} file(s) of {size / 1e6:.2f} MB, {size / cells:.0f} bytes a cell.",
    ]


def _scaling(folder: Path) -> list[str]:
    wanted = load_sweep(document(10, 8, LARGE))
    taken: dict[str, tuple[float, float]] = {}
    digests = set()
    for on, workers in (("serial", 1), ("processes", 1), ("processes", 2), ("dask", 2)):
        settings = Settings(lake=folder / f"{on}-{workers}")
        begun, before = time.perf_counter(), _all_processor_time()
        view = sweep(wanted, on=on, workers=workers, settings=settings)
        used = _all_processor_time() - before
        taken[f"{on}, {workers} at once"] = (time.perf_counter() - begun, used)
        digests.add(view.manifest.digest)
    alike = "the same" if len(digests) == 1 else "NOT the same"
    first = taken["serial, 1 at once"][0]
    load = os.getloadavg()[0]
    return [
        f"80 cells of {LARGE:,} requests; the results are {alike} bytes. Two cores, load average {load:.1f}:",
        "",
        "| by | by the clock, s | times as fast | processor time of all processes, s |",
        "|---|---|---|---|",
        *(
            f"| {name} | {wall:.1f} | {first / wall:.2f} | {used:.1f} |"
            for name, (wall, used) in taken.items()
        ),
    ]


def _all_processor_time() -> float:
    """Give the processor time of this process and of its children that have ended, seconds."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def _paper(folder: Path) -> list[str]:
    settings = Settings(lake=folder / "overhead")
    cells = POINTS * REPLICATIONS
    each = sum(file.stat().st_size for file in (settings.lake / "cells").glob("*.arrow")) / cells
    wanted = load_sweep(document(POINTS, REPLICATIONS, SMALL))
    laid = _seconds(lambda: lay_out(wanted)) / cells
    keys = [cell.key for cell in lay_out(wanted)[2]]
    read = _seconds(lambda: Shelf(settings).find(keys)) / cells
    return [
        "A million cells on 1,000 workers, from these figures: the driver, one process, lays them out in "
        f"{1e6 * laid:.0f} s of processor time, reads what is there in {1e6 * read:.0f} s and receives "
        f"{1e6 * each / 1e9:.2f} GB. Cells of 1 s take 1,000 s on 1,000 workers. Chunks grow with the "
        "workers so that about 100 results a second come in, here chunks of 10 s, since a scheduler "
        "and a driver that handle a few thousand tasks a second would else be the bound.",
    ]
