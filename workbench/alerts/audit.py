"""The audit table: every attempt to deliver, and every event of an alert, in the order in which they came.

An attempt is written before it is made, so that one amid which the process was killed is there too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from workbench.alerts.channels import Answer
from workbench.alerts.database import Database
from workbench.alerts.messages import Message

UNDER_WAY = "under way"
"""The verdict of an attempt that has not ended."""

INTERRUPTED = "interrupted"
"""The verdict of an attempt amid which the process ended: whether it arrived is not known."""

_BEGIN = """
    insert into attempts
        (key, receiver, channel, address, group_key, number, test, started, verdict, detail)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, '')
"""
_END = (
    "update attempts set ended = ?, verdict = ?, status = ?, detail = ?, retry_after = ? where attempt_id = ?"
)
_INTERRUPTED = "update attempts set ended = ?, verdict = ?, detail = ? where verdict = ?"
_ATTEMPTS = """
    select * from attempts where (:key is null or key = :key) and (:receiver is null or receiver = :receiver)
        and (:but_for is null or group_key <> :but_for or verdict <> 'delivered')
    order by attempt_id desc limit :limit
"""
_EVENTS = """
    select at, kind, alert, fingerprint, receiver, detail from events
    where (:alert is null or alert = :alert or fingerprint like :alert || '%')
    order by event_id desc limit :limit
"""


@dataclass(frozen=True)
class Attempt:
    """One attempt to deliver; times in seconds."""

    attempt_id: int
    key: str
    receiver: str
    channel: int
    address: str
    group_key: str
    number: int
    """Which attempt at this letter, from 1."""
    test: bool
    started: float
    ended: float | None
    verdict: str
    """`delivered`, `temporary`, `permanent`, `interrupted`, or `under way`."""
    status: int | None
    detail: str
    retry_after: float | None


@dataclass(frozen=True)
class Event:
    """Something that happened to an alert.

    Args:
        at: when, in seconds.
        kind: `pending`, `firing`, `resolved`, `told`, `withheld`, `acknowledged`, `silenced`, ...
        alert: its `alertname`, or empty where it concerns many.
        fingerprint: which alert.
        receiver: whom it concerns, or empty.
        detail: in words, without secrets.
    """

    at: float
    kind: str
    alert: str
    fingerprint: str
    receiver: str
    detail: str


class Audit:
    """The attempts and events of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, message: Message, *, key: str, address: str, number: int, now: float) -> int:
        """Write down an attempt that is about to be made, and return its number."""
        place = (message.receiver, message.channel, address, message.group_key)
        values = (key, *place, number, message.test, now, UNDER_WAY)
        with self._database.writing() as sqlite:
            return int(sqlite.execute(_BEGIN, values).lastrowid or 0)

    def end(self, attempt_id: int, answer: Answer, *, now: float) -> None:
        """Write down how an attempt ended."""
        values = (now, str(answer.verdict), answer.status, answer.detail, answer.retry_after, attempt_id)
        with self._database.writing() as sqlite:
            sqlite.execute(_END, values)

    def interrupt(self, *, now: float) -> int:
        """Close the attempts that a process which ended has left open, and say how many."""
        detail = "the sender ended meanwhile; it may have arrived"
        with self._database.writing() as sqlite:
            return sqlite.execute(_INTERRUPTED, (now, INTERRUPTED, detail, UNDER_WAY)).rowcount

    def note(self, events: Sequence[Event]) -> None:
        """Write down events."""
        columns = ", ".join(field.name for field in fields(Event))
        with self._database.writing() as sqlite:
            sqlite.executemany(
                f"insert into events ({columns}) values (?, ?, ?, ?, ?, ?)", [astuple(one) for one in events]
            )

    def attempts(
        self,
        *,
        key: str | None = None,
        receiver: str | None = None,
        but_for: str | None = None,
        limit: int = 1000,
    ) -> list[Attempt]:
        """Return attempts, newest first.

        Args:
            key: only those at the message with this key.
            receiver: only those to tell this receiver.
            but_for: a group whose messages that arrived are left out.
            limit: at most so many; below 0 all.
        """
        chosen = {"key": key, "receiver": receiver, "but_for": but_for, "limit": limit}
        return [_attempt(row) for row in self._database.rows(_ATTEMPTS, chosen)]

    def last(self) -> int:
        """Return the number of the last attempt, 0 before the first."""
        return int(self._database.rows("select coalesce(max(attempt_id), 0) from attempts")[0][0])

    def events(self, *, alert: str | None = None, limit: int = 1000) -> list[Event]:
        """Return events, newest first: all, or an alert's, by name or how its fingerprint begins."""
        return [Event(*row) for row in self._database.rows(_EVENTS, {"alert": alert, "limit": limit})]


def _attempt(row: sqlite3.Row) -> Attempt:
    values: dict[str, Any] = dict(row)
    return Attempt(**{**values, "test": bool(values["test"])})
