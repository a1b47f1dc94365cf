"""Sending under faults: real receivers on loopback that fail, and a clock that the tests turn."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Literal

import numpy as np
import pytest

from tests.unit.alerts_delivery.loopback import Received, Receiver, Reply, message, receiving
from workbench.alerts.audit import Audit
from workbench.alerts.breaker import BreakerPolicy
from workbench.alerts.channels import Answer, Channel, Log, Webhook
from workbench.alerts.database import Database
from workbench.alerts.messages import Message
from workbench.alerts.outbox import Outbox, Place
from workbench.alerts.secrets import Secret, Vault
from workbench.alerts.sending import RetryPolicy, Sender

TEAM = Place("team", 0)
NEVER_OPEN = BreakerPolicy(failures=10**6)


class Clock:
    """A time of day that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Office:
    """A sender with its outbox, whose clock goes on to whatever is due next."""

    def __init__(self, database: Database, channels: dict[Place, Channel], **options) -> None:
        self.clock = Clock()
        self.outbox, self.audit = Outbox(database), Audit(database)
        options.setdefault("vault", Vault({}))
        self.sender = Sender(database, channels, clock=self.clock, rng=np.random.default_rng(1), **options)

    def put(self, *messages: Message) -> list[str]:
        return self.outbox.put(messages, now=self.clock())

    def run(self, *, seconds: float | None = None) -> None:
        """Send until nothing is left to do, or so many seconds are over."""
        end = math.inf if seconds is None else self.clock.now + seconds
        while True:
            self.sender.start()
            if self.sender.busy:
                assert self.sender.collect(20.0)
                continue
            due = self.sender.next_at()
            if due is None or due > end:
                self.clock.now = self.clock.now if seconds is None else end
                return
            self.clock.now = max(self.clock.now, due)

    def attempts(self, key: str | None = None) -> list[tuple[float, str]]:
        found = reversed(self.audit.attempts(key=key))
        return [(attempt.started - 1_000_000.0, attempt.verdict) for attempt in found]


def webhook(receiver: Receiver, **changes) -> Webhook:
    return Webhook(url=receiver.url, **changes)


def said(receiver: Receiver) -> list[tuple[str, str]]:
    return [(got.body["groupKey"], got.body["alerts"][0]["startsAt"]) for got in receiver.received]


def test_a_receiver_that_answers_500_is_tried_again_with_growing_waits_and_the_same_key(
    database: Database, receiver: Receiver
):
    receiver.replies.extend([Reply(500)] * 4)
    office = Office(database, {TEAM: webhook(receiver)}, breaker=NEVER_OPEN)
    (key,) = office.put(message())
    office.run()
    assert [got.key for got in receiver.received] == [key] * 5
    times = [time for time, _ in office.attempts(key)]
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert all(0.5 * 2**n <= wait <= 1.5 * 2**n for n, wait in enumerate(waits)), waits
    assert len({wait / 2**n for n, wait in enumerate(waits)}) == 4  # jitter: no two alike
    assert [verdict for _, verdict in office.attempts(key)] == ["temporary"] * 4 + ["delivered"]
    assert [one.number for one in office.audit.attempts(key=key)] == [5, 4, 3, 2, 1]


def test_waits_are_spread_evenly_about_their_mean_and_bounded():
    policy = RetryPolicy(first=1.0, longest=300.0)
    rng = np.random.default_rng(7)
    draws = np.array([policy.wait(4, rng.random()) for _ in range(20_000)])
    assert draws.min() >= 4.0
    assert draws.max() <= 12.0
    # The mean of a uniform variable on 4 to 12 is 8, its standard error 2.309 / sqrt(20,000): five of them.
    assert abs(draws.mean() - 8.0) < 5 * 2.309 / 20_000**0.5
    assert policy.wait(5000, 1.0) == 450.0


def test_a_receiver_that_asks_to_be_left_alone_is_by_all_groups(database: Database, receiver: Receiver):
    receiver.replies.append(Reply(429, {"Retry-After": "40"}))
    office = Office(database, {TEAM: webhook(receiver)}, at_once=1)
    keys = office.put(message(group="A"), message(group="B"))
    office.run(seconds=39.0)
    assert len(receiver.received) == 1
    office.run()
    assert [got.key for got in receiver.received] == [keys[0], keys[1], keys[0]]
    assert min(time for time, verdict in office.attempts() if verdict == "delivered") >= 40.0
    assert office.audit.attempts(key=keys[0])[1].retry_after == 40.0


