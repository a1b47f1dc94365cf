"""A desk and its queues over the arrays: what the control code changes, the kernel sees."""

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.simulate.checks import CheckState
from workbench.simulate.detectors import DetectorState
from workbench.simulate.engines.compiled.resilient.lists import at_desk
from workbench.simulate.engines.compiled.resilient.making import whole_numbers
from workbench.simulate.engines.compiled.resilient.picking import (
    checks_of,
    groups_of,
    learnt_of,
    view_of,
)
from workbench.simulate.engines.compiled.resilient.sending import take_out
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, DeskFloat, DeskInt, PoolInt, World
from workbench.simulate.engines.reference.desk import Desk
from workbench.simulate.failover import GroupState
from workbench.simulate.retries import RetryRules
from workbench.simulate.strategies import View
from workbench.simulate.weights import WeightState

if TYPE_CHECKING:
    from workbench.simulate.engines.compiled.resilient.run import CompiledRun


class Warming(MutableMapping[int, float]):
    """Servers in slow start, and since when."""

    def __init__(self, since: Any, desk: Any) -> None:
        self.since = since
        self.desk = desk

    def __getitem__(self, server: int) -> float:
        if self.since[server] < 0.0:
            raise KeyError(server)
        return float(self.since[server])

    def __setitem__(self, server: int, since: float) -> None:
        self.desk.warming += int(self.since[server] < 0.0)
        self.since[server] = since

    def __delitem__(self, server: int) -> None:
        self.desk.warming -= int(self.since[server] >= 0.0)
        self.since[server] = -1.0

    def __iter__(self) -> Iterator[int]:
        return iter([server for server, since in enumerate(self.since) if since >= 0.0])

    def __len__(self) -> int:
        return int(self.desk.warming)


class Waiting(NamedTuple):
    """An attempt that has waited at a desk."""

    attempt: int
    server: int
    """The server for which it has waited; below 0: any."""


class Lengths(Sequence[int]):
    """How many attempts wait for each server."""

    def __init__(self, run: CompiledRun, desk: int) -> None:
        self.run = run
        self.desk = desk

    def __getitem__(self, server: Any) -> Any:
        return int(self.run.plain.lists[at_desk(self.run.plain, self.desk, server)].length)

    def __len__(self) -> int:
        return len(self.run.plain.machines)


class ArrayRoom:
    """What the control code asks of the reference engine's `WaitingRoom`."""

    def __init__(self, run: CompiledRun, desk: int) -> None:
        self.run = run
        self.desk = desk
        self.own = Lengths(run, desk)

    def clear(self, server: int) -> list[Waiting]:
        """Send away those that wait for a server which is out of service."""
        plain = self.run.plain
        gone = self.run.members(at_desk(plain, self.desk, server))
        for attempt in gone:
            take_out(plain, self.desk, attempt)
        return [Waiting(attempt, server) for attempt in gone]

    def empty(self) -> list[Waiting]:
        """Send all away, those that came first first."""
        plain, servers = self.run.plain, range(NOWHERE, len(self.own))
        gone = [
            (int(plain.attempts[attempt].queued), Waiting(attempt, server))
            for server in servers
            for attempt in self.run.members(at_desk(plain, self.desk, server))
        ]
        for _, one in sorted(gone):
            take_out(plain, self.desk, one.attempt)
        return [one for _, one in sorted(gone)]

    def __len__(self) -> int:
        return int(self.run.plain.desks[self.desk].waiting)


