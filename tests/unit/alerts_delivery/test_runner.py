"""Alerts in real time: what is decided survives restarts, and the dead man's switch tells of silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.alerts_delivery.loopback import Receiver, Reply
from workbench.alerts.audit import Audit
from workbench.alerts.database import Database
from workbench.alerts.deadman import BEAT, LATE, NOT_DUE, ON_ITS_WAY, beat_reason
from workbench.alerts.evaluation import Memory, evaluate
from workbench.alerts.instances import Evaluation
from workbench.alerts.labels import Labels
from workbench.alerts.lock import only_sender
from workbench.alerts.outbox import Outbox, Place
from workbench.alerts.receivers import Plan
from workbench.alerts.rules import RuleFile
from workbench.alerts.runner import Runner, Told
from workbench.alerts.secrets import Vault
from workbench.alerts.sending import Sender
from workbench.alerts.series import MemorySource
from workbench.alerts.silences import Hands
from workbench.documents import check
from workbench.errors import InputError

RULES = check(
    {
        "name": "test",
        "interval": "10s",
        "rules": [
            {"name": "Deep", "for": "20s", "condition": {"kind": "sql", "query": "depth", "above": 5}},
            {"name": "Other", "condition": {"kind": "sql", "query": "other"}},
        ],
    },
    RuleFile,
    name="rules",
    folder=Path(),
)


class World:
    """A clock that is turned, values that rules see, and runners over one database."""

    def __init__(self, file: Path, plan: dict[str, Any]) -> None:
        self.file, self.now = file, 5000.0
        self.values: dict[str, float | None] = {"depth": None, "other": None}
        self.plan = check(plan, Plan, name="plan", folder=file.parent)
        self.told: list[Told] = []
        self.start()

    def query(self, sql: str, at: float) -> list[tuple[Labels, float]]:
        value = self.values[sql]
        if value == "error":
            raise InputError(f"{sql}: cannot be asked")
        return [] if value is None else [(Labels({"pool": "web"}), value)]

    def evaluate(self, memory: Memory, at: float) -> tuple[Memory, Evaluation]:
        return evaluate(RULES.every_rule, memory, MemorySource({}, query=self.query), at)

    def start(self) -> None:
        """Begin anew from the database, as a process that was killed and started again does."""
        self.database = Database(self.file)
        channels = {Place(*place): channel for place, channel in self.plan.channels().items()}
        rng = np.random.default_rng(1)
        self.sender = Sender(self.database, channels, vault=Vault({}), clock=lambda: self.now, rng=rng)
        self.runner = Runner(
            self.evaluate,
            self.plan,
            self.database,
            self.sender,
            every=RULES.interval,
            clock=lambda: self.now,
            watch=self.told.append,
        )

    def go(self, seconds: float, *, restart: bool = False) -> None:
        """Let time pass, in steps as long as the runner has nothing to do."""
        end = self.now + seconds
        while True:
            wait = self.runner.turn()
            while self.sender.busy:
                self.sender.collect(10.0)
            if self.now + wait > end:
                self.now = end
                return
            self.now += max(wait, 0.001)
            if restart:
                self.database.close()
                self.start()


def plan(receiver: Receiver, **more: Any) -> dict[str, Any]:
    route = {"receiver": "team", "group_wait": "5s", "group_interval": "30s", "repeat_interval": "1h"}
    channels = [{"kind": "webhook", "url": receiver.url}]
    return {"receivers": [{"name": "team", "channels": channels}], "route": route, **more}


@pytest.fixture
def make_world(tmp_path: Path, receiver: Receiver) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**more: Any) -> World:
        made.append(World(tmp_path / "alerts.sqlite", plan(receiver, **more)))
        return made[-1]

    yield make
    for world in made:
        world.database.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def heard(receiver: Receiver) -> list[tuple[str, list[str]]]:
    return [
        (got.body["status"], [one["labels"]["alertname"] for one in got.body["alerts"]])
        for got in receiver.received
    ]


@pytest.mark.parametrize("restart", [False, True], ids=["one process", "restarted at every step"])
def test_an_alert_is_told_once_and_its_end_too(world: World, receiver: Receiver, restart: bool):
    world.go(25, restart=restart)
    world.values["depth"] = 9.0
    world.go(60, restart=restart)
    world.values["depth"] = 1.0
    world.go(120, restart=restart)
    assert heard(receiver) == [("firing", ["Deep"]), ("resolved", ["Deep"])]
    kinds = [event.kind for event in reversed(Audit(world.database).events(alert="Deep"))]
    assert kinds == ["pending", "firing", "told", "resolved", "told"]


def test_evaluations_stay_on_the_grid_so_that_for_is_met(world: World):
    world.values["depth"] = 9.0
    world.now += 0.004
    world.go(100)
    times = [one.evaluation.at for one in world.told if one.evaluation is not None]
    assert times == [5000.0 + 10.0 * number for number in range(len(times))]
    (firing,) = [
        change.at
        for one in world.told
        if one.evaluation
        for change in one.evaluation.transitions
        if change.instance.state == "firing"
    ]
    assert firing == 5020.0


def test_after_a_long_absence_evaluations_are_not_made_up_for(world: World):
    world.go(15)
    world.now += 1000.0
    world.told.clear()
    world.go(15)
    times = [one.evaluation.at for one in world.told if one.evaluation is not None]
    assert times == [6010.0, 6020.0, 6030.0]


def test_a_clock_that_is_put_back_does_not_stop_evaluation(world: World):
    world.go(15)
    world.now -= 3600.0
    world.told.clear()
    world.go(25)
    assert [one.evaluation.at for one in world.told if one.evaluation is not None] == [1415.0, 1425.0, 1435.0]


def test_what_people_do_meanwhile_is_heeded(world: World, receiver: Receiver):
    hands = Hands(world.database)
    world.values["other"] = 1.0
    world.go(8)
    assert heard(receiver) == [("firing", ["Other"])]
    (event,) = [one for one in Audit(world.database).events() if one.kind == "firing"]
    hands.mark((event.fingerprint, event.at), "resolved", at=world.now, author="me", comment="")
    world.go(60)
    assert heard(receiver)[1:] == [("resolved", ["Other"])]
    world.values["other"] = None
    world.go(20)
    world.values["other"] = 1.0
    world.go(20)
    assert heard(receiver)[2:] == [("firing", ["Other"])]


def test_a_rule_that_cannot_be_evaluated_is_said_once_and_so_is_its_recovery(world: World):
    world.values["depth"] = "error"
    world.go(50)
    world.values["depth"] = 1.0
    world.go(20)
    events = [one for one in reversed(Audit(world.database).events()) if one.alert == "Deep"]
    assert [(one.kind, one.detail) for one in events] == [
        ("failed", "depth: cannot be asked"),
        ("evaluated again", ""),
    ]
    news = [event for one in world.told for event in one.failures]
    assert news == events


def test_the_dead_mans_switch_beats_while_all_is_well(make_world, receiver: Receiver):
    world = make_world(dead_mans_switch={"receiver": "team", "every": "20s"})
    world.go(100)
    assert heard(receiver) == [("firing", ["DeadMansSwitch"])] * 6  # at 0, 20, ... 100
    assert len({got.key for got in receiver.received}) == 6
    world.values["depth"] = "error"
    world.go(200)
    assert len(receiver.received) == 6 + 1  # for as long as the last good evaluation is recent
    world.values["depth"] = 1.0
    world.go(20)
    assert len(receiver.received) == 6 + 1 + 1


def test_beats_do_not_queue_up_for_a_receiver_that_is_down(make_world, receiver: Receiver):
    world = make_world(dead_mans_switch={"receiver": "team", "every": "20s"})
    receiver.reply = Reply(503)
    world.go(600)
    assert Outbox(world.database).counts()["waiting"] == 1
    receiver.reply = Reply()
    world.go(400)
    assert Outbox(world.database).counts()["waiting"] == 0


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (BEAT, {}),
        (BEAT, {"last": None}),
        (NOT_DUE, {"last": 81.0}),
        (LATE, {"evaluated": None}),
        (LATE, {"evaluated": 69.0}),
        (BEAT, {"evaluated": 70.0}),
        (ON_ITS_WAY, {"waiting": True}),
    ],
)
def test_a_beat_has_a_reason(expected: str, changes: dict[str, Any]):
    well = {"every": 20.0, "last": 80.0, "evaluated": 95.0, "patience": 30.0, "waiting": False, "now": 100.0}
    assert beat_reason(**(well | changes)) == expected


def test_only_one_process_sends_from_a_file(tmp_path: Path):
    file = tmp_path / "new" / "alerts.sqlite"
    with only_sender(file):
        with pytest.raises(InputError, match=r"process \d+ sends its alerts already"), only_sender(file):
            pass
        with only_sender(tmp_path / "other.sqlite"):
            pass
    with only_sender(file):
        pass


def test_a_runner_that_is_told_to_stop_ends_its_attempts(world: World, receiver: Receiver):
    stop = threading.Event()
    receiver.reply = Reply(delay=0.5)
    world.values["other"] = 1.0
    world.runner.turn()
    world.now += 6.0
    ended = threading.Thread(target=world.runner.run, args=(stop,))
    ended.start()
    while not receiver.received:
        stop.wait(0.01)
    stop.set()
    ended.join(10)
    assert not ended.is_alive()
    assert Outbox(world.database).counts()["delivered"] == 1


def test_a_state_of_another_version_is_named(world: World, tmp_path: Path):
    with world.database.writing() as sqlite:
        kept = json.dumps(json.dumps({"version": 99, "rules": {}}))
        sqlite.execute("insert or replace into memory values ('evaluation', 'memory', ?)", (kept,))
    world.database.close()
    with pytest.raises(InputError, match=r"alerts\.sqlite: alert state: given version 99"):
        world.start()