def test_a_receiver_that_asks_for_days_is_heeded_for_an_hour(database: Database, receiver: Receiver):
    receiver.replies.append(Reply(503, {"Retry-After": "864000"}))
    office = Office(database, {TEAM: webhook(receiver)})
    office.put(message())
    office.run()
    assert office.attempts()[1] == (3600.0, "delivered")


def test_a_refused_letter_is_dead_at_once_and_its_group_goes_on(database: Database, receiver: Receiver):
    receiver.replies.append(Reply(400, body="no such field"))
    office = Office(database, {TEAM: webhook(receiver)})
    first, second = office.put(message(at=1.0), message(at=2.0))
    office.run()
    assert [got.key for got in receiver.received] == [first, second]
    (dead,) = office.outbox.listed(state="dead")
    assert (dead.key, dead.reason) == (first, "400 Bad Request: no such field")
    office.outbox.send_again([dead.letter_id], now=office.clock())
    office.run()
    assert [got.key for got in receiver.received] == [first, second, first]
    assert office.outbox.counts() == {"waiting": 0, "delivered": 2, "dead": 0}


def test_a_receiver_that_was_down_gets_everything_in_order(database: Database):
    with receiving() as first:
        port = first.port
    office = Office(database, {TEAM: Webhook(url=f"http://127.0.0.1:{port}")})
    keys = office.put(*(message(at=float(number)) for number in range(5)))
    office.run(seconds=120.0)
    assert office.outbox.counts()["waiting"] == 5
    with receiving(port) as second:
        office.run()
        assert [got.key for got in second.received] == keys
    assert all(
        "refused" in attempt.detail for attempt in office.audit.attempts() if attempt.verdict == "temporary"
    )


def test_a_letter_that_fails_for_a_day_is_dead(database: Database, receiver: Receiver):
    receiver.reply = Reply(503)
    office = Office(database, {TEAM: webhook(receiver)})
    office.put(message())
    office.run()
    (dead,) = office.outbox.listed(state="dead")
    assert dead.reason.startswith(f"gave up after {dead.attempts} attempts in 24")
    assert office.clock() - 1_000_000.0 >= 86_400.0
    # 300 s apart on average once the wait has grown; the breaker adds little.
    assert 200 < dead.attempts < 600


def test_the_breaker_spares_a_failing_receiver_and_lets_one_letter_try(
    database: Database, receiver: Receiver
):
    receiver.reply = Reply(503)
    policy = BreakerPolicy(failures=5, rest=1000.0, longest_rest=1000.0)
    office = Office(database, {TEAM: webhook(receiver)}, breaker=policy)
    office.put(*(message(group=f"G{number}") for number in range(20)))
    office.run(seconds=900.0)
    spared = len(receiver.received)
    assert 5 <= spared <= 5 + 3  # three more may have been under way when the fifth failed
    assert office.sender.states() == {TEAM: "open"}
    office.run(seconds=101.0)
    assert len(receiver.received) == spared + 1
    receiver.reply = Reply()
    office.run()
    assert office.outbox.counts() == {"waiting": 0, "delivered": 20, "dead": 0}


def test_an_open_breaker_is_open_after_a_restart(database: Database, receiver: Receiver):
    receiver.reply = Reply(503)
    office = Office(database, {TEAM: webhook(receiver)}, breaker=BreakerPolicy(failures=1, rest=500.0))
    office.put(message())
    office.run(seconds=1.0)
    office.sender.close()
    again = Office(database, {TEAM: webhook(receiver)}, breaker=BreakerPolicy(failures=1, rest=500.0))
    assert again.sender.states() == {TEAM: "open"}
    again.run(seconds=100.0)
    assert len(receiver.received) == 1


def test_a_slow_receiver_does_not_hold_up_another(database: Database, receiver: Receiver):
    receiver.reply = Reply(delay=1.0)
    other = Place("other", 0)
    with receiving() as quick:
        office = Office(database, {TEAM: webhook(receiver), other: webhook(quick)})
        office.put(message(), *(message(receiver="other", at=float(number)) for number in range(20)))
        while office.outbox.counts()["delivered"] < 20:
            office.sender.start()
            assert office.sender.collect(0.9), "the slow receiver held up the quick one"
        assert len(quick.received) == 20
        office.run()


