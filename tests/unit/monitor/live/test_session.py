"""The loop of a live run, with a clock and a journal that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from workbench.monitor.live import Batch, LiveSession, LiveSimulation, Order, Outcome, Slice
from workbench.monitor.live.pacing import Pace
from workbench.simulate import Scenario


@dataclass
class Clock:
    """Time that passes as long as somebody waits."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Waits(threading.Event):
    """An event whose waiting moves a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.0
        return self.is_set()


@dataclass
class Kept:
    """A journal in memory."""

    orders: list[Order] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def tell(self, text: str) -> None:
        self.orders.append(Order(len(self.outcomes) + len(self.orders), text, "ann", "", False))

    def waiting(self) -> Sequence[Order]:
        taken, self.orders = self.orders, []
        return taken

    def commit(self, batch: Batch) -> None:
        self.batches.append(batch)

    @property
    def outcomes(self) -> list[Outcome]:
        return [one for batch in self.batches for one in batch.outcomes]


def begin(scenario: Scenario, kept: Kept, speed: float | None, **more: object) -> tuple[LiveSession, Clock]:
    clock = Clock()
    simulation = LiveSimulation(scenario, run_id=1, sample_us=500_000, until_us=10_000_000)
    return LiveSession(simulation, kept, speed, clock, Waits(clock), **more), clock


def test_a_command_is_obeyed_at_the_end_of_the_interval_in_which_it_comes(scenario: Scenario):
    kept, told = Kept(), []

    def watch(one: Slice) -> None:
        if one.at_us in (2_000_000, 5_000_000):
            told.append(one.at_us)
            kept.tell("rate 2")

    session, _ = begin(scenario, kept, None, watch=watch)
    session.run()
    assert [one.at_us for one in kept.outcomes] == told == [2_000_000, 5_000_000]


def test_what_became_of_a_command_is_kept_with_the_time_at_which_it_was_done(scenario: Scenario):
    kept = Kept()
    session, _ = begin(
        scenario, kept, 1.0, watch=lambda one: kept.tell("rate 2") if one.at_us == 3_000_000 else None
    )
    session.run()
    (batch,) = [batch for batch in kept.batches if batch.outcomes]
    assert batch.at_us == batch.outcomes[0].at_us == 3_000_000
    assert batch.events["detail"].to_pylist() == ["rate 2 (command 0 of ann)"]


def test_every_interval_and_event_is_kept_once(scenario: Scenario):
    kept, seen = Kept(), []
    session, _ = begin(scenario, kept, 5.0, watch=seen.append)
    kept.tell("server 1 drain")
    session.run()
    assert [one.at_us for batch in kept.batches for one in batch.slices] == [one.at_us for one in seen]
    assert [one.at_us for one in seen] == list(range(500_000, seen[-1].at_us + 1, 500_000))
    assert sum(batch.events.num_rows for batch in kept.batches) == len(session.simulation.run.events) == 2
    assert kept.batches[-1].answered == kept.batches[-1].requests == len(session.simulation.records())


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_simulated_time_keeps_pace_with_the_clock(scenario: Scenario, speed: float):
    kept = Kept()
    clock: list[Clock] = []
    apart: list[float] = []
    session, its = begin(
        scenario, kept, speed, watch=lambda one: apart.append(clock[0].now - one.at_us / 1e6 / speed)
    )
    clock.append(its)
    session.run()
    assert max(map(abs, apart)) < 1e-6


def test_the_pace_can_be_changed_on_the_way(scenario: Scenario):
    kept = Kept()
    session, clock = begin(
        scenario, kept, 1.0, watch=lambda one: kept.tell("speed 10") if one.at_us == 5_000_000 else None
    )
    session.run()
    assert clock.now == pytest.approx(5 + 5 / 10, abs=0.2)


def test_a_paused_run_goes_on_from_where_it_stood(scenario: Scenario):
    kept, stood = Kept(), []

    class Patient(Waits):
        def wait(self, timeout: float | None = None) -> bool:
            if session.paused:
                stood.append(session.simulation.at_us)
                if len(stood) == 100:
                    kept.tell("resume")
            return super().wait(timeout)

    session, clock = begin(
        scenario, kept, 1.0, watch=lambda one: kept.tell("pause") if one.at_us == 4_000_000 else None
    )
    session.stop = Patient(clock)
    session.run()
    assert set(stood) == {4_000_000}
    assert clock.now == pytest.approx(4 + 100 * 0.05 + 6, abs=0.6)


def test_stop_ends_arrivals_and_waits_for_nobody(scenario: Scenario):
    kept = Kept()
    session, clock = begin(
        scenario, kept, 1.0, watch=lambda one: kept.tell("stop") if one.at_us == 4_000_000 else None
    )
    session.run()
    records = session.simulation.records()
    assert records.until == 4.0
    assert records.arrival[-1] <= 4.0
    assert clock.now == pytest.approx(4.0, abs=0.1)


def test_a_simulation_that_is_far_behind_does_not_race(scenario: Scenario):
    pace = Pace(1.0, simulated=0.0, wall=0.0)
    assert pace.due(1.0, wall=0.4) == pytest.approx(0.6)
    assert pace.due(2.0, wall=9.0) == pytest.approx(-7.0)
    assert pace.due(3.0, wall=9.0) == pytest.approx(1.0)
