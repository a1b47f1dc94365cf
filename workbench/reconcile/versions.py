"""Versions of the decision configuration: who changed what, when and why.

A version is never changed. Whoever saves says on which version the change is based; if another was
saved since, nothing is written and the writer is told, so of two writers one wins. A reader sees a
version or the one before, never a mixture.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from workbench.documents import check
from workbench.errors import NotFoundError
from workbench.reconcile.book import Book
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.versions import Change, check_base, check_signed, content_differences
from workbench.versions import Version as Saved

__all__ = ["Change", "ConfigurationVersions", "Version", "differences"]

Version = Saved[DecisionConfiguration]
"""One version of the decision configuration."""


class ConfigurationVersions:
    """The versions, in a book.

    Args:
        book: where they are kept.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def current(self) -> Version | None:
        """Return the version that holds; None before the first."""
        rows = self._book.rows("select * from versions order by version desc limit 1")
        return _version(rows[0]) if rows else None

    def one(self, version: int) -> Version:
        """Return a version.

        Raises:
            NotFoundError: there is no such version.
        """
        rows = self._book.rows("select * from versions where version = ?", (version,))
        if not rows:
            raise NotFoundError(
                f"there is no version {version} of the decision configuration; "
                "`workbench reconcile config history` lists those there are"
            )
        return _version(rows[0])

    def history(self) -> list[Version]:
        """Return all versions, newest first."""
        return [_version(row) for row in self._book.rows("select * from versions order by version desc")]

    def save(
        self, configuration: DecisionConfiguration, *, based_on: int, author: str, at: datetime, reason: str
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
        with self._book.writing() as sqlite:
            row = sqlite.execute("select * from versions order by version desc limit 1").fetchone()
            check_base(_version(row) if row else None, based_on)
            number = based_on + 1
            sqlite.execute(
                "insert into versions (version, content, author, at, reason) values (?, ?, ?, ?, ?)",
                (number, json.dumps(configuration.content()), author, at.isoformat(), reason),
            )
        return Version(number, configuration, author, at, reason)

    def roll_back(self, to: int, *, based_on: int, author: str, at: datetime, reason: str) -> Version:
        """Save what an earlier version says as the next version.

        A certificate voided since stays void, and verdicts that trained a model since stay used.

        Raises:
            NotFoundError: there is no such version.
            ConflictError: another version was saved since `based_on`; nothing is written.
        """
        later = [one.configuration for one in self.history() if one.version > to]
        configuration = _as_of_now(self.one(to).configuration, later)
        return self.save(configuration, based_on=based_on, author=author, at=at, reason=reason)


def differences(before: DecisionConfiguration | None, after: DecisionConfiguration) -> list[Change]:
    """List the keys in which two configurations differ, in the order of the document."""
    return content_differences(before.content() if before else {}, after.content())


def _as_of_now(
    earlier: DecisionConfiguration, later: Sequence[DecisionConfiguration]
) -> DecisionConfiguration:
    """Give an earlier configuration with what has become true since, whoever rolls back.

    Args:
        earlier: what is rolled back to.
        later: all that came after it, the newest first.
    """
    voids = [one.certified.void for one in later if one.certified is not None and one.certified.void]
    if voids and earlier.certified is not None and not earlier.certified.void:
        earlier = earlier.with_void(voids[0])
    trained = [one.fresh_since for one in later if one.fresh_since is not None]
    return earlier.model_copy(update={"fresh_since": max(trained)}) if trained else earlier


def _version(row: sqlite3.Row) -> Version:
    name = f"version {row['version']} of the decision configuration"
    content = check(json.loads(row["content"]), DecisionConfiguration, name=name, folder=Path.cwd())
    return Version(row["version"], content, row["author"], datetime.fromisoformat(row["at"]), row["reason"])
