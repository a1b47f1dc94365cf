"""One connection to the SQLite catalogue: opening, transactions, and its errors in the user's words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from workbench.errors import CatalogueError, SchemaVersionError
from workbench.store.catalogue._base import CatalogueConnection, Parameters, Row, Session
from workbench.store.catalogue.errors import explain_sqlite_error
from workbench.store.catalogue.migrations import CATALOGUE_VERSION, MIGRATIONS

BUSY_S = 10.0
"""How long a transaction waits for that of another process, seconds."""

_REFERENCES = "pragma foreign_key_check"


class Connection(CatalogueConnection):
    """A connection that threads share; each statement and each transaction has it alone.

    Raises:
        CatalogueError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    def __init__(self, file: Path, *, busy_s: float = BUSY_S) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._seen: tuple[int, int] | None = None
        with self._explained():
            self._sqlite = sqlite3.connect(
                file, timeout=busy_s, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._prepare(busy_s)
        except BaseException:
            self._sqlite.close()
            raise

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        with self._lock:
            self._sqlite.close()

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run one statement that reads."""
        with self._lock, self._explained():
            return cast("list[Row]", self._sqlite.execute(sql, parameters).fetchall())

    def problems(self) -> list[str]:
        """Check the file and its references."""
        found = [str(row[0]) for row in self.rows("pragma integrity_check")]
        strays = [f"{row[0]}, row {row[1]}, refers to no row of {row[2]}" for row in self.rows(_REFERENCES)]
        return [problem for problem in found if problem != "ok"] + strays

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all that is read in this block be of one moment; such blocks may stand in each other."""
        with self._lock, self._explained():
            if self._sqlite.in_transaction:
                yield
                return
            self._sqlite.execute("begin")
            try:
                yield
            finally:
                self._sqlite.execute("rollback")

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Run the block as one transaction; an error in it undoes it all."""
        with self._lock, self._explained():
            self._sqlite.execute("begin immediate")
            try:
                yield self._sqlite
                self._sqlite.execute("commit")
            except BaseException:
                if self._sqlite.in_transaction:
                    self._sqlite.execute("rollback")
                raise
            finally:
                self._seen = None

    @property
    def version(self) -> int:
        """The manifest's version; it rises with every commit of any process that changes what readers see."""
        with self._lock:
            # data_version tells, in microseconds, whether another connection has committed.
            data_version = int(self.rows("pragma data_version")[0][0])
            if self._seen is None or self._seen[0] != data_version:
                self._seen = data_version, int(self.rows("select version from manifest")[0][0])
            return self._seen[1]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explain_sqlite_error(error, self._file) from error

    def _prepare(self, busy_s: float) -> None:
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("pragma foreign_keys = on")
        self._use_wal(time.monotonic() + busy_s)
        # FULL, because a run that was acknowledged must outlive a power cut.
        self._sqlite.execute("pragma synchronous = full")
        self._migrate()

    def _use_wal(self, deadline: float) -> None:
        """Switch to a write-ahead log, so that readers and a writer never wait for each other."""
        while True:
            try:
                mode = self._sqlite.execute("pragma journal_mode = wal").fetchone()[0]
            except sqlite3.OperationalError as error:
                # Two processes that switch at once are refused without the usual waiting.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
                continue
            if mode != "wal":
                raise CatalogueError(f"{self._file}: no write-ahead log on this disk; use a local one")
            return

    def _migrate(self) -> None:
        if self._schema_version() == CATALOGUE_VERSION:
            return
        with self.writing() as sqlite:  # looked at again inside: another process may have been faster
            for number in range(self._schema_version(), CATALOGUE_VERSION):
                for statement in MIGRATIONS[number]:
                    sqlite.execute(statement)
                sqlite.execute(f"pragma user_version = {number + 1}")

    def _schema_version(self) -> int:
        found = int(self._sqlite.execute("pragma user_version").fetchone()[0])
        if found > CATALOGUE_VERSION:
            raise SchemaVersionError(
                f"the catalogue {self._file} has version {found}; this workbench knows up to version "
                f"{CATALOGUE_VERSION}. Update it, or choose another folder (WORKBENCH_LAKE)"
            )
        return found
