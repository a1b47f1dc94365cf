"""The loop of a live run: go on in step with the clock, obey commands, and store what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from workbench.errors import InputError
from workbench.monitor.live.commands import Control, Pause, Resume, SetSpeed, Stop, read_command
from workbench.monitor.live.pacing import Pace
from workbench.monitor.live.simulation import LiveSimulation, Slice

LOOK = 0.05
"""Longest time until it looks again for commands while it waits, seconds."""

COMMIT = 1.0
"""Time between two commits by default, seconds; after a command it commits at once."""


@dataclass(frozen=True)
class Order:
    """A command that waits.

    Args:
        number: in the journal.
        text: as it was written.
        author: who says so.
        reason: why.
        forced: whether it is done even where it leaves no usable server.
    """

    number: int
    text: str
    author: str
    reason: str
    forced: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Args:
        number: in the journal.
        applied: whether it was done; else it was refused.
        at_us: simulated time, microseconds.
        result: what it did, or why it was refused.
    """

    number: int
    applied: bool
    at_us: int
    result: str


@dataclass(frozen=True, eq=False)
class Batch:
    """What is stored together: all of it or nothing.

    Args:
        at_us: simulated time until which this makes the store whole, microseconds.
        requests: that have arrived by then.
        answered: of these, that have their answer.
        behind_s: how far the simulation is behind its pace, seconds.
        paused: whether it stands still.
        speed: simulated seconds in a second; None for as fast as it goes.
        slices: the intervals since the last batch.
        events: since the last batch.
        outcomes: of commands.
    """

    at_us: int
    requests: int
    answered: int
    behind_s: float
    paused: bool
    speed: float | None
    slices: Sequence[Slice]
    events: pa.Table
    outcomes: Sequence[Outcome]


class Journal(Protocol):
    """Where commands come from and where everything is kept."""

    def waiting(self) -> Sequence[Order]:
        """Give the commands that wait, in the order in which they were sent."""
        ...

    def commit(self, batch: Batch) -> None:
        """Keep a batch; it is safe when this returns."""
        ...


Watch = Callable[[Slice], None]
"""Told of every interval, right after it."""


@dataclass
class LiveSession:
    """Runs a simulation against the clock.

    Args:
        simulation: what goes on.
        journal: where commands come from and everything is kept.
        speed: simulated seconds in a second; None for as fast as it goes.
        clock: a clock that never goes back, seconds.
        stop: wakes it when set, for what the journal has to say then.
        watch: told of every interval.
        commit_every: time between two commits, seconds.
    """

    simulation: LiveSimulation
    journal: Journal
    speed: float | None
    clock: Callable[[], float]
    stop: threading.Event
    watch: Watch = lambda _: None
    commit_every: float = COMMIT
    paused: bool = False
    ending: bool = False
    """Whether no more requests come, and what is left is not paced."""
    _slices: list[Slice] = field(default_factory=list)
    _outcomes: list[Outcome] = field(default_factory=list)

    def run(self) -> None:
        """Go on until all requests have come and are answered, or it is told to stop.

        Raises:
            SimulationError: the simulation cannot go on; what came before it is stored.
            StoreError: it cannot be stored.
        """
        self._pace = Pace(self.speed, simulated=self.simulation.now, wall=self.clock())
        self._behind = 0.0
        self._committed = self.clock()
        try:
            while not self.simulation.over:
                self._listen()
                if self.paused and not self.ending:
                    self.stop.wait(LOOK)
                elif self._is_due():
                    self._step()
                if self._outcomes or (self._slices and self.clock() - self._committed >= self.commit_every):
                    self._commit()
        finally:
            self._commit()

    def _step(self) -> None:
        slice_ = self.simulation.advance()
        self._slices.append(slice_)
        self.watch(slice_)

    def _is_due(self) -> bool:
        """Wait for the end of the next interval, a moment at most; say whether it is there."""
        if self.ending:
            return True
        ahead = (self.simulation.at_us + self.simulation.sample_us) / 1e6
        left = self._pace.due(ahead, wall=self.clock())
        self._behind = max(0.0, -left)
        if left <= 0:
            return True
        self.stop.wait(min(left, LOOK))
        return left <= LOOK

    def _listen(self) -> None:
        for order in self.journal.waiting():
            at_us = self.simulation.at_us
            try:
                done, applied = self._obey(order), True
            except InputError as error:
                done, applied = str(error), False
            self._outcomes.append(Outcome(order.number, applied, at_us, done))

    def _obey(self, order: Order) -> str:
        command = read_command(order.text)
        match command:
            case Pause():
                self.paused = True
            case Resume():
                self.paused = False
                self._pace.restart(self.simulation.now, wall=self.clock())
            case Stop():
                self._end()
            case SetSpeed():
                self.speed = command.speed
                self._pace = Pace(command.speed, simulated=self.simulation.now, wall=self.clock())
        if isinstance(command, Control):
            return command.text
        return self.simulation.obey(
            command, number=order.number, author=order.author, reason=order.reason, forced=order.forced
        )

    def _end(self) -> None:
        if not self.ending:
            self.ending = True
            self.simulation.end_arrivals()

    def _commit(self) -> None:
        simulation = self.simulation
        self.journal.commit(
            Batch(
                at_us=simulation.at_us,
                requests=simulation.arrived,
                answered=simulation.answered,
                behind_s=self._behind,
                paused=self.paused,
                speed=self.speed,
                slices=self._slices,
                events=simulation.take_events(),
                outcomes=self._outcomes,
            )
        )
        self._slices, self._outcomes = [], []
        self._committed = self.clock()
