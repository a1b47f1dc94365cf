"""The outbox: messages that are to be sent, kept until they have been, or until somebody decides.

A message is put in once, under a key of its own, and leaves as delivered or as dead. Of one channel
and one group only the oldest that waits may be sent, so that they arrive in order.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workbench.alerts.database import Database
from workbench.alerts.messages import Message
from workbench.errors import NotFoundError

_INSERT = """
    insert into letters (key, receiver, channel, group_key, message, created, due, state)
    values (?, ?, ?, ?, ?, ?, ?, 'waiting')
    on conflict (key) do nothing
"""
_OLDEST = """
    select min(letter_id) from letters
    where state = 'waiting' and receiver = :receiver and channel = :channel
    group by group_key
"""
_HEADS = f"""
    select * from letters where letter_id in ({_OLDEST}) and due <= :now order by due, letter_id limit :limit
"""
_DUE = f"select group_key, due from letters where letter_id in ({_OLDEST}) order by due limit :limit"
_PLACES = "select distinct receiver, channel from letters where state = 'waiting' order by 1, 2"
_WAITING = """
    select count(*) from letters
    where state = 'waiting' and receiver = :receiver and channel = :channel and group_key = :group_key
"""
_LISTED = """
    select * from letters where (:state is null or state = :state)
    order by letter_id desc limit :limit
"""
_END = "update letters set state = ?, ended = ?, attempts = ?, reason = ? where letter_id = ?"
_DELAY = "update letters set due = ?, attempts = ?, reason = ? where letter_id = ?"
# A dead letter that is sent again goes behind what its group has waiting: it gets a new number.
_AGAIN = """
    update letters set letter_id = (select max(letter_id) + 1 from letters), state = 'waiting',
        created = :now, due = :now, attempts = 0, ended = null, reason = 'sent again by hand'
    where letter_id = :letter_id and state = 'dead'
"""


class Place(NamedTuple):
    """One channel of a receiver."""

    receiver: str
    channel: int


@dataclass(frozen=True)
class Letter:
    """A message in the outbox.

    Args:
        letter_id: its number; of one channel and group the lower goes first.
        key: the same for each attempt, and for no other message.
        message: what is to be told.
        created: when it was put in, in seconds.
        due: when it may be tried next, in seconds.
        attempts: how often it was tried.
        state: `waiting`, `delivered` or `dead`.
        ended: when it left, in seconds.
        reason: why it still waits, or is dead.
    """

    letter_id: int
    key: str
    message: Message
    created: float
    due: float
    attempts: int
    state: str
    ended: float | None
    reason: str

    @property
    def place(self) -> Place:
        """Which channel it goes by."""
        return Place(self.message.receiver, self.message.channel)


class Outbox:
    """The letters of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, messages: Sequence[Message], *, now: float) -> list[str]:
        """Put messages in and return their keys; one that is in already is not put in twice."""
        keys = [idempotency_key(message) for message in messages]
        with self._database.writing() as sqlite:
            for key, message in zip(keys, messages, strict=True):
                place = (message.receiver, message.channel, message.group_key)
                sqlite.execute(_INSERT, (key, *place, message.to_json(), now, now))
        return keys

    def places(self) -> list[Place]:
        """Return the receivers' channels for which letters wait."""
        return [Place(*row) for row in self._database.rows(_PLACES)]

    def heads(self, place: Place, *, now: float, limit: int) -> list[Letter]:
        """Return, of each group of a channel, the letter that is next, if it is due by now."""
        chosen = {**place._asdict(), "now": now, "limit": limit}
        return [_letter(row) for row in self._database.rows(_HEADS, chosen)]

    def next_due(self, place: Place, *, but_for: Collection[str] = ()) -> float | None:
        """Say when the next letter of a channel is due, in seconds, some groups left out."""
        chosen = {**place._asdict(), "limit": len(but_for) + 1}
        rows = self._database.rows(_DUE, chosen)
        return next((float(due) for group_key, due in rows if group_key not in but_for), None)

    def waiting(self, place: Place, *, group_key: str) -> int:
        """Count the letters of a channel and a group that wait."""
        return int(self._database.rows(_WAITING, {**place._asdict(), "group_key": group_key})[0][0])

    def delivered(self, letter: Letter, *, now: float) -> None:
        """Note that a letter has arrived."""
        self._end(letter, "delivered", now, "")

    def bury(self, letter: Letter, reason: str, *, now: float) -> None:
        """Note that a letter will not be tried any more unless somebody says so."""
        self._end(letter, "dead", now, reason)

    def _end(self, letter: Letter, state: str, now: float, reason: str) -> None:
        with self._database.writing() as sqlite:
            sqlite.execute(_END, (state, now, letter.attempts + 1, reason, letter.letter_id))

    def delay(self, letter: Letter, reason: str, *, due: float) -> None:
        """Note that a letter was tried in vain and when it is to be tried again."""
        with self._database.writing() as sqlite:
            sqlite.execute(_DELAY, (due, letter.attempts + 1, reason, letter.letter_id))

    def send_again(self, letter_ids: Collection[int] | None, *, now: float) -> int:
        """Let dead letters be sent again, all or those numbered; they keep their keys.

        Returns:
            How many there are.

        Raises:
            NotFoundError: one of the numbers is not that of a dead letter; then none is sent.
        """
        with self._database.writing() as sqlite:
            dead = {row[0] for row in sqlite.execute("select letter_id from letters where state = 'dead'")}
            chosen = dead if letter_ids is None else set(letter_ids)
            if chosen - dead:
                numbers = ", ".join(map(str, sorted(chosen - dead)))
                raise NotFoundError(f"no dead letter {numbers}; `workbench alerts dead-letters` lists them")
            for letter_id in sorted(chosen):
                sqlite.execute(_AGAIN, {"letter_id": letter_id, "now": now})
        return len(chosen)

    def listed(self, *, state: str | None = None, limit: int = 1000) -> list[Letter]:
        """Return letters, newest first."""
        return [_letter(row) for row in self._database.rows(_LISTED, {"state": state, "limit": limit})]

    def counts(self) -> dict[str, int]:
        """Count the letters by state."""
        counted = self._database.rows("select state, count(*) from letters group by state")
        return {"waiting": 0, "delivered": 0, "dead": 0} | {row[0]: int(row[1]) for row in counted}

    def forget_delivered(self, *, before: float) -> int:
        """Drop letters that were delivered before a time, and say how many; attempts stay in the audit."""
        with self._database.writing() as sqlite:
            done = "delete from letters where state = 'delivered' and ended < ?"
            return sqlite.execute(done, (before,)).rowcount


def idempotency_key(message: Message) -> str:
    """Name a message by what it says, to whom and when: 32 hexadecimal digits."""
    return hashlib.sha256(message.to_json().encode()).hexdigest()[:32]


def _letter(row: sqlite3.Row) -> Letter:
    values = {name: row[name] for name in Letter.__dataclass_fields__ if name != "message"}
    return Letter(message=Message.from_json(row["message"]), **values)
