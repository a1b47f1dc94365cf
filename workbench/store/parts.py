"""Writing the tables of a run as immutable Parquet parts.

A part is `<table>/run_id=<id>/part-<checksum>.parquet` under the lake. It is written under a
temporary name in the same folder, synced and renamed, so a killed writer leaves no half part under
a part's name; and what the catalogue does not list, nobody reads. The name comes from the content:
writing the same run again gives the same file.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.store.disk import writing_to
from workbench.store.encodings import ROW_GROUP, parquet_options
from workbench.store.records import Part
from workbench.store.validation import validated
from workbench.tables import SCHEMA_VERSION

_TIME_COLUMNS = {"requests": "arrival_us", "samples": "ts_us"}
_VERSION_KEY = b"workbench_schema_version"
TEMPORARY_SUFFIX = ".tmp"


@dataclass(frozen=True)
class _Written:
    """A part that is complete on the disk under its temporary name."""

    temporary: Path
    final: Path
    part: Part


def write_parts(lake: Path, run_id: int, tables: Mapping[str, pa.Table]) -> list[Part]:
    """Write a run's tables, one part each, durable when this returns.

    Needs no catalogue, so that a worker process can call it; the caller hands the parts to
    `Store.finish_run`. The same tables always give the same bytes.

    Args:
        lake: root folder of the lake; it is made where it is missing.
        run_id: the run, as `Store.begin_run` gave it.
        tables: tables by name, each as `workbench.tables.SCHEMAS` says.

    Raises:
        StoreError: a table does not conform to its schema, or the lake cannot be written.
        DiskFullError: no room is left; what this call wrote has been removed.
    """
    conformed = validated(tables, run_id)
    written: list[_Written] = []
    with writing_to(lake):
        try:
            for name in sorted(conformed):
                written.append(_write(lake, run_id, name, conformed[name]))
            return _rename(written)
        except BaseException:
            _remove(written)
            raise


def _write(lake: Path, run_id: int, name: str, table: pa.Table) -> _Written:
    folder = lake / name / f"run_id={run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
    try:
        _encode(temporary, table)
        checksum = _checksum_and_sync(temporary)
        size = temporary.stat().st_size
    except BaseException:
        _discard(temporary)
        raise
    final = folder / f"part-{checksum[:32]}.parquet"
    earliest, latest = _time_bounds(name, table)
    part = Part(
        table=name,
        run_id=run_id,
        path=final.relative_to(lake).as_posix(),
        rows=table.num_rows,
        bytes=size,
        min_us=earliest,
        max_us=latest,
        checksum=checksum,
        schema_version=SCHEMA_VERSION,
    )
    return _Written(temporary, final, part)


def _encode(file: Path, table: pa.Table) -> None:
    table = table.replace_schema_metadata({_VERSION_KEY: str(SCHEMA_VERSION)})
    with pq.ParquetWriter(file, table.schema, **parquet_options(table.schema)) as writer:
        writer.write_table(table, ROW_GROUP)


def _checksum_and_sync(file: Path) -> str:
    with file.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return checksum


def _time_bounds(name: str, table: pa.Table) -> tuple[int | None, int | None]:
    if name not in _TIME_COLUMNS:
        return None, None
    times = table.column(_TIME_COLUMNS[name])
    return pc.min(times).as_py(), pc.max(times).as_py()


def _rename(written: list[_Written]) -> list[Part]:
    """Give all parts their names; only once all are whole, so that one failure removes them all."""
    for item in written:
        item.temporary.replace(item.final)
    for folder in {folder for item in written for folder in item.final.parents[:3]}:
        sync_folder(folder)  # the run's, the table's and the lake's
    return [item.part for item in written]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, which syncing a file alone does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(written: list[_Written]) -> None:
    # A file that has its final name stays: it is whole, unlisted, and another writer of the same
    # run may have listed the same content.
    for item in written:
        _discard(item.temporary)


def _discard(temporary: Path) -> None:
    temporary.unlink(missing_ok=True)
    try:
        temporary.parent.rmdir()
    except OSError:
        return  # other files are in it
