"""Write to a lake that has no room: `full_disk.py LAKE parts|catalogue|publish|compact [LIMIT]`.

Prints the class of the error, its text, then the files that remain, one a line. With LIMIT no
file may grow beyond so many bytes.
"""

from __future__ import annotations

import resource
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from workbench.errors import StoreError
from workbench.settings import Settings
from workbench.store import NewRun, RunResult, Store, maintenance, publish, write_parts
from workbench.tables import REQUESTS, SAMPLES


def requests(run_id: int, count: int) -> pa.Table:
    rng = np.random.default_rng(1)
    columns = {field.name: pa.array(np.zeros(count), field.type) for field in REQUESTS}
    columns["run_id"] = pa.array(np.full(count, run_id, np.int32))
    columns["req_id"] = pa.array(np.arange(count, dtype=np.int32))
    columns["response_us"] = pa.array(rng.integers(0, 2**62, count))
    return pa.table(columns, schema=REQUESTS)


def samples(run_id: int, count: int) -> pa.Table:
    """Intervals of random length, which no encoding makes small."""
    rng = np.random.default_rng(1)
    columns = {field.name: pa.array(np.zeros(count), field.type) for field in SAMPLES}
    lengths = rng.integers(0, 2**40, count)
    columns["run_id"] = pa.array(np.full(count, run_id, np.int32))
    columns["interval_us"] = pa.array(lengths)
    columns["ts_us"] = pa.array(np.cumsum(lengths) - lengths)
    return pa.table(columns, schema=SAMPLES)


def fill_parts(store: Store) -> None:
    tables = {"requests": requests(1, 1000), "samples": samples(1, 1_000_000)}
    write_parts(store.lake, 1, tables)


def fill_catalogue(store: Store) -> None:
    for number in range(100):
        store.begin_run(NewRun(str(number), "x" * 100_000, "{}", "random", 1, 0, "simpy", "0.1"))


def fill_publish(store: Store) -> None:
    for number in range(1, 100):
        publish(store)
        store_run(store, number, 8000)


def fill_compact(store: Store) -> None:
    """Runs until two thirds of the disk are full, so that no second copy of them fits."""
    for number in range(1, 100):
        store_run(store, number, 8000)
        disk = shutil.disk_usage(store.lake)
        if disk.free < disk.total / 3:
            break
    maintenance.compact(store)


def store_run(store: Store, number: int, count: int) -> None:
    run_id = store.begin_run(NewRun(str(number), "web", "{}", "random", 1, 0, "simpy", "0.1"))
    parts = write_parts(store.lake, run_id, {"samples": samples(run_id, count)})
    store.finish_run(run_id, RunResult(0, 0, 0, 0, 0.0), parts)


def main(lake: str, what: str, *limit: str) -> None:
    with Store(Settings(lake=Path(lake))) as store:
        if what == "publish":
            store_run(store, 0, 10)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[0]),) * 2)
        try:
            {
                "parts": fill_parts,
                "catalogue": fill_catalogue,
                "publish": fill_publish,
                "compact": fill_compact,
            }[what](store)
        except StoreError as error:
            print(type(error).__name__, error, sep="\n")
        listed = sum(part.rows for part in store.parts())
        if listed:  # what was acknowledged is still there to be read
            assert store.query("select count(*) as n from samples").to_pylist() == [{"n": listed}]
    for path in sorted(Path(lake).rglob("*")):
        if path.is_file():
            print(path.relative_to(lake))


if __name__ == "__main__":
    main(*sys.argv[1:])
