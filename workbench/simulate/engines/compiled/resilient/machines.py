"""A server whose state is in the arrays, for the control code: faults, checks and measurements of load."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.simulate.engines.compiled.resilient import serving
from workbench.simulate.engines.compiled.resilient.lists import (
    ERRING,
    SERVING,
    WAITING,
    at_server,
    remove,
)
from workbench.simulate.engines.reference.clock import Happening, Kind

if TYPE_CHECKING:
    from workbench.simulate.engines.compiled.resilient.run import CompiledRun


class ArrayMachine:
    """One server; what the control code asks of the reference engine's `Machine`."""

    def __init__(self, index: int, run: CompiledRun) -> None:
        self.index = index
        self.run = run
        self.row: Any = run.plain.machines[index]
        self.slots = int(self.row.slots)
        self.near = float(self.row.near)
        self.factors: list[float] = []
        self.delays: list[float] = []
        self.failing: list[tuple[float, float]] = []
        """Share of the requests that are answered with an error, and after how many seconds."""
        self.later: deque[tuple[float, float]] = deque()
        """Interruptions after the next one: seconds of work until then, and how long each lasts."""
        self.repair = 0.0
        """How long the next interruption lasts, seconds."""

    @property
    def crashes(self) -> int:
        """Crashes that last."""
        return int(self.row.crashes)

    @crashes.setter
    def crashes(self, count: int) -> None:
        self.row.crashes = count

    @property
    def speed(self) -> float:
        """The speed that the faults of now leave."""
        return float(self.row.speed)

    @property
    def delay(self) -> float:
        """One-way network delay, seconds."""
        return float(self.row.delay)

    @delay.setter
    def delay(self, seconds: float) -> None:
        self.row.delay = seconds

    @property
    def busy_seconds(self) -> float:
        """Slot-seconds of service so far, as last counted."""
        return float(self.row.busy_seconds)

    @property
    def waiting(self) -> list[int]:
        """The attempts that wait there, the first in the queue first."""
        return self.listed(WAITING)

    def listed(self, which: int) -> list[int]:
        """Give the attempts of one of its lists."""
        return self.run.members(at_server(self.index, which))

    def tell_failing(self) -> None:
        """Let the kernel know by which faults it fails."""
        run, count = self.run, len(self.failing)
        known = run.world.failing
        if count > known.shape[1]:
            wider = np.zeros((len(known), 2 * count, 2))
            wider[:, : known.shape[1]] = known
            run.replace(failing=wider)
        if count:
            run.world.failing[self.index, :count] = self.failing
        self.row.failing = count

    def crash(self, now: float) -> list[int]:
        """Lose all that is here, and give it back."""
        plain = self.run.plain
        serving.count(plain, self.index, now)
        lost = [attempt for which in (SERVING, WAITING, ERRING) for attempt in self.listed(which)]
        for attempt in self.listed(SERVING):
            plain.attempts[attempt].finish = now
        for attempt in lost:
            remove(plain, attempt)
        serving.rest(plain, self.index, now)
        return lost

    def change_speed(self, now: float) -> None:
        """Go on at the speed that the faults of now leave."""
        row = self.row
        speed = 0.0 if row.stopped else float(row.full_speed) * math.prod(self.factors)
        if speed == row.speed:
            return
        those = self.listed(SERVING)
        for attempt in those:
            one = self.run.plain.attempts[attempt]
            one.left = max(0.0, one.left - (now - one.updated) * row.speed)
            one.updated = now
        row.speed = speed
        for attempt in those:
            self.run.make_room()
            serving.plan(self.run.plain, self.index, attempt, now)

    def count(self, now: float) -> None:
        """Bring the count of busy slot-seconds up to now."""
        serving.count(self.run.plain, self.index, now)

    def interrupt_after(self, work: float, repair: float, now: float) -> None:
        """Learn of one more interruption."""
        self.later.append((work, repair))
        if not self.row.interrupted:
            self.expect_interruption(now)

    def expect_interruption(self, now: float) -> None:
        """Let the next interruption be the one that the kernel looks out for."""
        self.row.interrupted = int(bool(self.later))
        if self.later:
            self.row.next_work, self.repair = self.later.popleft()
        self.run.make_room()
        serving.work(self.run.plain, self.index, now)

    def on_stop(self, now: float) -> None:
        """The machine breaks down, if it has worked until now."""
        if now != self.row.stops_at:
            return
        self.row.stops_at = math.inf
        self.row.stopped = 1
        repair = self.repair
        self.expect_interruption(now)
        self.change_speed(now)
        self.run.clock.at(now + repair, Kind.FAULT, self.index, self.on_repair)

    def on_repair(self, event: Happening) -> None:
        """The machine goes on."""
        self.row.stopped = 0
        self.change_speed(event.time)
        self.run.make_room()
        serving.work(self.run.plain, self.index, event.time)

    def begins_in(self, now: float) -> float:
        """Seconds until a request that came now would begin, first come, first served."""
        attempts, those = self.run.plain.attempts, self.listed(SERVING)
        if len(those) < self.slots:
            return 0.0
        if not self.speed:
            return math.inf
        slots = sorted(float(attempts[attempt].due) for attempt in those)
        for ahead in self.waiting:
            slots[0] += float(attempts[ahead].left) / self.speed
            slots.sort()
        return slots[0] - now
