"""Faults at work: what they do to servers, to the network and to balancers."""

from __future__ import annotations

from collections.abc import Callable
from heapq import merge
from typing import TYPE_CHECKING, TypeVar

from numpy.random import Generator

from workbench.simulate.engines.reference.attempts import Attempt
from workbench.simulate.engines.reference.clock import Happening, Kind
from workbench.simulate.engines.reference.desk import Desk
from workbench.simulate.faults import EVERY_BALANCER, Change, Effect
from workbench.simulate.streams import Stream
from workbench.tables import EventKind

if TYPE_CHECKING:
    from workbench.simulate.engines.reference.resilient import ResilientRun

T = TypeVar("T")

Arrives = Callable[[Attempt, float], None]


class Breakage:
    """Applies the changes that the faults tell, one after the other, and carries messages through it all."""

    def __init__(self, run: ResilientRun) -> None:
        self.run = run
        scenario = run.scenario
        pool = scenario.servers()
        told = [
            fault.changes(pool, scenario.balancers.count, self.streams(number))
            for number, fault in enumerate(scenario.faults)
        ]
        self.changes = merge(*told, key=lambda change: change.time)
        self.exhausted = False
        self.applied = 0
        """Changes so far."""
        self.cut: dict[tuple[int, int], int] = {}
        """Partitions that last, by balancer and server."""
        self.held: dict[tuple[int, int], list[tuple[Attempt, Arrives]]] = {}
        """Messages that are under way in a partition."""
        self.expect()

    def streams(self, fault: int) -> Callable[[int], Generator]:
        """Give the streams of a fault."""
        return lambda index: self.run.stream(Stream.FAULTS, (fault << 32) + index)

    def expect(self) -> None:
        """Put the next change on the clock."""
        change = next(self.changes, None)
        self.exhausted = change is None
        if change is not None:
            number = max(change.server, 0)
            self.run.clock.at(change.time, Kind.FAULT, number, lambda event: self.on_change(change, event))

    def on_change(self, change: Change, event: Happening) -> None:
        """A fault begins or ends; nothing more breaks once all requests have their end."""
        if self.run.idle(event.time):
            return
        self.applied += 1
        self.apply(change, event.time)
        self.expect()

    def apply(self, change: Change, now: float) -> None:
        """Let a change take effect."""
        run, server = self.run, change.server
        kind = EventKind.FAULT_BEGINS if change.begins else EventKind.FAULT_ENDS
        if change.effect is not Effect.INTERRUPT:
            detail = describe(change)
            run.note(now, kind, server, balancer=change.balancer, detail=detail)
        if change.effect is Effect.PARTITION:
            self.partition(change, now)
        elif change.effect is Effect.DRAIN:
            for desk in run.desks:
                desk.drained[server] += 1 if change.begins else -1
                run.follow(desk, server, now)
        elif change.effect is Effect.RELOAD:
            for desk in self.desks_of(change.balancer):
                run.reload(desk, now)
        else:
            self.change_machine(change, now)

    def desks_of(self, balancer: int) -> list[Desk]:
        """Give the desks of a balancer, or of all."""
        return self.run.desks if balancer == EVERY_BALANCER else [self.run.desk(balancer)]

    def change_machine(self, change: Change, now: float) -> None:
        """Let a change to a server take effect."""
        machine = self.run.machines[change.server]
        if change.effect is Effect.CRASH:
            machine.crashes += 1 if change.begins else -1
            if change.begins:
                for desk in self.run.desks:
                    desk.lost(change.server, now)
                for attempt in machine.crash(now):
                    self.run.lose(attempt, now)
        elif change.effect is Effect.SLOW:
            keep(machine.factors, change.value, change.begins)
            machine.change_speed(now)
        elif change.effect is Effect.FAILING:
            keep(machine.failing, (change.value, change.seconds), change.begins)
        elif change.effect is Effect.DELAY:
            keep(machine.delays, change.seconds, change.begins)
            machine.delay = machine.near + sum(machine.delays)
        elif change.effect is Effect.INTERRUPT:
            machine.interrupt_after(change.seconds, change.value, now)

    def partition(self, change: Change, now: float) -> None:
        """Cut a balancer off from a server, or let through what has been held."""
        count = self.run.scenario.balancers.count
        numbers = range(count) if change.balancer == EVERY_BALANCER else [change.balancer]
        for balancer in numbers:
            link = balancer, change.server
            self.cut[link] = self.cut.get(link, 0) + (1 if change.begins else -1)
            if self.cut[link] == 0:
                del self.cut[link]
                for attempt, arrives in self.held.pop(link, []):
                    self.carry(attempt, now, arrives)

    def is_cut(self, balancer: int, server: int) -> bool:
        """Tell whether nothing gets through between a balancer and a server."""
        return bool(self.cut) and (balancer, server) in self.cut

    def refuses(self, attempt: Attempt) -> bool:
        """Tell whether an attempt's server refuses connections and can be reached."""
        crashed = self.run.machines[attempt.server].crashes > 0
        return crashed and not self.is_cut(attempt.call.balancer, attempt.server)

    def carry(self, attempt: Attempt, now: float, arrives: Arrives) -> None:
        """Carry an attempt to its server, or what is told about it back, and call `arrives` there."""
        if self.cut and (link := (attempt.call.balancer, attempt.server)) in self.cut:
            self.held.setdefault(link, []).append((attempt, arrives))
            return
        delay = self.run.machines[attempt.server].delay
        if not delay:
            arrives(attempt, now)
            return
        kind = Kind.ANSWER if arrives == self.run.on_reply else Kind.REACH
        self.run.clock.at(
            now + delay, kind, attempt.number, lambda event: self.on_carried(attempt, event, arrives)
        )

    def on_carried(self, attempt: Attempt, event: Happening, arrives: Arrives) -> None:
        """A message comes out of the network, unless a partition has come between."""
        if self.cut and (link := (attempt.call.balancer, attempt.server)) in self.cut:
            self.held.setdefault(link, []).append((attempt, arrives))
        else:
            arrives(attempt, event.time)


def keep(those: list[T], one: T, begins: bool) -> None:
    """Add what begins, take away what ends."""
    if begins:
        those.append(one)
    else:
        those.remove(one)


def describe(change: Change) -> str:
    """Say what a change is, such as `slow 0.3` or `hang`."""
    if change.effect is Effect.SLOW and change.value == 0:
        return "hang"
    name = change.effect.name.lower()
    return f"{name} {change.value:g}" if change.effect in (Effect.SLOW, Effect.FAILING) else name
