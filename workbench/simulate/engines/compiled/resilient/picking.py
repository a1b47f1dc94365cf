"""How a desk picks a server: limits, slow start, groups, and the strategy; as `Desk` of the reference engine.

Plain functions that Numba compiles. The functions of strategies, detectors and the like come as arguments,
so that all scenarios share one kernel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.random import Generator

from workbench.simulate.checks import CheckState
from workbench.simulate.detectors import DetectorState
from workbench.simulate.engines.compiled.drawing import turn_to
from workbench.simulate.engines.compiled.resilient.lists import at_desk
from workbench.simulate.engines.compiled.resilient.steps import WRONG_PICK
from workbench.simulate.engines.compiled.resilient.world import (
    NOWHERE,
    UNBOUNDED,
    Count,
    DeskFloat,
    DeskInt,
    Of,
    PoolInt,
    World,
)
from workbench.simulate.failover import NO_GROUP, GroupState
from workbench.simulate.strategies import View

NONE_HEALTHY, ALL_FULL, WRONG = -1, -2, -3
"""What `choose` gives where there is no server, and where the strategy picked what is none."""
WEIGHT, IN_FLIGHT, UP, TRAFFIC, STANDING, EJECTED, ACTIVE, SERVED, PULLING, ANSWERS, ERRORS, RULED_OUT = (
    int(place) for place in DeskInt
)
RAMP, UNTIL, WARMING, SECONDS = (int(place) for place in DeskFloat)
POOL, SENT, GROUP, FAILS_ALLOWED, LIMIT, LEAST_LIMIT = (int(place) for place in PoolInt)
OF_VIEW, OF_DETECTOR, OF_CHECK, OF_GROUPS = (int(place) for place in Of)
USABLE, IN_SERVICE = 0, 1
NOW, DEMAND = 0, 1
KEY, TRIES, AVOID = 0, 1, 2
HEALTHY, TOTAL, PANIC = 0, 1, 2
DRAWING, DETECTING, REASON, RESULT = (
    int(place) for place in (Count.DRAWING, Count.DETECTING, Count.REASON, Count.RESULT)
)


class Plugs(NamedTuple):
    """The functions of the scenario's strategy, detector, failover and slow start."""

    pick: Any
    taken: Any
    ended: Any
    answered: Any
    failed: Any
    learns: Any
    """The detector's, at the end of an attempt; `picked` when a request is sent."""
    picked: Any
    group: Any
    share: Any


class Rngs(NamedTuple):
    """The generators that the kernel draws from."""

    strategy: Generator
    failover: Generator
    detector: Generator
    clients: Generator
    errors: Generator


def view_of(w: World, desk: int, group: int) -> View:
    """Give the view of a group."""
    row = desk * w.groups.shape[2] + group
    place = w.places[OF_VIEW, row]
    ints: Any = w.ints[place[0] : place[1]]
    floats: Any = w.floats[place[2] : place[3]]
    return View(
        w.view_ints[row, USABLE],
        w.view_ints[row, IN_SERVICE],
        w.desk_ints[desk, WEIGHT],
        w.desk_floats[desk, RAMP],
        w.desk_ints[desk, IN_FLIGHT],
        w.free_at[row],
        w.times[desk, NOW],
        w.keys[desk, KEY],
        w.times[desk, DEMAND],
        w.keys[desk, TRIES],
        w.keys[desk, AVOID],
        w.pool[FAILS_ALLOWED],
        ints,
        floats,
    )


def groups_of(w: World, desk: int) -> GroupState:
    """Give how the groups of a desk stand."""
    place, rows = w.places[OF_GROUPS, desk], w.groups[desk]
    ints: Any = w.ints[place[0] : place[1]]
    floats: Any = w.floats[place[2] : place[3]]
    return GroupState(rows[HEALTHY], rows[TOTAL], rows[PANIC], ints, floats)


def checks_of(w: World, desk: int) -> CheckState:
    """Give what a desk knows from its checks."""
    place = w.places[OF_CHECK, desk]
    ints: Any = w.ints[place[0] : place[1]]
    floats: Any = w.floats[place[2] : place[3]]
    rows = w.desk_ints[desk]
    return CheckState(rows[UP], rows[TRAFFIC], w.times[desk, NOW], ints, floats)


def learnt_of(w: World, desk: int) -> DetectorState:
    """Give what a desk has learnt from answers."""
    place = w.places[OF_DETECTOR, desk]
    ints: Any = w.ints[place[0] : place[1]]
    floats: Any = w.floats[place[2] : place[3]]
    rows, until = w.desk_ints[desk], w.desk_floats[desk, UNTIL]
    return DetectorState(rows[EJECTED], until, rows[ACTIVE], w.times[desk, NOW], ints, floats)


def group_view(w: World, desk: int, server: int) -> View:
    """Give the view of a server's group."""
    return view_of(w, desk, w.pool[GROUP, server])


def row_of(w: World, desk: int, server: int) -> int:
    """Find a server's group of a desk among the rows of views."""
    return int(desk * w.groups.shape[2] + w.pool[GROUP, server])


