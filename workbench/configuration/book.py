"""Versions of balancers' configurations, and what was applied where: one SQLite file in the lake.

A version is never changed. A reader sees a version or the one before, never a mixture, and a process
that is killed has saved a version or has not.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

from workbench.configuration.document import BalancerConfiguration
from workbench.documents import check
from workbench.errors import InputError, NotFoundError
from workbench.sqlite_file import Migrations, SqliteFile
from workbench.versions import Version as Saved
from workbench.versions import check_base, check_signed

FILE_NAME = "configuration.sqlite"

_FIRST = (
    """create table versions (
        balancer text not null,
        version integer not null,
        content text not null,
        author text not null,
        at text not null,
        reason text not null,
        primary key (balancer, version)
    )""",
    # What has no `ended` goes on, or its process was killed: `steps` say what to put back.
    """create table applications (
        application_id integer primary key autoincrement,
        balancer text not null,
        version integer not null,
        address text not null,
        target text not null,
        steps text not null,
        state text not null check (state in ('applying', 'watching', 'kept', 'rolled_back', 'failed')),
        author text not null,
        begun text not null,
        ended text,
        told text not null default ''
    )""",
    "create index applications_by_balancer on applications (balancer, application_id)",
    "create unique index one_at_a_time on applications (address) where ended is null",
)
_MIGRATIONS: Migrations = (_FIRST,)

Version = Saved[BalancerConfiguration]
"""One version of a balancer's configuration."""


class ConfigurationFile(SqliteFile):
    """The SQLite file, opened."""

    noun = "configuration file"
    migrations = _MIGRATIONS


class ConfigurationBook:
    """The versions of one balancer's configuration.

    Args:
        file: where they are kept.
        balancer: the balancer's name.
    """

    def __init__(self, file: ConfigurationFile, balancer: str) -> None:
        self._file = file
        self.file = file.file
        self.balancer = balancer

    def current(self) -> Version | None:
        """Return the version that holds; None before the first."""
        rows = self._file.rows(
            "select * from versions where balancer = ? order by version desc limit 1", (self.balancer,)
        )
        return _version(rows[0]) if rows else None

    def holding(self) -> Version:
        """Return the version that holds.

        Raises:
            NotFoundError: there is none yet.
        """
        version = self.current()
        if version is None:
            known = ", ".join(balancers(self._file)) or "none yet"
            raise NotFoundError(
                f"balancer: given {self.balancer!r}, which has no configuration in {self._file.file}; "
                f"allowed: {known}; `workbench config import FILE --save` makes one"
            )
        return version

    def one(self, version: int) -> Version:
        """Return a version.

        Raises:
            NotFoundError: there is no such version.
        """
        rows = self._file.rows(
            "select * from versions where balancer = ? and version = ?", (self.balancer, version)
        )
        if not rows:
            raise NotFoundError(
                f"there is no version {version} of the configuration of {self.balancer}; "
                "`workbench config history` lists those there are"
            )
        return _version(rows[0])

    def history(self) -> list[Version]:
        """Return all versions, the newest first."""
        rows = self._file.rows(
            "select * from versions where balancer = ? order by version desc", (self.balancer,)
        )
        return [_version(row) for row in rows]

    def save(
        self, configuration: BalancerConfiguration, *, based_on: int, author: str, at: datetime, reason: str
    ) -> Version:
        """Save a configuration as the next version.

        Args:
            configuration: all of it, not only what changes.
            based_on: the version that the change was made from; 0 for the first.
            author: who changes it.
            at: when, with its time zone.
            reason: why.

        Raises:
            ConflictError: another version was saved since; nothing is written.
            InputError: no author or no reason.
        """
        check_signed(author=author, reason=reason)
        with self._file.writing() as sqlite:
            return insert_version(
                sqlite,
                self.balancer,
                configuration,
                based_on=based_on,
                author=author,
                at=at,
                reason=reason,
            )

    def roll_back(self, to: int, *, based_on: int, author: str, at: datetime, reason: str) -> Version:
        """Save what an earlier version says as the next version.

        Raises:
            NotFoundError: there is no such version.
            ConflictError: another version was saved since `based_on`; nothing is written.
        """
        return self.save(self.one(to).configuration, based_on=based_on, author=author, at=at, reason=reason)


def last_version(sqlite: sqlite3.Connection, balancer: str) -> Version | None:
    """Return the version that holds, within a transaction."""
    row = sqlite.execute(
        "select * from versions where balancer = ? order by version desc limit 1", (balancer,)
    ).fetchone()
    return _version(row) if row else None


def insert_version(
    sqlite: sqlite3.Connection,
    balancer: str,
    configuration: BalancerConfiguration,
    *,
    based_on: int,
    author: str,
    at: datetime,
    reason: str,
) -> Version:
    """Save a version within a transaction.

    Raises:
        ConflictError: another version was saved since `based_on`.
    """
    check_base(last_version(sqlite, balancer), based_on)
    sqlite.execute(
        "insert into versions (balancer, version, content, author, at, reason) values (?, ?, ?, ?, ?, ?)",
        (balancer, based_on + 1, json.dumps(configuration.content()), author, at.isoformat(), reason),
    )
    return Version(based_on + 1, configuration, author, at, reason)


def balancers(file: ConfigurationFile) -> list[str]:
    """List the balancers that have a configuration, in the order of their names."""
    return [row["balancer"] for row in file.rows("select distinct balancer from versions order by balancer")]


def chosen_balancer(file: ConfigurationFile, given: str | None) -> str:
    """Find which balancer is meant: the one given, or the only one there is.

    Raises:
        InputError: there are several, or none yet.
    """
    if given is not None:
        if not given.strip() or len(given) > 100:
            raise InputError(f"balancer: given {given!r}; allowed: a name of 1 to 100 characters")
        return given
    known = balancers(file)
    if len(known) == 1:
        return known[0]
    if known:
        raise InputError(f"balancer: given none; allowed: --balancer with one of {', '.join(known)}")
    raise InputError(
        f"balancer: given none, and there is no configuration in {file.file} yet; allowed: to make one, such "
        "as: workbench config import simulations/mm1.yaml --save --balancer web --by NAME --reason first"
    )


def _version(row: sqlite3.Row) -> Version:
    name = f"version {row['version']} of the configuration of {row['balancer']}"
    content = check(json.loads(row["content"]), BalancerConfiguration, name=name, folder=Path.cwd())
    return Version(row["version"], content, row["author"], datetime.fromisoformat(row["at"]), row["reason"])
