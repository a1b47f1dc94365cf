"""What was applied to balancers that run, with what to put back: beside the versions, in the same file."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from workbench.configuration.book import ConfigurationFile, Version, insert_version, last_version
from workbench.configuration.standing import Step
from workbench.configuration.targets import TARGETS, Target
from workbench.errors import ConflictError, StoreError


class ApplicationState(StrEnum):
    """How far an application has come."""

    APPLYING = "applying"
    WATCHING = "watching"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    """The balancer was put back, by a guard or after the process was killed."""
    FAILED = "failed"
    """The balancer refused, or could not be put back."""


@dataclass(frozen=True)
class Application:
    """One version applied to one balancer that runs."""

    application_id: int
    balancer: str
    version: int
    target: Target
    steps: tuple[Step, ...]
    state: ApplicationState
    author: str
    begun: datetime
    ended: datetime | None
    told: str


class Journal:
    """The applications of all balancers of a file.

    Args:
        file: where they are kept.
    """

    def __init__(self, file: ConfigurationFile) -> None:
        self._file = file

    def begin(
        self, balancer: str, version: int, target: Target, steps: Sequence[Step], *, author: str, at: datetime
    ) -> int:
        """Note what is about to be done and how to take it back; only then may it be done."""
        with self._file.writing() as sqlite:
            found = sqlite.execute(
                "insert into applications (balancer, version, address, target, steps, state, author, begun) "
                "values (?, ?, ?, ?, ?, 'applying', ?, ?)",
                (
                    balancer,
                    version,
                    target.address,
                    json.dumps(target.model_dump(mode="json")),
                    json.dumps([asdict(step) for step in steps]),
                    author,
                    at.isoformat(),
                ),
            )
            return int(found.lastrowid or 0)

    def watching(self, application_id: int) -> None:
        """Note that the steps are made and read back."""
        with self._file.writing() as sqlite:
            sqlite.execute(
                "update applications set state = 'watching' where application_id = ?", (application_id,)
            )

    def end(self, application_id: int, state: ApplicationState, *, at: datetime, told: str = "") -> None:
        """Note how it ended."""
        with self._file.writing() as sqlite:
            _end(sqlite, application_id, state, at, told)

    def roll_back(
        self, application_id: int, earlier: Version | None, *, at: datetime, told: str
    ) -> Version | None:
        """Note that the balancer was put back, and let the earlier version hold again, all at once.

        Where another version was saved since the one that was applied, that one goes on to hold.

        Returns:
            The new version, if one was saved.
        """
        one = self.one(application_id)
        with self._file.writing() as sqlite:
            _end(sqlite, application_id, ApplicationState.ROLLED_BACK, at, told)
            current = last_version(sqlite, one.balancer)
            if earlier is None or current is None or current.version != one.version:
                return None
            return insert_version(
                sqlite,
                one.balancer,
                earlier.configuration,
                based_on=one.version,
                author=one.author,
                at=at,
                reason=f"as version {earlier.version} again: {told}",
            )

    def one(self, application_id: int) -> Application:
        """Return an application that is there."""
        rows = self._file.rows("select * from applications where application_id = ?", (application_id,))
        return _application(rows[0])

    def unfinished(self, address: str) -> Application | None:
        """Return the application to a target that has not ended, if there is one."""
        rows = self._file.rows("select * from applications where address = ? and ended is null", (address,))
        return _application(rows[0]) if rows else None

    def history(self, balancer: str) -> list[Application]:
        """Return all applications of a balancer's versions, the newest first."""
        rows = self._file.rows(
            "select * from applications where balancer = ? order by application_id desc", (balancer,)
        )
        return [_application(row) for row in rows]

    def last_kept(self, balancer: str, address: str) -> int | None:
        """Return the version that was last applied to a target and kept, if any."""
        rows = self._file.rows(
            "select version from applications where balancer = ? and address = ? and state = 'kept' "
            "order by application_id desc limit 1",
            (balancer, address),
        )
        return int(rows[0]["version"]) if rows else None


@contextmanager
def only_applier(folder: Path, address: str) -> Iterator[None]:
    """Be the only process that changes a target in this block; the lock ends with the process.

    Raises:
        ConflictError: another process does so.
        StoreError: the lock's file cannot be written.
    """
    name = hashlib.sha256(address.encode()).hexdigest()[:16]
    file = folder / f"configuration-{name}.lock"
    try:
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(opened, 100).decode("ascii", "replace").strip()
            raise ConflictError(
                f"{address}: process {owner or 'unknown'} applies a version there or watches one; "
                "allowed: one at a time; nothing was changed"
            ) from None
        os.ftruncate(opened, 0)
        os.write(opened, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(opened)


def _end(
    sqlite: sqlite3.Connection, application_id: int, state: ApplicationState, at: datetime, told: str
) -> None:
    sqlite.execute(
        "update applications set state = ?, ended = ?, told = ? where application_id = ?",
        (state.value, at.isoformat(), told, application_id),
    )


def _application(row: sqlite3.Row) -> Application:
    return Application(
        application_id=row["application_id"],
        balancer=row["balancer"],
        version=row["version"],
        target=TARGETS.read(json.loads(row["target"])),
        steps=tuple(Step(**step) for step in json.loads(row["steps"])),
        state=ApplicationState(row["state"]),
        author=row["author"],
        begun=datetime.fromisoformat(row["begun"]),
        ended=datetime.fromisoformat(row["ended"]) if row["ended"] else None,
        told=row["told"],
    )
