"""What people do by hand: silence alerts, acknowledge them, resolve them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.alerts.database import Database
from workbench.alerts.instances import AlertInstance
from workbench.alerts.matchers import Matcher, all_match, parse_matcher
from workbench.errors import InputError, NotFoundError

Episode = tuple[str, float]
"""One time that an alert was active: its fingerprint, and since when."""


@dataclass(frozen=True)
class Silence:
    """Alerts that match are not told while it lasts; times in seconds."""

    silence_id: int
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    author: str
    comment: str

    def covers(self, alert: AlertInstance, now: float) -> bool:
        """Say whether it lasts and the alert matches; it ends at `ends_at`, not after."""
        return self.starts_at <= now < self.ends_at and all_match(self.matchers, alert.labels)


@dataclass(frozen=True)
class ByHand:
    """What people have done, as the stages see it.

    Args:
        silences: those that last, have lasted or will.
        acknowledged: episodes that somebody takes care of.
        resolved: episodes that somebody has declared over, and when, in seconds.
    """

    silences: Sequence[Silence] = ()
    acknowledged: frozenset[Episode] = frozenset()
    resolved: Mapping[Episode, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """An episode that somebody has acknowledged or resolved."""

    fingerprint: str
    active_at: float
    kind: str
    at: float
    author: str
    comment: str


class Hands:
    """Silences and marks of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def silence(
        self, matchers: Sequence[Matcher], *, starts_at: float, ends_at: float, author: str, comment: str
    ) -> Silence:
        """Silence alerts that meet all of some conditions.

        Raises:
            InputError: there is no condition, all of them hold for anything, or it ends before it starts.
        """
        if not matchers or all(matcher.matches({}) for matcher in matchers):
            raise InputError(
                "matchers: given none that any alert fails to meet; "
                'allowed: at least one that asks for a value, such as severity="ticket"'
            )
        if ends_at <= starts_at:
            raise InputError("a silence: given an end before its start; allowed: a duration above 0")
        texts = json.dumps([str(matcher) for matcher in matchers])
        with self._database.writing() as sqlite:
            number = sqlite.execute(
                "insert into silences (matchers, starts_at, ends_at, author, comment) values (?, ?, ?, ?, ?)",
                (texts, starts_at, ends_at, author, comment),
            ).lastrowid
        return Silence(int(number or 0), tuple(matchers), starts_at, ends_at, author, comment)

    def expire(self, silence_id: int, *, now: float) -> Silence:
        """End a silence now.

        Raises:
            NotFoundError: there is no such silence that lasts or will.
        """
        with self._database.writing() as sqlite:
            lasting = "select * from silences where silence_id = ? and ends_at > ?"
            if (row := sqlite.execute(lasting, (silence_id, now)).fetchone()) is None:
                raise NotFoundError(
                    f"no silence {silence_id} lasts; `workbench alerts silences` lists those that do"
                )
            sqlite.execute("update silences set ends_at = ? where silence_id = ?", (now, silence_id))
        return _silence(row)

    def silences(self, *, at: float | None = None) -> list[Silence]:
        """Return silences, oldest first: all, or those that end after a time, in seconds."""
        rows = self._database.rows(
            "select * from silences where :at is null or ends_at > :at order by silence_id", {"at": at}
        )
        return [_silence(row) for row in rows]

    def mark(self, episode: Episode, kind: str, *, at: float, author: str, comment: str) -> bool:
        """Acknowledge or resolve an episode, and say whether that is new."""
        with self._database.writing() as sqlite:
            added = sqlite.execute(
                "insert or ignore into marks values (?, ?, ?, ?, ?, ?)",
                (*episode, kind, at, author, comment),
            )
            return added.rowcount == 1

    def marks(self) -> list[Mark]:
        """Return all marks."""
        return [Mark(*row) for row in self._database.rows("select * from marks order by at")]

    def all(self, *, now: float) -> ByHand:
        """Return what counts at a time."""
        marks = self.marks()
        return ByHand(
            silences=tuple(self.silences(at=now)),
            acknowledged=frozenset(
                (mark.fingerprint, mark.active_at) for mark in marks if mark.kind == "acknowledged"
            ),
            resolved={
                (mark.fingerprint, mark.active_at): mark.at for mark in marks if mark.kind == "resolved"
            },
        )


def _silence(row: sqlite3.Row) -> Silence:
    matchers = tuple(parse_matcher(text) for text in json.loads(row["matchers"]))
    return Silence(
        row["silence_id"], matchers, row["starts_at"], row["ends_at"], row["author"], row["comment"]
    )
