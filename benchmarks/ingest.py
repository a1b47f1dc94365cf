"""Writing request records, one process: the store beside bare writers, DuckDB's ways, polars and chdb."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from benchmarks.timing import interleave
from workbench import tables
from workbench.simulate.histograms import histograms
from workbench.store import write_parts
from workbench.store.encodings import ROW_GROUP, parquet_options

ROWS = 2_000_000
_FEW = 2_000
"""Rows for what would take minutes otherwise."""


def requests(rows: int, *, run_id: int = 1, seed: int = 1) -> pa.Table:
    """Records such as a run of 8 servers at 80 % load gives."""
    rng = np.random.default_rng(seed)
    wait = rng.exponential(2e4, rows).astype(np.int64) * (rng.random(rows) < 0.6)
    service = rng.exponential(2e4, rows).astype(np.int64)
    columns = {
        "run_id": np.full(rows, run_id),
        "req_id": np.arange(rows),
        "arrival_us": np.cumsum(rng.exponential(3e3, rows)).astype(np.int64),
        "balancer_id": np.zeros(rows),
        "server_id": rng.integers(0, 8, rows),
        "outcome": np.zeros(rows),
        "queue_depth": rng.geometric(0.5, rows) - 1,
        "wait_us": wait,
        "service_us": service,
        "response_us": wait + service,
    }
    cast = {
        field.name: pa.array(columns.get(field.name, np.zeros(rows))).cast(field.type)
        for field in tables.REQUESTS
    }
    return pa.table(cast, schema=tables.REQUESTS)


def write_bare(table: pa.Table, file: Path) -> None:
    """Write with the store's encodings and row groups, and sync, without the store."""
    with pq.ParquetWriter(file, table.schema, **parquet_options(table.schema)) as writer:
        writer.write_table(table, ROW_GROUP)
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def contenders(table: pa.Table, folder: Path) -> dict[str, tuple[int, Path | None, Callable[[], object]]]:
    """Give each way with its number of rows and the file that it leaves."""
    few = table.slice(0, _FEW)
    rows = [tuple(row.values()) for row in few.to_pylist()]
    database = duckdb.connect(str(folder / "native.duckdb"), config={"threads": 1})
    database.register("records", table)
    database.execute("create table empty as select * from records limit 0")
    end = int(table["arrival_us"][-1].as_py())

    def insert(sql: str, *more: object) -> None:
        database.execute("create or replace table t as from empty")
        (database.executemany if more else database.execute)(sql, *more)

    def polars_write() -> None:
        import polars

        polars.from_arrow(table).write_parquet(folder / "polars.parquet", compression="zstd")

    def chdb_write() -> None:
        import chdb

        pq.write_table(table, folder / "in.parquet", compression="none", use_dictionary=False)
        chdb.query(
            f"insert into function file('{folder}/chdb.parquet', Parquet) "
            f"select * from file('{folder}/in.parquet', Parquet) settings engine_file_truncate_on_insert=1"
        )

    native, copied = folder / "native.duckdb", folder / "copied.parquet"
    copy = f"copy (from records) to '{copied}' (compression zstd)"
    found: dict[str, tuple[int, Path | None, Callable[[], object]]] = {
        "the store: check, encode, checksum, sync, rename": (
            ROWS,
            None,
            lambda: write_parts(folder / "lake", 1, {"requests": table}),
        ),
        "pyarrow, the store's encodings, sync": (
            ROWS,
            folder / "bare.parquet",
            lambda: write_bare(table, folder / "bare.parquet"),
        ),
        "pyarrow, zstd, defaults": (
            ROWS,
            folder / "defaults.parquet",
            lambda: pq.write_table(table, folder / "defaults.parquet", compression="zstd"),
        ),
        "Arrow IPC, lz4": (
            ROWS,
            folder / "table.arrow",
            lambda: pyarrow.feather.write_feather(table, str(folder / "table.arrow"), compression="lz4"),
        ),
        "histograms of the same requests (made, not written)": (
            ROWS,
            None,
            lambda: histograms(table, measured_us=(end // 10, end)),
        ),
        "DuckDB executemany": (
            _FEW,
            None,
            lambda: insert(f"insert into t values ({', '.join('?' * table.num_columns)})", rows),
        ),
        "DuckDB insert of an Arrow table": (ROWS, native, lambda: insert("insert into t from records")),
        "DuckDB COPY TO, zstd": (ROWS, copied, lambda: database.execute(copy)),
        "polars, zstd": (ROWS, folder / "polars.parquet", polars_write),
        "chdb, from Parquet": (ROWS, folder / "chdb.parquet", chdb_write),
    }
    return {name: way for name, way in found.items() if _is_there(name)}


def _is_there(name: str) -> bool:
    from importlib.util import find_spec

    library = name.split(",", maxsplit=1)[0]
    return library not in ("polars", "chdb") or find_spec(library) is not None


def disk_rate(folder: Path) -> float:
    """Measure how many bytes a second the disk takes durably."""
    import time

    block = os.urandom(1 << 24)
    begun = time.perf_counter()
    with (folder / "raw").open("wb") as stream:
        for _ in range(8):
            stream.write(block)
        os.fsync(stream.fileno())
    return 8 * len(block) / (time.perf_counter() - begun)


def main() -> list[str]:
    """Give the lines of the table."""
    table = requests(ROWS)
    lines = ["| writer | M rows/CPU-s | bytes a row |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = contenders(table, folder)
        seconds = interleave({key: way for key, (_, _, way) in ways.items()}, rounds=3)
        rates = {key: rows / seconds[key] for key, (rows, _, _) in ways.items()}
        store, *_ = ways
        parquet = next((folder / "lake").rglob("*.parquet")).stat().st_size / ROWS
        for key, (rows, file, _) in ways.items():
            size = parquet if key == store else file.stat().st_size / rows if file else None
            shown = "–" if size is None or key.startswith("DuckDB insert") else f"{size:.1f}"
            lines.append(f"| {key} | {rates[key] / 1e6:.3g} | {shown} |")
        disk = disk_rate(folder)
    bare, ipc = (rates[key] for key in ("pyarrow, the store's encodings, sync", "Arrow IPC, lz4"))
    lines += [
        "",
        f"The store writes at {rates[store] / bare:.2f} of the bare writer's rate, {rates[store] / ipc:.2f} "
        f"of Arrow IPC's, and gives the disk {rates[store] * parquet / 1e6:.0f} MB a second of the "
        f"{disk / 1e6:.0f} MB that it takes.",
    ]
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
