"""Putting the many small parts of one run together while it still grows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.store.parts import write_parts
from workbench.store.records import Part
from workbench.store.store import Store
from workbench.tables import SCHEMAS

MANY = 64
"""Small parts of a table from which they are put together."""
SMALL = 1 << 20
"""A part of fewer bytes is small."""

_ORDER = {
    "samples": ("server_id", "ts_us"),
    "events": ("ts_us",),
    "requests": ("req_id",),
    "histograms": ("server_id", "timing", "ts_us", "outcome", "bin"),
}


def merge_small_parts(store: Store, run_id: int, tables: Collection[str]) -> int:
    """Put a run's small parts of some tables together where there are many; say how many were replaced.

    Readers go on as in `compact`: the new part is listed in the place of the old ones by one transaction.

    Raises:
        StoreError: a part cannot be read or written.
    """
    replaced = 0
    for table in tables:
        small = [part for part in store.parts(table, [run_id]) if part.bytes < SMALL and part.runs == 1]
        if len(small) >= MANY:
            rows = _read(store, table, small)
            if store.replace_parts(small, write_parts(store.files, run_id, {table: rows})):
                replaced += len(small)
    return replaced


def _read(store: Store, table: str, parts: Collection[Part]) -> pa.Table:
    pieces = []
    for part in parts:
        with store.files.open(part.path) as stream:
            pieces.append(pq.read_table(pa.BufferReader(stream.read())).select(SCHEMAS[table].names))
    keys: list[tuple[str, Literal["ascending", "descending"]]] = [
        (name, "ascending") for name in _ORDER[table]
    ]
    return pa.concat_tables([piece.cast(SCHEMAS[table]) for piece in pieces]).sort_by(keys)
