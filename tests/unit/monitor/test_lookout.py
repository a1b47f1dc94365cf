"""Looking at targets: a slow one holds up nobody, steps are kept."""

from __future__ import annotations

import threading
import time

import pytest

from tests.unit.monitor.collectors.loopback import serving
from workbench.errors import TargetError
from workbench.monitor.collectors import Collector, Look, NginxStub
from workbench.monitor.lookout import Lookout, every_step

PAGE = "Active connections: 1\nserver accepts handled requests\n 1 1 7\nReading: 0 Writing: 1 Waiting: 0\n"


def test_a_slow_target_holds_up_no_other_and_is_not_asked_twice():
    with serving(page=PAGE) as quick, serving(page=PAGE) as slow:
        slow.delay = 0.9
        targets = [NginxStub(name=name, url=f"{one.url}/page") for name, one in (("q", quick), ("s", slow))]
        lookout = Lookout(targets, timeout=0.3)
        begun = time.monotonic()
        first, second = lookout.look(), lookout.look()
        assert time.monotonic() - begun < 0.8
        assert all(isinstance(one["q"], Look) for one in (first, second))
        assert all("no answer within 0.3 s" in str(one["s"]) for one in (first, second))
        assert len(slow.asked) <= 2
        time.sleep(0.9)
        slow.delay = 0.0
        assert isinstance(lookout.look()["s"], Look)


class Broken(Collector):
    """One with a defect."""

    kind: str = "broken"

    def look(self, *, timeout: float) -> Look:
        raise ZeroDivisionError


def test_a_defect_is_no_gap():
    with pytest.raises(ZeroDivisionError):
        Lookout([Broken(name="b")], timeout=1).look()


class Clock:
    """A clock that each look at it, and each wait, moves on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Waiting(threading.Event):
    """An event that nobody sets; waiting for it takes the clock's time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.0
        return self.is_set()


def test_turns_come_at_multiples_of_the_step_and_late_ones_are_left_out():
    clock, turns = Clock(), []

    def turn(at: int) -> None:
        turns.append(round(at / 1e6, 3))
        clock.now += 2.5 if len(turns) == 2 else 0.1

    last = every_step(turn, step=1.0, stop=Waiting(clock), seconds=5.5, clock=clock)
    assert turns == [0, 1, 4, 5, 5.5]
    assert last == 5_500_000


def test_it_ends_when_it_is_stopped():
    stop, turns = threading.Event(), []

    def turn(at: int) -> None:
        turns.append(at)
        stop.set()

    every_step(turn, step=60.0, stop=stop)
    assert len(turns) == 1


def test_an_unreachable_target_is_an_error_with_its_reason():
    found = Lookout([NginxStub(name="n", url="http://127.0.0.1:1/")], timeout=2).look()["n"]
    assert isinstance(found, TargetError)
    assert "refused" in str(found)
