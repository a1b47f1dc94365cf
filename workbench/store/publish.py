"""Publishing the lake as one DuckDB file that any tool opens."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from workbench.store.database import Database
from workbench.store.disk import writing_to
from workbench.store.parts import TEMPORARY_SUFFIX, sync_folder
from workbench.store.store import Store
from workbench.store.views import VIEWS, definition

PUBLISHED_FILE = "workbench.duckdb"


def publish(store: Store) -> Path:
    """Build `workbench.duckdb` in the lake anew and put it in the place of the one before.

    It holds the tables `runs`, `comparisons`, `comparison_runs`, `summaries` and `samples`, and
    `requests` as a view over the parts at their present absolute paths. Nobody is ever locked out:
    who has the old file open keeps reading it. Where another process has published a later state
    meanwhile, that one stays. The cost grows with all that is stored, so publish after a sweep
    rather than after each of its runs.

    Returns:
        The file.

    Raises:
        StoreError: the file cannot be written, or a part is missing.
        DiskFullError: no room is left; the file from before stays.
    """
    file = store.lake / PUBLISHED_FILE
    temporary = file.with_name(f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")
    try:
        version = _build(store, temporary)
        with writing_to(store.lake):
            _sync(temporary)
            store.catalogue.publish(version, lambda: _put_in_place(temporary, file))
    finally:
        for left in (temporary, Path(f"{temporary}.wal")):
            left.unlink(missing_ok=True)
    return file


def _build(store: Store, file: Path) -> int:
    with store.catalogue.reading():
        version = store.catalogue.version
        definitions = {name: definition(name, store.catalogue, store.lake) for name in VIEWS}
    database = Database(store.settings, str(file))
    try:
        database.run(
            [
                (f"create {_kind(name)} {name} as {sql}", parameters)
                for name, (sql, parameters) in definitions.items()
            ]
        )
        database.checkpoint()  # closing would do it too, but would not say that it failed
    finally:
        database.close()
    return version


def _kind(name: str) -> str:
    return "view" if name == "requests" else "table"


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def _put_in_place(temporary: Path, file: Path) -> None:
    temporary.replace(file)
    sync_folder(file.parent)
