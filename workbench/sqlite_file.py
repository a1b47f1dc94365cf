"""A SQLite file that any number of processes use at once.

What was acknowledged outlives a kill or a power cut; a transaction that was not finished has never been.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from workbench.errors import CatalogueError, DiskFullError, SchemaVersionError

BUSY_S = 10.0
"""How long a transaction waits for that of another process, seconds."""

Parameters = Sequence[Any] | Mapping[str, Any]
Migrations = tuple[tuple[str, ...], ...]

_LOCKED = "another process holds it; wait for that process or end it, then try again"
_READ_ONLY = "give this user the right to write the file and its folder"
_CORRUPT = "move it away and put back a copy"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
}


class SqliteFile:
    """The file, opened; what extends it says what the file is and holds.

    Args:
        file: where it is; it and its folder are made where they are missing.
        busy_s: how long a transaction waits for that of another process, seconds.

    Raises:
        CatalogueError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    noun: ClassVar[str]
    """What it is called in messages."""
    migrations: ClassVar[Migrations]
    """The statements of each step to the present form; one that was released is never changed."""

    def __init__(self, file: Path, *, busy_s: float = BUSY_S) -> None:
        self.file = file
        self._name = f"the {self.noun} {file}"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(f"{self._name} cannot be made: {error.strerror}; {_READ_ONLY}") from error
        with self._explained():
            self._sqlite = sqlite3.connect(file, timeout=busy_s, isolation_level=None)
        try:
            with self._explained():
                self._prepare(busy_s)
        except BaseException:
            self._sqlite.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._sqlite.close()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Run one statement that reads."""
        with self._explained():
            return self._sqlite.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction; an error in it undoes it all."""
        with self._explained():
            self._sqlite.execute("begin immediate")
            try:
                yield self._sqlite
                self._sqlite.execute("commit")
            except BaseException:
                if self._sqlite.in_transaction:
                    self._sqlite.execute("rollback")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # The low byte is the kind; Python's own errors have none.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise DiskFullError(f"no room for {self._name}; nothing half-written remains") from error
            remedy = _REMEDIES.get(code, "look at the disk and the folder's rights")
            raise CatalogueError(f"{self._name} cannot be used: {error}; {remedy}") from error

    def _prepare(self, busy_s: float) -> None:
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("pragma foreign_keys = on")
        self._use_wal(time.monotonic() + busy_s)
        # FULL, because what was acknowledged must outlive a power cut.
        self._sqlite.execute("pragma synchronous = full")
        if self._version() == len(self.migrations):
            return
        with self.writing() as sqlite:  # looked at again inside: another process may have been faster
            for number in range(self._version(), len(self.migrations)):
                for statement in self.migrations[number]:
                    sqlite.execute(statement)
                sqlite.execute(f"pragma user_version = {number + 1}")

    def _use_wal(self, deadline: float) -> None:
        """Switch to a write-ahead log, so that readers and a writer never wait for each other."""
        while True:
            try:
                self._sqlite.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                # Two processes that switch at once are refused without the usual waiting.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _version(self) -> int:
        found = int(self._sqlite.execute("pragma user_version").fetchone()[0])
        if found > len(self.migrations):
            raise SchemaVersionError(
                f"{self._name} has version {found}; this workbench knows up to version "
                f"{len(self.migrations)}. Update it, or choose another file"
            )
        return found
