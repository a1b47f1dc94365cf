"""Publishing the lake as one DuckDB file that any tool opens."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store.database import Database
from workbench.store.disk import writing_to
from workbench.store.files import TEMPORARY_SUFFIX, sync_folder
from workbench.store.relations import rows_sql, stored_sql
from workbench.store.store import Store
from workbench.store.views import VIEWS, definition
from workbench.tables import PER_REQUEST, SCHEMA_VERSION, SCHEMAS

PUBLISHED_FILE = "workbench.duckdb"
_COPIED = tuple(name for name in SCHEMAS if name not in PER_REQUEST)
"""Stored tables that are copied; the rest are views over the parts."""
_MARK = "published_runs"
_MARK_COLUMNS = {"run_id": "INTEGER", "revision": "BIGINT", "schema_version": "INTEGER"}

Statement = tuple[str, Mapping[str, Any]]


def publish(store: Store, *, anew: bool = False) -> Path:
    """Bring `workbench.duckdb` in the lake up to date, in the place of the one before.

    It holds all tables but those of single requests, which are views over the parts at their present
    absolute paths. Nobody is ever locked out: who has the old file open keeps reading it. Where another
    process has published a later state meanwhile, that one stays. A copy of the file from before is
    extended by the runs that are new or changed; where that file is missing or not ours, all is built.

    Args:
        store: the lake.
        anew: build all in any case.

    Returns:
        The file.

    Raises:
        StoreError: the file cannot be written, or a part is missing.
        DiskFullError: no room is left; the file from before stays.
    """
    file = store.lake / PUBLISHED_FILE
    temporary = file.with_name(f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")
    try:
        version = None if anew else _extend(store, file, temporary)
        if version is None:
            version = _build(store, temporary, _COPIED)
        with writing_to(store.lake):
            _sync(temporary)
            store.catalogue.publish(version, lambda: _put_in_place(temporary, file))
    finally:
        _remove(temporary)
    return file


def publish_whole(store: Store, file: Path) -> Path:
    """Build one DuckDB file that holds everything, single requests included, to take along.

    Args:
        store: the lake.
        file: where; one that is there is replaced once the new one is complete.

    Raises:
        StoreError: the file cannot be written, or a part is missing.
        DiskFullError: no room is left; the file from before stays.
    """
    temporary = file.with_name(f"{file.name}.{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")
    try:
        _build(store, temporary, tuple(SCHEMAS))
        with writing_to(file.parent):
            _sync(temporary)
            _put_in_place(temporary, file)
    finally:
        _remove(temporary)
    return file


def _build(store: Store, file: Path, copied: tuple[str, ...]) -> int:
    with store.catalogue.reading():
        version = store.catalogue.version
        definitions = {
            name: definition(name, store.catalogue, store.files.root, store.lake) for name in VIEWS
        }
        revisions = _revisions(store)
    statements: list[Statement] = [
        (
            f"create {'view' if name in SCHEMAS and name not in copied else 'table'} {name} as {sql}",
            parameters,
        )
        for name, (sql, parameters) in definitions.items()
    ]
    _write(store, file, [*statements, _mark(revisions)])
    return version


def _extend(store: Store, before: Path, file: Path) -> int | None:
    """Copy the published file and bring the copy up to date; None where that cannot be done."""
    try:
        # Copied before it is looked at, because another process may put a newer one in its place.
        shutil.copyfile(before, file)
        known = _published(store, file)
        with store.catalogue.reading():
            version = store.catalogue.version
            revisions = _revisions(store)
            changed = {run_id for run_id, revision in revisions.items() if known.get(run_id) != revision}
            stale = (known.keys() - revisions.keys()) | (changed & known.keys())
            if 2 * (len(changed) + len(stale)) > len(revisions):
                _remove(file)
                return None  # building is as quick, and leaves no gaps
            statements = [*_changes(store, changed, stale), _mark(revisions)]
        _write(store, file, statements)
    except (OSError, StoreError):
        _remove(file)
        return None
    return version


def _changes(store: Store, changed: set[int], stale: set[int]) -> Iterator[Statement]:
    for name in VIEWS:
        if name in _COPIED:
            if stale:
                yield (
                    f"delete from {name} where list_contains($run_ids::INTEGER[], run_id)",
                    {"run_ids": sorted(stale)},
                )
            rows = stored_sql(name, store.parts(name, changed), store.files.root)
            yield f"insert into {name} {rows}", {}
        else:
            sql, parameters = definition(name, store.catalogue, store.files.root, store.lake)
            yield f"create or replace {'view' if name in SCHEMAS else 'table'} {name} as {sql}", parameters


def _published(store: Store, file: Path) -> dict[int, int]:
    """Read which runs a published file holds, and in which state.

    Raises:
        StoreError: it is not ours, or has other schemas.
    """
    database = Database(store.settings, str(file), read_only=True)
    try:
        rows = database.query(f"select * from {_MARK}").to_pylist()
    finally:
        database.close()
    if any(row["schema_version"] != SCHEMA_VERSION for row in rows):
        raise StoreError(f"{file} has another schema")
    return {row["run_id"]: row["revision"] for row in rows}


def _revisions(store: Store) -> dict[int, int]:
    return {run.run_id: run.revision for run in store.runs(state="complete")}


def _mark(revisions: Mapping[int, int]) -> Statement:
    lists = {
        "run_id": list(revisions),
        "revision": list(revisions.values()),
        "schema_version": [SCHEMA_VERSION] * len(revisions),
    }
    return f"create or replace table {_MARK} as {rows_sql(_MARK_COLUMNS)}", lists


def _write(store: Store, file: Path, statements: list[Statement]) -> None:
    database = Database(store.settings, str(file))
    try:
        database.run(statements)
        database.checkpoint()  # closing would do it too, but would not say that it failed
    finally:
        database.close()


def _remove(temporary: Path) -> None:
    for left in (temporary, Path(f"{temporary}.wal")):
        left.unlink(missing_ok=True)


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def _put_in_place(temporary: Path, file: Path) -> None:
    temporary.replace(file)
    sync_folder(file.parent)
