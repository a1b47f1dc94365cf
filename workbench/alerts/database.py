"""The file that delivery keeps its state in: SQLite with a write-ahead log.

All parts of delivery share one file, so that what was decided and what is to be sent are committed
together: a process that is killed at any instant has either decided and queued, or neither.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import CatalogueError, DiskFullError, SchemaVersionError, StoreError

BUSY_S = 10.0
"""How long a transaction waits for that of another process, seconds."""

_FIRST = (
    """create table letters (
        letter_id integer primary key autoincrement,
        key text not null unique,
        receiver text not null,
        channel integer not null,
        group_key text not null,
        message text not null,
        created real not null,
        due real not null,
        attempts integer not null default 0,
        state text not null check (state in ('waiting', 'delivered', 'dead')),
        ended real,
        reason text not null default ''
    )""",
    """create index letters_by_group on letters (receiver, channel, group_key, letter_id)
        where state = 'waiting'""",
    "create index letters_by_state on letters (state, letter_id)",
    """create table attempts (
        attempt_id integer primary key autoincrement,
        key text not null,
        receiver text not null,
        channel integer not null,
        address text not null,
        group_key text not null,
        number integer not null,
        test integer not null,
        started real not null,
        ended real,
        verdict text not null,
        status integer,
        detail text not null,
        retry_after real
    )""",
    "create index attempts_by_key on attempts (key, attempt_id)",
    """create table events (
        event_id integer primary key autoincrement,
        at real not null,
        kind text not null,
        alert text not null,
        fingerprint text not null,
        receiver text not null,
        detail text not null
    )""",
    "create index events_by_fingerprint on events (fingerprint, event_id)",
    """create table silences (
        silence_id integer primary key autoincrement,
        matchers text not null,
        starts_at real not null,
        ends_at real not null,
        author text not null,
        comment text not null
    )""",
    """create table marks (
        fingerprint text not null,
        active_at real not null,
        kind text not null check (kind in ('acknowledged', 'resolved')),
        at real not null,
        author text not null,
        comment text not null,
        primary key (fingerprint, active_at, kind)
    )""",
    """create table memory (
        part text not null,
        name text not null,
        content text not null,
        primary key (part, name)
    )""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""The statements of each migration; one that was released is never changed."""

_REMEDIES = {
    sqlite3.SQLITE_BUSY: "it is locked by another process; wait for that process or end it, then try again",
    sqlite3.SQLITE_LOCKED: "it is locked by another process; wait for that process or end it, then try again",
    sqlite3.SQLITE_READONLY: "give this user the right to write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "give this user the right to write the file and its folder",
    sqlite3.SQLITE_PERM: "give this user the right to write the file and its folder",
    sqlite3.SQLITE_CORRUPT: "it is corrupt; move it away and put back a copy, or choose another file",
    sqlite3.SQLITE_NOTADB: "it is corrupt; move it away and put back a copy, or choose another file",
}


class Database:
    """One connection to the file; threads share it, and each transaction has it alone.

    Args:
        file: it is made where it is missing, with its folder.

    Raises:
        StoreError: the file is corrupt, locked or cannot be written.
        SchemaVersionError: it was written by a newer version.
    """

    def __init__(self, file: Path, *, busy_s: float = BUSY_S) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._depth = 0
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder {file.parent} cannot be made: {error.strerror}") from None
        with self._explained():
            self._sqlite = sqlite3.connect(
                file, timeout=busy_s, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._sqlite.close()
            raise

    def close(self) -> None:
        """Close the connection; closing twice does nothing."""
        with self._lock:
            self._sqlite.close()

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Run one statement that reads."""
        with self._lock, self._explained():
            return self._sqlite.execute(sql, parameters).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction, or as part of that around it; an error undoes it all."""
        with self._lock, self._explained():
            if self._depth == 0:
                self._sqlite.execute("begin immediate")
            self._depth += 1
            try:
                yield self._sqlite
                if self._depth == 1:
                    self._sqlite.execute("commit")
            except BaseException:
                if self._depth == 1 and self._sqlite.in_transaction:
                    self._sqlite.execute("rollback")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_FULL:
                message = (
                    f"no room for {self.file}: nothing half-written remains; free some room and try again"
                )
                raise DiskFullError(message) from error
            remedy = _REMEDIES.get(code, "look at the disk and the folder's rights")
            raise CatalogueError(f"{self.file} cannot be used: {error}; {remedy}") from error

    def _prepare(self) -> None:
        self._sqlite.row_factory = sqlite3.Row
        mode = self._sqlite.execute("pragma journal_mode = wal").fetchone()[0]
        if mode != "wal":
            raise CatalogueError(f"{self.file}: no write-ahead log on this disk; use a local one")
        # FULL, because a message that is said to be queued must outlive a power cut.
        self._sqlite.execute("pragma synchronous = full")
        if self._version() < len(MIGRATIONS):
            with self.writing() as sqlite:  # looked at again inside: another process may have been faster
                for number in range(self._version(), len(MIGRATIONS)):
                    for statement in MIGRATIONS[number]:
                        sqlite.execute(statement)
                    sqlite.execute(f"pragma user_version = {number + 1}")

    def _version(self) -> int:
        found = int(self._sqlite.execute("pragma user_version").fetchone()[0])
        if found > len(MIGRATIONS):
            raise SchemaVersionError(
                f"{self.file} has version {found}; this workbench knows up to version {len(MIGRATIONS)}. "
                "Update it, or choose another file"
            )
        return found
