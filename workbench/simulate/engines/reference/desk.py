"""What a balancer knows and decides where things fail: health, groups, limits, weights and queues.

Balancers with a shared view sit at one desk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from heapq import heapreplace
from typing import NamedTuple

from numpy.random import Generator

from workbench.simulate.balancers import Balancers
from workbench.simulate.checks import CheckState
from workbench.simulate.detectors import DetectorState
from workbench.simulate.engines.reference.attempts import NOWHERE, Attempt, Call
from workbench.simulate.engines.reference.balancer import ask
from workbench.simulate.engines.reference.budget import RetryBudget
from workbench.simulate.engines.reference.waiting_room import WaitingRoom
from workbench.simulate.failover import NO_GROUP, GroupState
from workbench.simulate.pool import Servers
from workbench.simulate.retries import RetryRules
from workbench.simulate.strategies import Memory, View
from workbench.simulate.weights import WeightState
from workbench.tables import Outcome

NONE_HEALTHY, ALL_FULL = -1, -2
"""What `choose` returns where there is no server."""

ERRORS = frozenset({Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.RESET})
"""Outcomes of an attempt that always speak against the server; others do where they are retried."""


class Rngs(NamedTuple):
    """A balancer's streams."""

    strategy: Generator
    failover: Generator


class Desk:
    """One desk. Lists have one entry a server where nothing else is said."""

    def __init__(
        self,
        number: int,
        settings: Balancers,
        servers: Servers,
        keys: Sequence[str],
        *,
        pool: list[int],
        rules: RetryRules,
        sent: list[int] | None = None,
    ) -> None:
        self.number = number
        self.settings = settings
        self.servers = servers
        self.keys = keys
        self.pool = pool
        """In flight from all desks together."""
        self.sent = [0] * servers.count if sent is None else sent
        """The same without those that wait in queues of the desks."""
        self.rules = rules
        self.strategy = settings.strategy
        self.kind = type(settings.strategy)
        self.budget = RetryBudget(rules.budget)
        self.pulling: set[int] = set()
        """Servers that are just taking requests out of the queues."""
        self.room = None if settings.queues is None else WaitingRoom(settings.queues, servers.count)
        self.failover = settings.holding_failover()
        self.detector = settings.holding_detector()
        self.members = self.failover.groups(servers)
        self.group_of = [0] * servers.count
        for group, members in enumerate(self.members):
            for server in members:
                self.group_of[server] = group
        zones = settings.zone
        self.zone = zones[number % len(zones)] if zones else ""
        self.drained = [0] * servers.count
        """Orders to send nothing new there that hold."""
        self.epoch = -1
        self.calls = 0
        """Requests at the balancer, waiting ones included."""
        queue = settings.queues
        asked = None if queue is None else queue.full_load
        self.full_load = asked or sum(limit or 0 for limit in servers.limit) or 1
        slow = settings.slow_start
        self.slow_numbers = [] if slow is None else slow.numbers()
        limited = any(limit is not None for limit in servers.limit)
        growing = any(least is not None for least in servers.least_limit)
        self.moving_limits = growing or (limited and slow is not None)
        self.never_full = not limited and self.room is None
        self.start()

    def start(self) -> None:
        """Begin to work, knowing nothing: at the start of the run, and after each reload."""
        servers, count = self.servers, self.servers.count
        self.epoch += 1
        self.weight = list(servers.weight)
        self.slots = [[0.0] * slots for slots in servers.slots]
        """For each server a heap of the times at which its slots will be free."""
        self.ramp = [1.0] * count
        self.warming: dict[int, float] = {}
        """Servers in slow start, and since when."""
        self.in_flight = [0] * count
        self.served = [0] * count
        """In flight, without those that wait in a queue of the desk."""
        self.now, self.key, self.demand, self.tries, self.avoid = [0.0], [0], [0.0], [0], [NOWHERE]
        self.checks = self.fresh_checks()
        self.standing = [int(self.may_take(server)) for server in range(count)]
        """1 where a server is healthy and takes traffic, panic left out."""
        allowed = self.detector.fails_allowed(servers)
        self.views = [self.fresh_view(members, allowed) for members in self.members]
        self.learnt = self.fresh_detector()
        self.groups = self.fresh_groups()
        self.reweighing = self.fresh_weights()

    def fresh_view(self, members: list[int], allowed: list[int]) -> View:
        """Give the view of a group; what all groups share is one and the same list."""
        servers, inside = self.servers, set(members)
        weight = [weight if one in inside else 0 for one, weight in enumerate(servers.weight)]
        memory = self.strategy.memory(replace(servers, weight=weight), self.keys)
        in_service = [int(one in inside and self.standing[one] > 0) for one in range(servers.count)]
        return View(
            usable=list(in_service),
            in_service=in_service,
            weight=self.weight,
            ramp=self.ramp,
            in_flight=self.in_flight,
            free_at=[0.0] * servers.count,
            now=self.now,
            key=self.key,
            demand=self.demand,
            tries=self.tries,
            avoid=self.avoid,
            fails_allowed=allowed,
            ints=memory.ints,
            floats=memory.floats,
        )

    def fresh_checks(self) -> CheckState:
        """Give what checks know at first."""
        checks, count = self.settings.checks, self.servers.count
        memory = Memory([], []) if checks is None else checks.memory(self.servers)
        up = int(checks is None or checks.starts_up)
        return CheckState([up] * count, [0] * count, self.now, memory.ints, memory.floats)

    def fresh_detector(self) -> DetectorState:
        """Give what the detector knows at first: nothing."""
        memory, count = self.detector.memory(self.servers), self.servers.count
        return DetectorState(
            ejected=[0] * count,
            until=[math.inf] * count,
            active=list(self.standing),
            now=self.now,
            ints=memory.ints,
            floats=memory.floats,
        )

    def fresh_groups(self) -> GroupState:
        """Count the servers of each group."""
        memory = self.failover.memory(self.servers, self.zone)
        state = GroupState(
            healthy=[sum(self.standing[server] for server in members) for members in self.members],
            total=[sum(self.servers.weight[server] > 0 for server in members) for members in self.members],
            panic=[0] * len(self.members),
            ints=memory.ints,
            floats=memory.floats,
        )
        if (update := type(self.failover).update) is not None:
            update(state)
        return state

    def fresh_weights(self) -> WeightState | None:
        """Give what the rule of weights knows at first."""
        rule, count = self.settings.weights, self.servers.count
        if rule is None:
            return None
        memory = rule.memory(self.servers)
        return WeightState(
            weight=self.weight,
            configured=list(self.servers.weight),
            in_flight=self.in_flight,
            answers=[0] * count,
            errors=[0] * count,
            seconds=[0.0] * count,
            busy=[0.0] * count,
            queue=[0] * count,
            now=self.now,
            period=[0.0],
            ints=memory.ints,
            floats=memory.floats,
        )

    def choose(self, call: Call, now: float, rngs: Rngs, *, key: int, demand: float) -> int:
        """Pick a server for a call; NONE_HEALTHY or ALL_FULL where there is none.

        Raises:
            SimulationError: the strategy failed, or returned what is no server that may be picked.
        """
        self.now[0], self.key[0], self.demand[0] = now, key, demand
        self.tries[0] = call.tries
        self.avoid[0] = call.failed_at[-1] if call.failed_at else NOWHERE
        if self.warming:
            self.warm(now)
        if self.moving_limits:
            for server in range(self.servers.count):
                self.judge(server)
        ruled_out = call.failed_at if self.rules.not_again else ()
        for server in ruled_out:
            self.views[self.group_of[server]].usable[server] = 0
        chosen = self.pick(rngs, ruled_out)
        for server in ruled_out:
            self.judge(server)
        if chosen == NONE_HEALTHY and ruled_out and self.rules.again_at_last:
            return self.pick(rngs, ())
        return chosen

    def pick(self, rngs: Rngs, ruled_out: Sequence[int]) -> int:
        """Let the strategy pick in the group that the rule of failover names, and in further ones."""
        group = NO_GROUP
        while (group := type(self.failover).choose(self.groups, group, rngs.failover)) != NO_GROUP:
            view = self.views[group]
            server = self.asked(view, rngs.strategy)
            if server >= 0:
                return server
        full = any(
            view.in_service[server] and not view.usable[server] and server not in ruled_out
            for view in self.views
            for server in range(self.servers.count)
        )
        return ALL_FULL if full else NONE_HEALTHY

    def asked(self, view: View, rng: Generator) -> int:
        """Ask the strategy, and check its answer."""
        allowed = view.in_service if self.strategy.waits_at_server else view.usable
        return ask(self.strategy, view, rng, allowed)

    def limit(self, server: int) -> float:
        """Give the most that may be in flight at a server now."""
        most = self.servers.limit[server]
        if most is None:
            return math.inf
        least = self.servers.least_limit[server]
        if least is not None and self.calls < self.full_load:
            most = max(least, self.calls * most // self.full_load)
        if server in self.warming and self.settings.slow_start is not None:
            done = int(100 * (self.now[0] - self.warming[server]) / self.settings.slow_start.lasts)
            most = max(1, most * done // 100)
        return most

    def is_full(self, server: int) -> bool:
        """Tell whether a server can be sent nothing more now."""
        if self.never_full:
            return False
        waits = self.room is not None and bool(self.room.own[server])
        return waits or self.served[server] >= self.limit(server)

    def judge(self, server: int) -> None:
        """Work out anew whether a server may be picked."""
        view = self.views[self.group_of[server]]
        if self.never_full:
            view.usable[server] = view.in_service[server]
        else:
            view.usable[server] = int(view.in_service[server] and not self.is_full(server))

    def breaks(self, server: int) -> bool:
        """Tell whether the circuit breaker refuses a request to a server."""
        breaker = self.settings.breaker
        if breaker is None:
            return False
        members = self.members[self.group_of[server]]
        return sum(self.in_flight[one] for one in members) >= breaker.max_requests

    def count_in(self, server: int) -> None:
        """Count a request as in flight at a server, or waiting for it."""
        self.in_flight[server] += 1
        self.pool[server] += 1
        if self.kind.taken is not None:
            self.kind.taken(self.views[self.group_of[server]], server)

    def count_out(self, server: int) -> None:
        """Count a request no longer as in flight."""
        self.in_flight[server] -= 1
        self.pool[server] -= 1

    def unqueue(self, server: int) -> None:
        """A request no longer waits for a server."""
        self.count_out(server)
        if self.kind.ended is not None and self.kind.answered is None:
            self.kind.ended(self.views[self.group_of[server]], server, 0.0)

    def begin(self, attempt: Attempt, now: float) -> None:
        """An attempt is sent to its server."""
        self.now[0] = now
        attempt.sent, attempt.epoch = now, self.epoch
        self.served[attempt.server] += 1
        self.sent[attempt.server] += 1
        self.checks.traffic[attempt.server] += 1
        self.judge(attempt.server)

    def end(self, attempt: Attempt, now: float) -> None:
        """An attempt that was sent is over: count it out and let the strategy learn from it."""
        self.now[0] = now
        server = attempt.server
        self.sent[server] -= 1
        if attempt.epoch != self.epoch:
            self.pool[server] -= 1
            return
        self.served[server] -= 1
        self.count_out(server)
        self.judge(server)
        seconds, view = now - attempt.sent, self.views[self.group_of[server]]
        if self.kind.ended is not None:
            self.kind.ended(view, server, seconds)
        if attempt.outcome is Outcome.OK:
            self.budget.regain()
            if self.kind.answered is not None:
                self.kind.answered(view, server, seconds)
        elif self.blames(attempt.outcome):
            self.budget.lose()
            if self.kind.failed is not None:
                self.kind.failed(view, server)
        if self.reweighing is not None:
            self.note_for_weights(self.reweighing, attempt, seconds)

    def blames(self, outcome: Outcome) -> bool:
        """Tell whether an outcome speaks against the server."""
        return outcome in ERRORS or outcome in self.rules.on

    def note_for_weights(self, state: WeightState, attempt: Attempt, seconds: float) -> None:
        """Let the rule of weights know of an answer."""
        if attempt.outcome is Outcome.OK:
            state.answers[attempt.server] += 1
            state.seconds[attempt.server] += seconds
        elif self.blames(attempt.outcome):
            state.errors[attempt.server] += 1

    def took_on(self, server: int, now: float, service: float) -> None:
        """Learn that a server took on so many seconds of service; for strategies that know demand."""
        slots = self.slots[server]
        heapreplace(slots, max(now, slots[0]) + service)
        self.views[self.group_of[server]].free_at[server] = slots[0]

    def lost(self, server: int, now: float) -> None:
        """Learn that a server has lost all its work; for strategies that know demand."""
        self.slots[server] = [now] * self.servers.slots[server]
        self.views[self.group_of[server]].free_at[server] = now

    def refresh(self) -> None:
        """Learn what all desks have in flight."""
        for server, level in enumerate(self.pool):
            self.in_flight[server] = level
            self.served[server] = self.sent[server]
            self.judge(server)

    def warm(self, now: float) -> None:
        """Bring the servers in slow start to the share that they have now, where it is looked at always."""
        rule = self.settings.slow_start
        if rule is None or rule.step:
            return
        for server in list(self.warming):
            self.set_ramp(server, now)

    def set_ramp(self, server: int, now: float) -> None:
        """Set a server's share of its weight in slow start."""
        rule = self.settings.slow_start
        if rule is None or server not in self.warming:
            return
        since = now - self.warming[server]
        self.ramp[server] = type(rule).share(self.slow_numbers, since)
        if since >= rule.lasts:
            del self.warming[server]
            self.ramp[server] = 1.0

    def stands(self, server: int) -> bool:
        """Tell whether a server is healthy and takes traffic, panic left out."""
        return self.may_take(server) and not self.learnt.ejected[server]

    def may_take(self, server: int) -> bool:
        """Tell whether a server has a weight, passes its checks and is not drained."""
        return (
            (self.weight[server] > 0 or self.strategy.serves_weight_zero)
            and self.checks.up[server] > 0
            and not self.drained[server]
        )

    def reassess(self, server: int, now: float) -> int:
        """Follow what has changed about a server: 1 if it came back into service, -1 if it went, else 0."""
        self.now[0] = now
        stands = int(self.stands(server))
        self.learnt.active[server] = int(self.checks.up[server] > 0 and not self.drained[server])
        change = stands - self.standing[server]
        if change == 0:
            return 0
        self.standing[server] = stands
        group = self.group_of[server]
        self.groups.healthy[group] += change
        panic = list(self.groups.panic)
        if (update := type(self.failover).update) is not None:
            update(self.groups)
        self.warming.pop(server, None)
        self.ramp[server] = 1.0
        if change > 0 and self.settings.slow_start is not None and now > 0.0:
            self.warming[server] = now
            self.set_ramp(server, now)
        for other, members in enumerate(self.members):
            if self.groups.panic[other] != panic[other]:
                for member in members:
                    self.serve_or_not(member)
        self.serve_or_not(server)
        return change

    def serve_or_not(self, server: int) -> None:
        """Put a server into service or out of it, as its standing and its group's panic say."""
        group = self.group_of[server]
        takes = self.standing[server] or (self.groups.panic[group] and self.weight[server] > 0)
        self.views[group].in_service[server] = int(bool(takes))
        self.judge(server)

    def takes_common(self, server: int) -> bool:
        """Tell whether a server takes requests from the queue of all servers."""
        group = self.group_of[server]
        first = next((one for one, healthy in enumerate(self.groups.healthy) if healthy), group)
        return bool(self.views[group].in_service[server]) and group == first
