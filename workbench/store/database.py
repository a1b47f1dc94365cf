"""A DuckDB of one process: the one place that runs SQL over the lake."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa

from workbench.errors import PartError, StoreError
from workbench.settings import Settings
from workbench.store.disk import NO_ROOM, disk_full, writing_to
from workbench.store.files import open_files
from workbench.store.files.remote import RemoteFiles

IN_MEMORY = ":memory:"
# DuckDB tells the system's reason in the system's words only.
_NO_ROOM = {os.strerror(code): cause for code, cause in NO_ROOM.items()}


class Database:
    """A DuckDB, in memory or in a file, with the limits of the settings.

    Each query has a cursor of its own, so any number of threads may query at once; those that
    share a cursor get each other's rows.

    Args:
        settings: the lake, the number of threads and the memory limit. What exceeds the memory is
            spilled into `tmp/` in the lake, or where the settings say.
        file: file of the database; by default it is in memory.
        read_only: whether the file is only read.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, settings: Settings, file: str = IN_MEMORY, *, read_only: bool = False) -> None:
        self._lake = settings.lake
        spill = settings.duckdb_temporary or self._lake / "tmp"
        with writing_to(self._lake):
            spill.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(
                file, read_only=read_only, config=_configuration(settings, spill)
            )
        except duckdb.Error as error:
            raise _failed(error, f"open {file}", {}, self._lake) from error
        # Parts never change, so their footers are read once. GLOBAL, or cursors would not have it.
        cache = str(settings.duckdb_cache).lower()
        self._connection.execute(f"set global parquet_metadata_cache = {cache}")
        self._connection.execute(f"set global enable_external_file_cache = {cache}")
        self._connection.execute("set global TimeZone = 'UTC'")
        if isinstance(files := open_files(settings), RemoteFiles):
            self._connection.register_filesystem(files.system)

    def close(self) -> None:
        """Close the database; running queries end with an error."""
        self._connection.close()

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement that yields rows.

        Args:
            sql: the statement, with parameters as `$name`.
            parameters: their values by name.

        Raises:
            StoreError: the statement failed; the text holds the statement and its parameters.
        """
        try:
            with self._connection.cursor() as cursor:
                # None, whatever its type says, where the statement yields no rows.
                found = cast("duckdb.DuckDBPyRelation | None", cursor.sql(sql, params=dict(parameters or {})))
                return pa.table({}) if found is None else found.to_arrow_table()
        except duckdb.Error as error:
            raise _failed(error, sql, parameters or {}, self._lake) from error

    def checkpoint(self) -> None:
        """Move all that was committed from the log into the file.

        Raises:
            StoreError: the file cannot be written.
        """
        self._execute(self._connection, "checkpoint", {})

    def run(self, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run statements, each with its parameters, as one transaction.

        Raises:
            StoreError: a statement failed; none of them has an effect.
        """
        with self._connection.cursor() as cursor:  # closing it undoes what was not committed
            for sql, parameters in (("begin", {}), *statements, ("commit", {})):
                self._execute(cursor, sql, parameters)

    def _execute(self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> None:
        try:
            cursor.execute(sql, dict(parameters))
        except duckdb.Error as error:
            raise _failed(error, sql, parameters, self._lake) from error


_PART = re.compile(r"""["']?([^"'\s]*run_id=(\d+)[^"'\s]*\.parquet)""")


def _configuration(settings: Settings, spill: Path) -> dict[str, Any]:
    return {
        "threads": settings.duckdb_threads,
        "memory_limit": settings.duckdb_memory,
        # DuckDB makes the folder when it first spills, and removes it when it is closed.
        "temp_directory": str(spill / uuid.uuid4().hex),
        "max_temp_directory_size": settings.duckdb_spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,  # a name in SQL never means a Python variable
    }


def _failed(error: duckdb.Error, sql: str, parameters: Mapping[str, Any], lake: Path) -> StoreError:
    if cause := next((cause for words, cause in _NO_ROOM.items() if words in str(error)), ""):
        return disk_full(lake, cause)
    if part := _PART.search(str(error)):
        return PartError(
            f"{part[1]} is damaged or gone; remove what is left of it, and the same command that simulated "
            f"run {part[2]} writes it anew"
        )
    shown = {name: value for name, value in parameters.items() if not isinstance(value, list)}
    return StoreError(f"{error}\n\nThe statement was:\n{sql.strip()}\n\nwith parameters {shown}")
