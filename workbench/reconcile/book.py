"""The book of a reconciliation: what people decided, in SQLite.

It holds the versions of the decision configuration, the cases of the review, every verdict, and how
confident the matchings were that were watched. Any number of processes may use it at once; what was
acknowledged outlives a kill or a power cut.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench.errors import CatalogueError, DiskFullError, SchemaVersionError

FILE_NAME = "reconciliation.sqlite"
BUSY_S = 10.0
"""How long a transaction waits for that of another process, seconds."""

Parameters = Sequence[Any] | Mapping[str, Any]

_FIRST = (
    """create table versions (
        version integer primary key,
        content text not null,
        author text not null,
        at text not null,
        reason text not null
    )""",
    """create table cases (
        case_id integer primary key autoincrement,
        proposal_id text not null unique,
        kind text not null,
        origin text not null check (origin in ('review', 'audit')),
        left_ids text not null,
        right_ids text not null,
        evidence text not null,
        confidence real not null,
        confidence_low real,
        confidence_high real,
        reason text not null,
        value real not null,
        drawn_above real not null,
        opened text not null,
        decided integer not null default 0 check (decided in (0, 1)),
        holder text,
        held_until text
    )""",
    "create index cases_by_value on cases (decided, origin, value desc, proposal_id)",
    """create table verdicts (
        verdict_id integer primary key autoincrement,
        case_id integer not null references cases,
        verdict text not null check (verdict in ('accept', 'reject', 'repair', 'split')),
        left_ids text not null,
        right_ids text not null,
        blind integer not null check (blind in (0, 1)),
        by text not null,
        at text not null,
        note text not null
    )""",
    "create index verdicts_by_case on verdicts (case_id, verdict_id)",
    # One row a matching that was watched: how many confidences lie up to each bound.
    """create table matchings (
        fingerprint text primary key,
        at text not null,
        counts text not null,
        total real not null
    )""",
)
_MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""Never changed once released; a change is a new one at the end."""

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


class Book:
    """The SQLite file, opened.

    Args:
        file: where it is; it and its folder are made where they are missing.
        busy_s: how long a transaction waits for that of another process, seconds.

    Raises:
        CatalogueError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    def __init__(self, file: Path, *, busy_s: float = BUSY_S) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogueError(f"the book {file} cannot be made: {error.strerror}; {_READ_ONLY}") from error
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
                raise DiskFullError(
                    f"no room for the book {self.file}; nothing half-written remains"
                ) from error
            remedy = _REMEDIES.get(code, "look at the disk and the folder's rights")
            raise CatalogueError(f"the book {self.file} cannot be used: {error}; {remedy}") from error

    def _prepare(self, busy_s: float) -> None:
        self._sqlite.row_factory = sqlite3.Row
        self._sqlite.execute("pragma foreign_keys = on")
        self._use_wal(time.monotonic() + busy_s)
        # FULL, because a verdict that was acknowledged must outlive a power cut.
        self._sqlite.execute("pragma synchronous = full")
        if self._version() == len(_MIGRATIONS):
            return
        with self.writing() as sqlite:  # looked at again inside: another process may have been faster
            for number in range(self._version(), len(_MIGRATIONS)):
                for statement in _MIGRATIONS[number]:
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
        if found > len(_MIGRATIONS):
            raise SchemaVersionError(
                f"the book {self.file} has version {found}; this workbench knows up to version "
                f"{len(_MIGRATIONS)}. Update it, or choose another file"
            )
        return found
