"""Writing the tables of a run as immutable Parquet parts.

A part is `<table>/run_id=<id>/part-<checksum>.parquet` under the lake, or `<table>/compact/part-...`
where several runs share a file. It is written under a temporary name, synced and renamed, so a killed
writer leaves no half part under a part's name; and what the catalogue does not list, nobody reads. The
name comes from the content: writing the same run again gives the same file.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.store.encodings import parquet_options, row_group
from workbench.store.files import LocalFiles, PartFiles
from workbench.store.records import Part
from workbench.store.validation import validated
from workbench.tables import SCHEMA_VERSION, SCHEMAS

_TIME_COLUMNS = ("arrival_us", "ts_us")
VERSION_KEY = b"workbench_schema_version"
COMPACT = "compact"
"""Folder of the files that several runs share."""


@dataclass(frozen=True)
class _Staged:
    """A file that is complete on the disk under its temporary name."""

    temporary: Path
    path: str
    parts: list[Part]


def write_parts(lake: Path | PartFiles, run_id: int, tables: Mapping[str, pa.Table]) -> list[Part]:
    """Write a run's tables, one part each, durable when this returns.

    Needs no catalogue, so that a worker process can call it; the caller hands the parts to
    `Store.finish_run`. The same tables always give the same bytes.

    Args:
        lake: root folder of the lake, made where it is missing, or another place for its files.
        run_id: the run, as `Store.begin_run` gave it.
        tables: tables by name, each as `workbench.tables.SCHEMAS` says.

    Raises:
        StoreError: a table does not conform to its schema, or the lake cannot be written.
        DiskFullError: no room is left; what this call wrote has been removed.
    """
    files = LocalFiles(lake) if isinstance(lake, Path) else lake
    conformed = validated(tables, run_id)
    staged: list[_Staged] = []
    with files.writing():
        try:
            for name in sorted(conformed):
                staged.append(_stage(files, name, f"{name}/run_id={run_id}", [(run_id, conformed[name])]))
            # Only once all are whole, so that one failure removes them all.
            files.put([(item.temporary, item.path) for item in staged])
        except BaseException:
            # A file that has its final name stays: it is whole, unlisted, and another writer of the
            # same run may have listed the same content.
            for item in staged:
                files.discard(item.temporary)
            raise
    return [part for item in staged for part in item.parts]


def write_compact(files: PartFiles, name: str, pieces: Iterable[tuple[int, pa.Table]]) -> list[Part]:
    """Write the rows of several runs of a table as one file, durable when this returns.

    Args:
        files: where.
        name: the table.
        pieces: its rows, each a run and a table of its rows, in order of the run.
    """
    with files.writing():
        staged = _stage(files, name, f"{name}/{COMPACT}", pieces)
        try:
            files.put([(staged.temporary, staged.path)])
        except BaseException:
            files.discard(staged.temporary)
            raise
    return staged.parts


def _stage(files: PartFiles, name: str, folder: str, pieces: Iterable[tuple[int, pa.Table]]) -> _Staged:
    temporary = files.stage(folder)
    try:
        rows = _encode(temporary, name, pieces)
        checksum = _checksum_and_sync(temporary)
        size = temporary.stat().st_size
    except BaseException:
        files.discard(temporary)
        raise
    path = f"{folder}/part-{checksum[:32]}.parquet"
    parts = [
        Part(
            table=name,
            run_id=run_id,
            path=path,
            rows=count.rows,
            bytes=size,
            min_us=count.earliest,
            max_us=count.latest,
            checksum=checksum,
            schema_version=SCHEMA_VERSION,
            runs=len(rows),
        )
        for run_id, count in rows.items()
    ]
    return _Staged(temporary, path, parts)


@dataclass
class _Counted:
    rows: int = 0
    earliest: int | None = None
    latest: int | None = None

    def add(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        for column in _TIME_COLUMNS:
            if column in table.column_names and table.num_rows:
                times = pc.min_max(table.column(column))
                low, high = times["min"].as_py(), times["max"].as_py()
                self.earliest = low if self.earliest is None else min(self.earliest, low)
                self.latest = high if self.latest is None else max(self.latest, high)


def _encode(file: Path, name: str, pieces: Iterable[tuple[int, pa.Table]]) -> dict[int, _Counted]:
    """Write pieces in row groups that small neighbours share, and count the rows of each run."""
    counted: dict[int, _Counted] = defaultdict(_Counted)
    schema = SCHEMAS[name].with_metadata({VERSION_KEY: str(SCHEMA_VERSION)})
    size = row_group(name)
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(file, schema, **parquet_options(schema)) as writer:
        for run_id, piece in pieces:
            counted[run_id].add(piece)
            waiting.append(piece.replace_schema_metadata(schema.metadata))
            if sum(table.num_rows for table in waiting) >= size:
                writer.write_table(pa.concat_tables(waiting), size)
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting), size)
    return counted


def _checksum_and_sync(file: Path) -> str:
    with file.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return checksum
