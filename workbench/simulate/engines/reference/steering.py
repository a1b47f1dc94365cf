"""Orders to a run: what changes about its balancers, servers and arrivals from an instant on."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from heapq import heapify, heapreplace

from pydantic import ValidationError

from workbench.errors import InputError
from workbench.simulate.balancers import Balancers
from workbench.simulate.checks import NO_ANSWER, PASSED, CheckState, HealthCheck
from workbench.simulate.engines.reference.attempts import NOWHERE
from workbench.simulate.engines.reference.desk import Desk
from workbench.simulate.engines.reference.steered import SteeredRun
from workbench.simulate.engines.reference.waiting_room import WaitingRoom
from workbench.simulate.faults import Change, Effect
from workbench.simulate.strategies import Strategy
from workbench.tables import EventKind

_MOST_CHECKS = 10_000
"""Checks in a row that a product may ask for before it changes its mind."""


class Steering:
    """Takes orders for a run; each takes effect at the instant that it is given.

    Args:
        run: the run, between two events.
    """

    def __init__(self, run: SteeredRun) -> None:
        self.run = run
        self.strategy = run.scenario.balancers.strategy
        """The strategy that picks now."""
        self.rate = 1.0
        """How many times as fast requests come as the scenario says."""
        self.drained: set[int] = set()
        """Servers that are to get nothing new; those in maintenance are among them."""
        self.killed: set[int] = set()
        self.slowed: dict[int, float] = {}
        """How many times longer a server takes for its work, for those that were made slow."""

    def note(self, now: float, server: int | None, detail: str) -> None:
        """Write down that an order was given."""
        self.run.note(now, EventKind.COMMAND, NOWHERE if server is None else server, detail=detail)

    def usable(
        self,
        *,
        strategy: Strategy | None = None,
        weights: Mapping[int, int] | None = None,
        without: Collection[int] = (),
    ) -> list[int]:
        """List the servers that some balancer may send to and that work.

        Args:
            strategy: that picks; the present one by default.
            weights: of servers that are to have others than now.
            without: servers that are left out.
        """
        picks, wanted = strategy or self.strategy, weights or {}
        return [
            server
            for server, machine in enumerate(self.run.machines)
            if server not in without
            and not machine.crashes
            and any(
                (wanted.get(server, desk.weight[server]) > 0 or picks.serves_weight_zero)
                and desk.checks.up[server]
                and not desk.drained[server]
                for desk in self.run.desks
            )
        ]

    def use_strategy(self, strategy: Strategy, now: float) -> None:
        """Let all balancers pick by another strategy, which begins with what is in flight now."""
        self.strategy = strategy
        self.run.knows_demand = strategy.knows_demand
        for desk in self.run.desks:
            desk.strategy, desk.kind = strategy, type(strategy)
            self._bring_queue(desk, strategy)
            self._begin_picking(desk, now)

    def set_weight(self, server: int, weight: int, now: float) -> None:
        """Give a server another weight on all balancers."""
        run = self.run
        servers = run.desks[0].servers
        before = self._memories()
        servers.weight[server] = weight
        changed = self._memories() != before
        for desk in run.desks:
            desk.servers.weight[server] = desk.weight[server] = weight
            if desk.reweighing is not None:
                desk.reweighing.configured[server] = weight
            for group, members in enumerate(desk.members):
                desk.groups.total[group] = sum(desk.weight[one] > 0 for one in members)
            if (update := type(desk.failover).update) is not None:
                update(desk.groups)
            run.follow(desk, server, now)
            if changed:
                self._begin_picking(desk, now)
            for one in range(servers.count):
                desk.serve_or_not(one)

    def drain(self, server: int, now: float) -> None:
        """Send a server nothing new; what it has it serves."""
        if server not in self.drained:
            self.drained.add(server)
            self._change(Effect.DRAIN, server, now)

    def maintain(self, server: int, now: float) -> None:
        """Send a server nothing new, and do not check it either."""
        self.run.unchecked.add(server)
        self.drain(server, now)

    def kill(self, server: int, now: float) -> None:
        """Let a server crash: it loses what it has and refuses connections until it is made ready."""
        if server not in self.killed:
            self.killed.add(server)
            self._change(Effect.CRASH, server, now)

    def slow(self, server: int, factor: float, now: float) -> None:
        """Let a server take `factor` times as long for its work; 1 is its own speed."""
        if (before := self.slowed.pop(server, None)) is not None:
            self._change(Effect.SLOW, server, now, begins=False, value=1 / before)
        if factor != 1:
            self.slowed[server] = factor
            self._change(Effect.SLOW, server, now, value=1 / factor)

    def make_ready(self, server: int, now: float) -> None:
        """Take back all orders about a server's state: it runs, at its own speed, and takes traffic."""
        if server in self.killed:
            self.killed.discard(server)
            self._change(Effect.CRASH, server, now, begins=False)
        self.slow(server, 1.0, now)
        if server in self.run.unchecked:
            self.run.unchecked.discard(server)
            for monitor in self.run.monitors:
                if monitor.settings.checks is not None and monitor.due[server] == math.inf:
                    monitor.check_at(server, now)
        if server in self.drained:
            self.drained.discard(server)
            self._change(Effect.DRAIN, server, now, begins=False)

    def set_rate(self, rate: float, now: float) -> None:
        """Let requests come `rate` times as fast as the scenario says, from now on."""
        self.rate = rate
        self.run.stretched.stretch(rate, now)

    def set_checks(self, checks: HealthCheck, now: float) -> None:
        """Check servers in another way; who is up stays so, and what was counted in a row begins anew.

        Raises:
            InputError: they do not fit the pool or the detector.
        """
        settings = self._with_checks(checks)
        for desk, monitor in zip(self.run.desks, self.run.monitors, strict=True):
            fresh = monitor.settings.checks is None
            starts = checks.starts(desk.servers, monitor.rng) if fresh else []
            desk.settings = monitor.settings = settings
            desk.checks = _carried_on(checks, desk)
            for server, due in enumerate(monitor.due):
                if server in self.run.unchecked:
                    continue
                if fresh:
                    monitor.check_at(server, now + starts[server])
                elif due < math.inf:  # else a check is under way, and what follows it is as the new ones say
                    pause = type(checks).pause(desk.checks, server, monitor.rng)
                    monitor.check_at(server, min(due, now + pause))

    def _with_checks(self, checks: HealthCheck) -> Balancers:
        balancers = self.run.scenario.balancers
        try:
            settings = type(balancers).model_validate(
                {**balancers.model_dump(mode="json"), "checks": checks.model_dump(mode="json")}
            )
            settings.check_pool(self.run.desks[0].servers)
        except ValidationError as error:
            said = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
            raise InputError(f"checks: given {checks.kind}; allowed: {said}") from None
        return settings

    def _change(
        self, effect: Effect, server: int, now: float, *, begins: bool = True, value: float = 0.0
    ) -> None:
        self.run.breakage.apply(Change(now, begins, effect, server, value=value), now)

    def _memories(self) -> list[object]:
        """Give what a fresh balancer would remember in each group, tables of weights included."""
        desk = self.run.desks[0]
        return [self._group_memory(desk, members) for members in desk.members]

    def _group_memory(self, desk: Desk, members: list[int]) -> object:
        inside = set(members)
        weight = [one if place in inside else 0 for place, one in enumerate(desk.servers.weight)]
        return self.strategy.memory(replace(desk.servers, weight=weight), desk.keys)

    def _bring_queue(self, desk: Desk, strategy: Strategy) -> None:
        """Give a balancer the queue that comes with a product; one that is there stays."""
        settings = desk.settings.model_copy(update={"strategy": strategy})
        if desk.room is None and settings.queues is not None:
            desk.room = WaitingRoom(settings.queues, desk.servers.count)
            desk.never_full = False

    def _begin_picking(self, desk: Desk, now: float) -> None:
        """Start a desk's strategy afresh, in a pool that is not empty."""
        allowed = [view.fails_allowed for view in desk.views]
        desk.views = [
            desk.fresh_view(members, list(most)) for members, most in zip(desk.members, allowed, strict=True)
        ]
        if desk.strategy.knows_demand:
            self._know_demand(desk, now)
        for server in range(desk.servers.count):
            desk.serve_or_not(server)
        self._take_again(desk)
        for server in range(desk.servers.count):
            self.run.follow(desk, server, now)
            self.run.pull(desk, server, now)

    def _take_again(self, desk: Desk) -> None:
        """Let the strategy see each request that is in flight as if it were sent now."""
        taken = desk.kind.taken
        if taken is None:
            return
        levels = list(desk.in_flight)
        desk.in_flight[:] = [0] * len(levels)
        for server, level in enumerate(levels):
            view = desk.views[desk.group_of[server]]
            for _ in range(level):
                desk.in_flight[server] += 1
                taken(view, server)

    def _know_demand(self, desk: Desk, now: float) -> None:
        """Tell a strategy that knows demand when each server's slots will be free."""
        for server, machine in enumerate(self.run.machines):
            slots = [attempt.due for attempt in machine.serving] + [now] * machine.free
            heapify(slots)
            for attempt in machine.waiting:
                heapreplace(slots, slots[0] + (attempt.left / machine.speed if machine.speed else math.inf))
            desk.slots[server] = slots
            desk.views[desk.group_of[server]].free_at[server] = slots[0]


def _carried_on(checks: HealthCheck, desk: Desk) -> CheckState:
    """Give what checks know that begin with servers up and down as they stand."""
    memory = checks.memory(desk.servers)
    before = desk.checks
    up = [int(checks.starts_up)] * desk.servers.count
    state = CheckState(up, before.traffic, before.now, memory.ints, memory.floats)
    for server, stands in enumerate(before.up):
        for _ in range(_MOST_CHECKS):
            if up[server] == stands:
                break
            type(checks).checked(state, server, PASSED if stands else NO_ANSWER)
    return state
