"""Writing request records: the store beside bare pyarrow with its defaults, one process."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.timing import interleave
from workbench import tables
from workbench.store import write_parts

ROWS = 2_000_000


def requests(rows: int) -> pa.Table:
    """Records such as a run of 8 servers at 80 % load gives."""
    rng = np.random.default_rng(1)
    wait = rng.exponential(2e4, rows).astype(np.int64) * (rng.random(rows) < 0.6)
    service = rng.exponential(2e4, rows).astype(np.int64)
    columns = {
        "run_id": np.full(rows, 1),
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
    cast = {field.name: pa.array(columns[field.name]).cast(field.type) for field in tables.REQUESTS}
    return pa.table(cast, schema=tables.REQUESTS)


def main() -> list[str]:
    """Give the lines of the table."""
    table = requests(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        lake, bare = Path(folder, "lake"), Path(folder, "bare.parquet")
        seconds = interleave(
            {
                "store": lambda: write_parts(lake, 1, {"requests": table}),
                "bare": lambda: pq.write_table(table, bare, compression="zstd"),
            }
        )
        size = max(file.stat().st_size for file in lake.rglob("*.parquet"))
        sizes = {"store": size / ROWS, "bare": bare.stat().st_size / ROWS}
    lines = ["| writer | M rows/CPU-s | bytes a row |", "|---|---|---|"]
    names = {"store": "the store", "bare": "pyarrow, zstd, defaults"}
    lines += [f"| {names[key]} | {ROWS / seconds[key] / 1e6:.1f} | {sizes[key]:.1f} |" for key in names]
    return lines


if __name__ == "__main__":
    print("\n".join(main()))