def choose(w: World, plugs: Plugs, rngs: Rngs, call: int, now: float) -> int:
    """Pick a server for a call; below 0 where there is none."""
    one = w.calls[call]
    balancer, request = one.balancer, w.requests[one.request]
    desk = balancer % len(w.desks)
    if balancer != w.counts[DRAWING]:
        before = w.counts[DRAWING]
        turn_to(w.strategy_bank, w.strategy_numbers, w.strategy_left_over, before, balancer)
        turn_to(w.failover_bank, w.failover_numbers, w.failover_left_over, before, balancer)
        w.counts[DRAWING] = balancer
    w.times[desk, NOW, 0] = now
    w.times[desk, DEMAND, 0] = request.demand
    w.keys[desk, KEY, 0] = request.key
    w.keys[desk, TRIES, 0] = one.tries
    w.keys[desk, AVOID, 0] = w.attempts[one.failed].server if one.failed != NOWHERE else NOWHERE
    if w.desks[desk].warming > 0 and w.settings[0].slow_step == 0.0:
        warm(w, plugs, desk, now)
    if w.settings[0].moving_limits:
        for server in range(len(w.machines)):
            judge(w, desk, server)
    if one.failed == NOWHERE or not w.rules[0].not_again:
        return pick_in_groups(w, plugs, rngs, desk)
    failed = one.failed
    while failed != NOWHERE:
        server = w.attempts[failed].server
        w.view_ints[row_of(w, desk, server), USABLE, server] = 0
        w.desk_ints[desk, RULED_OUT, server] = 1
        failed = w.attempts[failed].failed_before
    chosen = pick_in_groups(w, plugs, rngs, desk)
    failed = one.failed
    while failed != NOWHERE:
        server = w.attempts[failed].server
        w.desk_ints[desk, RULED_OUT, server] = 0
        judge(w, desk, server)
        failed = w.attempts[failed].failed_before
    if chosen == NONE_HEALTHY and w.rules[0].again_at_last:
        return pick_in_groups(w, plugs, rngs, desk)
    return chosen


def pick_in_groups(w: World, plugs: Plugs, rngs: Rngs, desk: int) -> int:
    """Let the strategy pick in the group that the rule of failover names, and in further ones."""
    servers, state = len(w.machines), groups_of(w, desk)
    group = plugs.group(state, NO_GROUP, rngs.failover)
    while group != NO_GROUP:
        view = view_of(w, desk, group)
        server = plugs.pick(view, rngs.strategy)
        if server >= 0:
            allowed = view.in_service if w.settings[0].waits_at_server else view.usable
            if server < servers and allowed[server]:
                return int(server)
            w.counts[RESULT] = server
            w.counts[REASON] = WRONG_PICK
            return WRONG
        group = plugs.group(state, group, rngs.failover)
    for group in range(w.groups.shape[2]):
        view = view_of(w, desk, group)
        for server in range(servers):
            full = view.in_service[server] and not view.usable[server]
            if full and not w.desk_ints[desk, RULED_OUT, server]:
                return ALL_FULL
    return NONE_HEALTHY


def warm(w: World, plugs: Plugs, desk: int, now: float) -> None:
    """Bring the servers in slow start to the share that they have now."""
    for server in range(len(w.machines)):
        began = w.desk_floats[desk, WARMING, server]
        if began >= 0.0:
            since = now - began
            w.desk_floats[desk, RAMP, server] = plugs.share(w.slow, since)
            if since >= w.settings[0].slow_lasts:
                w.desk_floats[desk, WARMING, server] = -1.0
                w.desks[desk].warming -= 1
                w.desk_floats[desk, RAMP, server] = 1.0


def limit_of(w: World, desk: int, server: int) -> int:
    """Give the most that may be in flight at a server now."""
    most = w.pool[LIMIT, server]
    if most == UNBOUNDED:
        return int(most)
    least, calls, full_load = w.pool[LEAST_LIMIT, server], w.desks[desk].calls, w.desks[desk].full_load
    if least > 0 and calls < full_load:
        most = max(least, calls * most // full_load)
    began = w.desk_floats[desk, WARMING, server]
    if began >= 0.0:
        done = int(100 * (w.times[desk, NOW, 0] - began) / w.settings[0].slow_lasts)
        most = max(1, most * done // 100)
    return int(most)


def is_full(w: World, desk: int, server: int) -> bool:
    """Tell whether a server can be sent nothing more now."""
    if w.settings[0].never_full:
        return False
    if w.settings[0].has_queue and w.lists[at_desk(w, desk, server)].length > 0:
        return True
    return bool(w.desk_ints[desk, SERVED, server] >= limit_of(w, desk, server))


def judge(w: World, desk: int, server: int) -> None:
    """Work out anew whether a server may be picked."""
    row = row_of(w, desk, server)
    usable = w.view_ints[row, IN_SERVICE, server]
    if usable and not w.settings[0].never_full and is_full(w, desk, server):
        usable = 0
    w.view_ints[row, USABLE, server] = usable


def breaks(w: World, desk: int, server: int) -> bool:
    """Tell whether the circuit breaker refuses a request to a server."""
    if not w.settings[0].breaks:
        return False
    group, total = w.pool[GROUP, server], 0
    for other in range(len(w.machines)):
        if w.pool[GROUP, other] == group:
            total += w.desk_ints[desk, IN_FLIGHT, other]
    return bool(total >= w.settings[0].max_requests)


def takes_common(w: World, desk: int, server: int) -> bool:
    """Tell whether a server takes requests from the queue of all servers."""
    group = w.pool[GROUP, server]
    first = group
    for other in range(w.groups.shape[2]):
        if w.groups[desk, HEALTHY, other]:
            first = other
            break
    row = row_of(w, desk, server)
    return bool(w.view_ints[row, IN_SERVICE, server]) and group == first


def count_in(w: World, plugs: Plugs, desk: int, server: int) -> None:
    """Count a request as in flight at a server, or waiting for it."""
    w.desk_ints[desk, IN_FLIGHT, server] += 1
    w.pool[POOL, server] += 1
    if w.settings[0].has_taken:
        plugs.taken(group_view(w, desk, server), server)


def count_out(w: World, desk: int, server: int) -> None:
    """Count a request no longer as in flight."""
    w.desk_ints[desk, IN_FLIGHT, server] -= 1
    w.pool[POOL, server] -= 1
