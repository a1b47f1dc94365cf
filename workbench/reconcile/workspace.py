"""The DuckDB in which one reconciliation works: the one place of this package that runs SQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import duckdb
import pyarrow as pa

from workbench.errors import StoreError
from workbench.settings import Settings


class Workspace:
    """A DuckDB in memory that spills what exceeds its limit; use it as a context manager.

    Args:
        settings: threads, memory limit, and the lake in whose `tmp/` it spills.
    """

    def __init__(self, settings: Settings) -> None:
        spill = settings.lake / "tmp"
        try:
            spill.mkdir(parents=True, exist_ok=True)
            self._spill = Path(tempfile.mkdtemp(dir=spill))
        except OSError as error:
            raise StoreError(f"{spill}: cannot be written ({error.strerror})") from None
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": settings.duckdb_threads,
                "memory_limit": settings.duckdb_memory,
                "temp_directory": str(self._spill),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,  # a name in SQL never means a Python variable
            },
        )
        self._connection.execute("set TimeZone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and remove what it spilled."""
        self._connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def run(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run one statement.

        Raises:
            StoreError: the statement failed; the text holds it.
        """
        try:
            self._connection.execute(sql, dict(parameters or {}))
        except duckdb.Error as error:
            raise _failed(error, sql) from error

    def table(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a query.

        Raises:
            StoreError: the query failed; the text holds it.
        """
        try:
            found = self._connection.sql(sql, params=dict(parameters or {}))
            return cast(pa.Table, found.to_arrow_table())
        except duckdb.Error as error:
            raise _failed(error, sql) from error

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run a query whose result is small.

        Raises:
            StoreError: the query failed; the text holds it.
        """
        return self.table(sql, parameters).to_pylist()

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.Table]:
        """Run a query and give its rows in order, so many at a time.

        Other statements may run in between: the query has a cursor of its own.

        Raises:
            StoreError: the query failed; the text holds it.
        """
        try:
            with self._connection.cursor() as cursor:
                for batch in cursor.sql(sql).to_arrow_reader(rows):
                    yield pa.Table.from_batches([batch])
        except duckdb.Error as error:
            raise _failed(error, sql) from error

    def keep(self, name: str, table: pa.Table) -> None:
        """Store a table under a name, in place of what had it."""
        self._connection.register("incoming", table)
        try:
            self.run(f"create or replace table {name} as select * from incoming")
        finally:
            self._connection.unregister("incoming")

    def append(self, name: str, table: pa.Table) -> None:
        """Add rows to a stored table that has the same columns."""
        self._connection.register("incoming", table)
        try:
            self.run(f"insert into {name} select * from incoming")
        finally:
            self._connection.unregister("incoming")


def _failed(error: duckdb.Error, sql: str) -> StoreError:
    return StoreError(f"{error}\n\nThe statement was:\n{sql.strip()}")