class ArrayDesk(Desk):
    """A desk whose lists are rows of the arrays."""

    def __init__(self, number: int, run: CompiledRun, keys: Sequence[str], rules: RetryRules) -> None:
        self.run = run
        self.row: Any = run.plain.desks[number]
        pool: Any = run.world.pool
        settings, servers = run.scenario.balancers, run.scenario.servers()
        super().__init__(
            number,
            settings,
            servers,
            keys,
            pool=pool[PoolInt.IN_FLIGHT],
            sent=pool[PoolInt.SENT],
            rules=rules,
        )
        self.row.full_load = self.full_load
        if self.room is not None:
            self.room = ArrayRoom(run, number)  # type: ignore[assignment]

    @property
    def calls(self) -> int:
        """Requests at the balancer, waiting ones included."""
        return int(self.row.calls)

    @calls.setter
    def calls(self, count: int) -> None:
        self.row.calls = count

    @property
    def epoch(self) -> int:
        """Which life of the balancer it is."""
        return int(self.row.epoch)

    @epoch.setter
    def epoch(self, number: int) -> None:
        self.row.epoch = number

    def start(self) -> None:
        """Begin to work, knowing nothing: at the start of the run, and after each reload."""
        super().start()
        world, number = self.run.world, self.number
        ints, floats = world.desk_ints[number], world.desk_floats[number]
        for name, place in (
            ("weight", DeskInt.WEIGHT),
            ("in_flight", DeskInt.IN_FLIGHT),
            ("standing", DeskInt.STANDING),
            ("served", DeskInt.SERVED),
        ):
            ints[place] = getattr(self, name)
            setattr(self, name, ints[place])
        floats[DeskFloat.RAMP] = self.ramp
        floats[DeskFloat.WARMING] = -1.0
        self.row.warming = 0
        ramp: Any = floats[DeskFloat.RAMP]
        self.ramp = ramp
        warming: Any = Warming(floats[DeskFloat.WARMING], self.row)
        self.warming = warming
        now: Any = world.times[number, 0]
        self.now = now
        self._lay_out(world)

    def _lay_out(self, world: World) -> None:
        """Put what checks, detector, strategy and groups know into the arrays."""
        number, groups = self.number, range(len(self.members))
        self.checks: CheckState = self.filled(checks_of(world, number), self.checks)
        self.learnt: DetectorState = self.filled(learnt_of(world, number), self.learnt)
        self.groups: GroupState = self.filled(groups_of(world, number), self.groups)
        self.views: list[View] = [
            self.filled(view_of(world, number, group), self.views[group]) for group in groups
        ]
        free: Any = world.slots[number]
        free[:] = 0.0
        if self.reweighing is not None:
            self.reweighing = self.weights_over(world, self.reweighing)

    def filled(self, rows: Any, values: Any) -> Any:
        """Write what a state holds into the arrays that stand for it."""
        shared = ("now", "weight", "ramp", "in_flight", "fails_allowed")
        for name, row, value in zip(rows._fields, rows, values, strict=True):
            if name in shared:
                continue
            if len(row) != len(value):
                raise AssertionError(f"{name}: a reload has changed the size of a memory")
            whole = row.dtype.kind == "i"
            row[:] = whole_numbers(value, f"{self.strategy.kind}: {name}") if whole else value
        return rows

    def weights_over(self, world: World, state: WeightState) -> WeightState:
        """Let the rule of weights read what the kernel counts."""
        ints, floats = world.desk_ints[self.number], world.desk_floats[self.number]
        for row in (ints[DeskInt.ANSWERS], ints[DeskInt.ERRORS], floats[DeskFloat.SECONDS]):
            row[:] = 0
        answers: Any = ints[DeskInt.ANSWERS]
        errors: Any = ints[DeskInt.ERRORS]
        seconds: Any = floats[DeskFloat.SECONDS]
        return state._replace(
            weight=self.weight,
            in_flight=self.in_flight,
            now=self.now,
            answers=answers,
            errors=errors,
            seconds=seconds,
        )

    def lost(self, server: int, now: float) -> None:
        """Learn that a server has lost all its work; for strategies that know demand."""
        world = self.run.world
        if world.slots.shape[1]:
            begin, end = world.slots_from[server], world.slots_from[server + 1]
            world.slots[self.number, begin:end] = now
        self.views[self.group_of[server]].free_at[server] = now

    def limit(self, server: int) -> float:
        """Give the most that may be in flight at a server now."""
        most = super().limit(server)
        return most if most == math.inf else int(most)
