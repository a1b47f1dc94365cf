"""What is in a lake, table by table."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from workbench.store.maintenance.compaction import SMALL
from workbench.store.records import StoredFile
from workbench.store.store import Store
from workbench.tables import SCHEMA_VERSION, SCHEMAS


@dataclass(frozen=True)
class TableInventory:
    """One table.

    Args:
        table: its name.
        runs: how many runs have rows in it.
        rows: their rows.
        files: files that live.
        small: of these, how many are small and would be compacted.
        bytes: their size.
        old: of the files, how many have an older schema.
    """

    table: str
    runs: int
    rows: int
    files: int
    small: int
    bytes: int
    old: int


@dataclass(frozen=True)
class Inventory:
    """A lake.

    Args:
        lake: its folder, and the address of its parts where that is another.
        states: runs by state.
        tables: its tables.
        garbage_files: superseded files that still lie there.
        garbage_bytes: their size.
        disk_free: bytes that are free on the disk of the folder.
        disk_bytes: its size.
        version: version of the manifest.
        schema_version: version of the schemas that this workbench writes.
    """

    lake: str
    states: dict[str, int]
    tables: list[TableInventory]
    garbage_files: int
    garbage_bytes: int
    disk_free: int
    disk_bytes: int
    version: int
    schema_version: int


def take_inventory(store: Store) -> Inventory:
    """Count what the catalogue lists; no part is opened."""
    with store.catalogue.reading():
        files, garbage = store.catalogue.parts.files(), store.catalogue.parts.garbage()
        tables = [_table(store, name, [file for file in files if file.table == name]) for name in SCHEMAS]
        runs = [run.state for run in store.runs()]
        version = store.version
    disk = shutil.disk_usage(store.lake)
    return Inventory(
        lake=f"{store.lake}, parts in {store.files.root}" if store.settings.parts else str(store.lake),
        states={state: runs.count(state) for state in sorted(set(runs))},
        tables=tables,
        garbage_files=len(garbage),
        garbage_bytes=sum(item.bytes for item in garbage),
        disk_free=disk.free,
        disk_bytes=disk.total,
        version=version,
        schema_version=SCHEMA_VERSION,
    )


def _table(store: Store, name: str, files: list[StoredFile]) -> TableInventory:
    parts = store.parts(name)
    return TableInventory(
        table=name,
        runs=len({part.run_id for part in parts}),
        rows=sum(part.rows for part in parts),
        files=len(files),
        small=sum(file.bytes < SMALL for file in files) if len(files) > 1 else 0,
        bytes=sum(file.bytes for file in files),
        old=sum(file.schema_version != SCHEMA_VERSION for file in files),
    )
