"""The outbox: what is put in stays in order until it is delivered or dead."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.unit.alerts_delivery.loopback import alert, message
from workbench.alerts.database import MIGRATIONS, Database
from workbench.alerts.messages import Message
from workbench.alerts.outbox import Outbox, Place, idempotency_key
from workbench.errors import CatalogueError, NotFoundError, SchemaVersionError, StoreError

TEAM = Place("team", 0)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def numbers(outbox: Outbox, now: float) -> list[int]:
    return [letter.letter_id for letter in outbox.heads(TEAM, now=now, limit=10)]


def test_a_message_survives_being_kept():
    told = message(alert(pool="web"), alert(pool="api", resolved_at=9.0), test=True, channel=3)
    assert Message.from_json(told.to_json()) == told


def test_the_same_message_has_the_same_key_and_is_put_in_once(outbox: Outbox):
    first, later = message(at=1.0), message(at=2.0)
    assert outbox.put([first], now=1.0) == outbox.put([first], now=5.0) == [idempotency_key(first)]
    assert idempotency_key(later) != idempotency_key(first)
    assert outbox.counts()["waiting"] == 1


def test_only_the_oldest_of_a_group_may_go_also_while_it_waits_for_another_try(outbox: Outbox):
    outbox.put([message(group="A", at=1.0), message(group="A", at=2.0), message(group="B", at=3.0)], now=0.0)
    assert numbers(outbox, 0.0) == [1, 3]
    head = outbox.heads(TEAM, now=0.0, limit=1)[0]
    outbox.delay(head, "503", due=30.0)
    assert numbers(outbox, 10.0) == [3]
    assert (outbox.next_due(TEAM), outbox.next_due(TEAM, but_for=[head.message.group_key])) == (0.0, 0.0)
    outbox.delivered(outbox.heads(TEAM, now=0.0, limit=1)[0], now=11.0)
    assert outbox.next_due(TEAM) == 30.0
    assert outbox.next_due(TEAM, but_for=[head.message.group_key]) is None
    outbox.delivered(head, now=31.0)
    assert numbers(outbox, 31.0) == [2]


def test_a_dead_letter_makes_way_and_goes_behind_its_group_when_it_is_sent_again(outbox: Outbox):
    outbox.put([message(at=1.0), message(at=2.0)], now=0.0)
    first = outbox.heads(TEAM, now=0.0, limit=1)[0]
    outbox.bury(first, "400 Bad Request", now=1.0)
    assert numbers(outbox, 1.0) == [2]
    (dead,) = outbox.listed(state="dead")
    assert (dead.letter_id, dead.reason, dead.attempts) == (1, "400 Bad Request", 1)
    assert outbox.send_again([1], now=5.0) == 1
    assert numbers(outbox, 5.0) == [2]
    outbox.delivered(outbox.heads(TEAM, now=5.0, limit=1)[0], now=6.0)
    (again,) = outbox.heads(TEAM, now=6.0, limit=5)
    assert (again.key, again.attempts, again.message) == (first.key, 0, first.message)
    outbox.put([message(at=7.0)], now=7.0)
    assert again.letter_id == 3
    assert sorted(letter.letter_id for letter in outbox.listed()) == [2, 3, 4]


def test_sending_again_what_is_not_dead_is_refused_as_a_whole(outbox: Outbox):
    outbox.put([message(at=1.0), message(group="B", at=2.0)], now=0.0)
    outbox.bury(outbox.heads(TEAM, now=0.0, limit=1)[0], "410", now=1.0)
    with pytest.raises(NotFoundError, match="no dead letter 2, 9"):
        outbox.send_again([1, 2, 9], now=2.0)
    assert outbox.counts() == {"waiting": 1, "delivered": 0, "dead": 1}
    assert outbox.send_again(None, now=2.0) == 1
    assert outbox.send_again(None, now=2.0) == 0


def test_old_letters_are_forgotten_only_when_they_were_delivered(outbox: Outbox):
    outbox.put([message(group=group, at=1.0) for group in "ABC"], now=0.0)
    a, b, _ = outbox.heads(TEAM, now=0.0, limit=3)
    outbox.delivered(a, now=1.0)
    outbox.bury(b, "400", now=1.0)
    assert outbox.forget_delivered(before=1.0) == 0
    assert outbox.forget_delivered(before=2.0) == 1
    assert outbox.counts() == {"waiting": 1, "delivered": 0, "dead": 1}


def test_an_error_undoes_all_of_a_transaction_and_of_those_within_it(database: Database, outbox: Outbox):
    def fail() -> None:
        with database.writing():
            outbox.put([message()], now=0.0)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert outbox.counts()["waiting"] == 0
    outbox.put([message()], now=0.0)
    assert outbox.counts()["waiting"] == 1


def test_what_was_put_in_is_there_after_the_database_is_opened_anew(tmp_path: Path):
    first = Database(tmp_path / "new" / "a.sqlite")
    Outbox(first).put([message()], now=0.0)
    second = Database(tmp_path / "new" / "a.sqlite")  # the first process still has it open
    assert Outbox(second).heads(TEAM, now=0.0, limit=1)[0].message == message()
    first.close()
    second.close()
    first.close()


def test_a_database_that_is_none_or_newer_or_out_of_reach_is_named(tmp_path: Path):
    (tmp_path / "text").write_text("this is no database" * 100)
    with pytest.raises(CatalogueError, match=r"text cannot be used: .*corrupt"):
        Database(tmp_path / "text")
    with pytest.raises(StoreError, match="cannot be made"):
        Database(tmp_path / "text" / "below.sqlite")
    with sqlite3.connect(tmp_path / "newer") as newer:
        newer.execute(f"pragma user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(SchemaVersionError, match="Update it"):
        Database(tmp_path / "newer")


def test_a_database_that_another_process_holds_is_said_to_be_locked(tmp_path: Path, database: Database):
    other = Database(database.file, busy_s=0.05)
    with database.writing(), pytest.raises(CatalogueError, match="locked by another process"):
        Outbox(other).put([message()], now=0.0)
    other.close()
