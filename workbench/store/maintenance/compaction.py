"""Compaction: many small files of a table become a few, and rows that no run owns any more go."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import PartError
from workbench.store.maintenance.room import require_room
from workbench.store.parts import write_compact
from workbench.store.records import Part, StoredFile
from workbench.store.store import Store
from workbench.tables import SCHEMA_VERSION, SCHEMAS

SMALL = 16 << 20
"""A file of fewer bytes is small."""
TARGET = 64 << 20
"""Files are put together up to about so many bytes."""


@dataclass(frozen=True)
class Compacted:
    """What compaction did to one table.

    Args:
        table: the table.
        files: how many files were replaced.
        into: by how many.
        bytes: size of those that were replaced.
        into_bytes: size of those that stand in their place.
        skipped: files of an older schema, which `workbench store migrate` brings up to date first.
    """

    table: str
    files: int
    into: int
    bytes: int
    into_bytes: int
    skipped: int


def compact(store: Store, *, small: int = SMALL, target: int = TARGET) -> list[Compacted]:
    """Put small files together.

    Readers and writers go on: the new file is complete before one transaction lists it in the place of
    the old ones, which stay for those who still read them until they are collected. A run that is
    written anew meanwhile wins; its group is left for the next time.

    Args:
        store: the lake.
        small: a file of fewer bytes is put together with others.
        target: about how many bytes a new file has at most.

    Raises:
        PartError: a file is damaged or gone; what was compacted before it stays so.
        DiskFullError: the largest group does not fit beside what is there.
    """
    return [_compact_table(store, table, small, target) for table in SCHEMAS]


def _compact_table(store: Store, table: str, small: int, target: int) -> Compacted:
    owned: dict[str, list[Part]] = defaultdict(list)
    with store.catalogue.reading():
        for part in store.parts(table):
            owned[part.path].append(part)
        files = [file for file in store.catalogue.parts.files() if file.table == table]
    old = [file for file in files if file.schema_version != SCHEMA_VERSION]
    done = Compacted(table, 0, 0, 0, 0, len(old))
    current = [file for file in files if file.schema_version == SCHEMA_VERSION]
    for group in _groups(current, owned, small, target):
        size = sum(file.bytes for file in group)
        if not store.settings.parts:
            require_room(store, needed=size, what=f"compacting {table}")
        parts = [part for file in group for part in owned[file.path]]
        new = write_compact(store.files, table, _pieces(store, group, owned))
        if store.replace_parts(parts, new):
            done = Compacted(
                table,
                done.files + len(group),
                done.into + 1,
                done.bytes + size,
                done.into_bytes + new[0].bytes,
                len(old),
            )
    return done


def _groups(
    files: Sequence[StoredFile], owned: dict[str, list[Part]], small: int, target: int
) -> Iterator[list[StoredFile]]:
    """Yield files to put together, in order of their runs; one alone where it holds rows of no run."""
    group: list[StoredFile] = []
    for file in sorted(files, key=lambda file: (owned[file.path][0].run_id, file.path)):
        stale = len(owned[file.path]) < file.runs
        if file.bytes >= small and not stale:
            continue
        if group and sum(each.bytes for each in group) + file.bytes > target:
            yield from _worthwhile(group, owned)
            group = []
        group.append(file)
    yield from _worthwhile(group, owned)


def _worthwhile(group: list[StoredFile], owned: dict[str, list[Part]]) -> Iterator[list[StoredFile]]:
    if len(group) > 1 or any(len(owned[file.path]) < file.runs for file in group):
        yield group


def _pieces(
    store: Store, group: Sequence[StoredFile], owned: dict[str, list[Part]]
) -> Iterator[tuple[int, pa.Table]]:
    """Read the rows of runs, piece by piece, and see that there are as many as the catalogue says."""
    for file in group:
        table = read_checked(store, file)
        for part in sorted(owned[file.path], key=lambda part: part.run_id):
            rows = table
            if file.runs > 1:
                rows = table.filter(pa.array(table["run_id"].to_numpy() == part.run_id))
            if rows.num_rows != part.rows:
                raise PartError(
                    f"{store.files.root}/{file.path} has {rows.num_rows:,} rows of run {part.run_id}, "
                    f"the catalogue lists {part.rows:,}; workbench store verify says how to mend it"
                )
            yield part.run_id, rows


def read_checked(store: Store, file: StoredFile) -> pa.Table:
    """Read a whole file after its checksum.

    Raises:
        PartError: it is gone, or not what was written.
    """
    with store.files.open(file.path) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != file.checksum:
        raise PartError(
            f"{store.files.root}/{file.path} is not what was written; "
            "workbench store verify says how to mend it"
        )
    return pq.read_table(pa.BufferReader(content))