def arrivals(received: list[Received]) -> dict[str, list[str]]:
    """Give for each group the keys in the order of their first arrival."""
    order: dict[str, list[str]] = defaultdict(list)
    for got in received:
        if got.key not in order[got.body["groupKey"]]:
            order[got.body["groupKey"]].append(got.key)
    return order


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_random_faults_everything_arrives_in_order_and_duplicates_bear_their_key(
    database: Database, receiver: Receiver, seed: int
):
    rng = np.random.default_rng(seed)
    faults = [Reply(500), Reply(503, {"Retry-After": "2"}), Reply(429), Reply(delay=0.4), Reply()]
    receiver.replies.extend(faults[place] for place in rng.choice(5, 150, p=[0.25, 0.1, 0.1, 0.05, 0.5]))
    office = Office(database, {TEAM: webhook(receiver, timeout=0.2)})
    groups = [f"G{number}" for number in range(6)]
    messages = [message(group=group, at=float(number)) for number in range(12) for group in groups]
    keys = office.put(*messages)
    office.run()
    assert office.outbox.counts() == {"waiting": 0, "delivered": 72, "dead": 0}
    order = arrivals(receiver.received)
    for number, group in enumerate(groups):
        assert order[f'{{}}:{{alertname="{group}"}}'] == keys[number :: len(groups)]
    bodies = defaultdict(set)
    for got in receiver.received:
        bodies[got.key].add(str(got.body))
    assert all(len(different) == 1 for different in bodies.values())
    assert len(receiver.received) == len(office.audit.attempts())


def test_letters_of_a_channel_that_is_gone_are_dead_with_the_reason(database: Database):
    office = Office(database, {})
    office.put(message())
    office.run()
    assert office.outbox.listed()[0].reason == "receiver team has no channel 0 any more"


class Broken(Channel):
    """Somebody's own channel, with a defect."""

    kind: Literal["broken"] = "broken"
    token: Secret

    @property
    def address(self) -> str:
        return "nowhere"

    def send(self, message: Message, *, key: str, vault: Vault, now: float) -> Answer:
        raise ZeroDivisionError(f"with {vault.reveal(self.token)}")


def test_a_defect_in_a_channel_is_an_attempt_that_failed(database: Database, receiver: Receiver):
    vault = Vault({"TOKEN": "s3cr3t-token"})
    channels = {TEAM: Broken(token=Secret(env="TOKEN")), Place("other", 0): webhook(receiver)}
    office = Office(database, channels, vault=vault)
    office.put(message(), message(receiver="other"))
    office.run(seconds=0.1)
    assert office.audit.attempts(receiver="team")[0].detail == "ZeroDivisionError in the channel: with ***"
    assert office.outbox.counts()["delivered"] == 1


def test_a_missing_secret_is_waited_for(database: Database, receiver: Receiver):
    environment: dict[str, str] = {}
    channel = Webhook(url=Secret(env="HOOK"))
    office = Office(database, {TEAM: channel}, vault=Vault(environment))
    office.put(message())
    office.run(seconds=0.1)
    assert office.audit.attempts()[0].detail.startswith("the variable HOOK is not set")
    environment["HOOK"] = receiver.url
    office.run()
    assert office.outbox.counts()["delivered"] == 1


def test_no_secret_gets_into_the_database(database: Database, receiver: Receiver):
    receiver.replies.extend([Reply(500, body="bad token s3cr3t-token"), Reply(400, body="s3cr3t-token")])
    vault = Vault({"TOKEN": "s3cr3t-token", "URL": f"{receiver.url}/s3cr3t-path"})
    channel = Webhook(url=Secret(env="URL"), bearer=Secret(env="TOKEN"))
    office = Office(database, {TEAM: channel}, vault=vault)
    office.put(message())
    office.run()
    assert len(receiver.received) == 2
    kept = b"".join(file.read_bytes() for file in database.file.parent.glob("alerts.sqlite*"))
    assert b"400 Bad Request: ***" in kept
    assert b"s3cr3t" not in kept


def test_an_attempt_amid_which_the_sender_ended_stays_in_the_audit(database: Database):
    audit = Audit(database)
    audit.begin(message(), key="k", address="http://x", number=1, now=5.0)
    assert audit.attempts()[0].verdict == "under way"
    office = Office(database, {TEAM: Log()})
    (attempt,) = office.audit.attempts()
    assert (attempt.verdict, attempt.ended) == ("interrupted", 1_000_000.0)
