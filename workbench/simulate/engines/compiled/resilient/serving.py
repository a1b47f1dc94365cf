"""Servers and the way there: slots, queues, faults and the network; as `Machine` and `Breakage`.

Plain functions that Numba compiles.
"""

from __future__ import annotations

import math

from workbench.simulate.engines.compiled.events import take_slot
from workbench.simulate.engines.compiled.resilient.agenda import put
from workbench.simulate.engines.compiled.resilient.lists import (
    ERRING,
    SERVING,
    WAITING,
    append,
    at_server,
    held_list,
    remove,
)
from workbench.simulate.engines.compiled.resilient.picking import Rngs, row_of
from workbench.simulate.engines.compiled.resilient.steps import (
    AT_ANSWER,
    AT_FAULT,
    AT_FINISH,
    AT_REACH,
    CAME_BACK,
    CAME_THERE,
    FAILED,
    OVER,
    SERVED,
    STOPPED,
    push,
)
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, UNBOUNDED, Count, Sum, World
from workbench.simulate.pool import GivesUp
from workbench.tables import Outcome

INFINITE = math.inf
NOTHING, ALL = (list(GivesUp).index(one) for one in (GivesUp.NOTHING, GivesUp.ALL))
OK, REFUSED, SERVER_ERROR, UNREACHABLE, ABANDONED = (
    int(one)
    for one in (
        Outcome.OK,
        Outcome.REFUSED,
        Outcome.SERVER_ERROR,
        Outcome.UNREACHABLE,
        Outcome.ABANDONED,
    )
)
CUTS, MOVED = int(Count.CUTS), int(Sum.MOVED)


def is_over(w: World, attempt: int) -> bool:
    """Tell whether the balancer is done with an attempt."""
    return not math.isnan(w.attempts[attempt].ended)


def count(w: World, server: int, now: float) -> None:
    """Bring a server's count of busy slot-seconds up to now."""
    one = w.machines[server]
    worked = now - one.counted
    one.busy_seconds += worked * w.lists[at_server(server, SERVING)].length
    one.counted = now


def admit(w: World, server: int, attempt: int, now: float) -> None:
    """Let a request in: it is served or waits."""
    if w.lists[at_server(server, SERVING)].length < w.machines[server].slots:
        serve(w, server, attempt, now)
    else:
        append(w, at_server(server, WAITING), attempt)


def serve(w: World, server: int, attempt: int, now: float) -> None:
    """A slot begins a request."""
    count(w, server, now)
    one, serving = w.attempts[attempt], at_server(server, SERVING)
    one.begin = now
    one.updated = now
    append(w, serving, attempt)
    plan(w, server, attempt, now)
    if w.lists[serving].length == 1:
        work(w, server, now)


def plan(w: World, server: int, attempt: int, now: float) -> None:
    """Put the end of a service on the agenda, at the speed of now."""
    one, speed = w.attempts[attempt], w.machines[server].speed
    if speed != 0.0:
        one.due = now + one.left / speed
        put(w, one.due, AT_FINISH | attempt, SERVED | attempt)
    else:
        one.due = INFINITE


def leave(w: World, server: int, attempt: int, now: float) -> None:
    """A request gives its slot to the next one."""
    count(w, server, now)
    w.attempts[attempt].finish = now
    remove(w, attempt)
    waiting = w.lists[at_server(server, WAITING)]
    if waiting.length > 0 and not w.machines[server].crashes:
        follower = waiting.first
        remove(w, follower)
        serve(w, server, follower, now)
    if w.lists[at_server(server, SERVING)].length == 0:
        rest(w, server, now)


def give_up(w: World, attempt: int, now: float, leaves_queue: bool) -> None:
    """The other side has closed: drop the request, if that is what its server does."""
    one = w.attempts[attempt]
    server = one.server
    gives_up = w.machines[server].gives_up
    if one.listed == at_server(server, SERVING):
        if gives_up == ALL:
            leave(w, server, attempt, now)
    elif one.listed == at_server(server, WAITING) and (leaves_queue or gives_up != NOTHING):
        remove(w, attempt)


def work(w: World, server: int, now: float) -> None:
    """A server begins to work, or goes on: the next interruption has a time."""
    one = w.machines[server]
    busy = w.lists[at_server(server, SERVING)].length > 0
    if one.interrupted and busy and not one.stopped and one.stops_at == INFINITE:
        one.works_since = now
        one.stops_at = now + one.next_work
        put(w, one.stops_at, AT_FAULT | server, STOPPED | server)


def rest(w: World, server: int, now: float) -> None:
    """A server is idle: what it has worked brings the next interruption nearer."""
    one = w.machines[server]
    if one.stops_at < INFINITE:
        one.next_work -= now - one.works_since
        one.stops_at = INFINITE


def is_cut(w: World, attempt: int) -> bool:
    """Tell whether nothing gets through between an attempt's balancer and its server."""
    if w.counts[CUTS] == 0:
        return False
    one = w.attempts[attempt]
    return bool(w.cut[w.calls[one.call].balancer, one.server] > 0)


def hold(w: World, attempt: int, goes_back: int) -> None:
    """Keep a message until its partition ends."""
    w.attempts[attempt].goes_back = goes_back
    append(w, held_list(w), attempt)


def carry_there(w: World, rngs: Rngs, attempt: int, now: float) -> None:
    """Carry an attempt to its server."""
    if is_cut(w, attempt):
        hold(w, attempt, 0)
        return
    delay = w.machines[w.attempts[attempt].server].delay
    if delay == 0.0:
        reach(w, rngs, attempt, now)
    else:
        put(w, now + delay, AT_REACH | attempt, CAME_THERE | attempt)


def carry_back(w: World, attempt: int, now: float) -> None:
    """Carry what a server tells about an attempt to its balancer."""
    if is_cut(w, attempt):
        hold(w, attempt, 1)
        return
    delay = w.machines[w.attempts[attempt].server].delay
    if delay == 0.0:
        on_reply(w, attempt)
    else:
        put(w, now + delay, AT_ANSWER | attempt, CAME_BACK | attempt)


def on_reply(w: World, attempt: int) -> None:
    """What the server told has come back."""
    if not is_over(w, attempt):
        push(w, OVER, attempt, w.attempts[attempt].told, 0)


def reply(w: World, attempt: int, told: int, now: float) -> None:
    """An answer, a refusal or a broken connection goes back to the balancer."""
    w.attempts[attempt].told = told
    carry_back(w, attempt, now)


def reach(w: World, rngs: Rngs, attempt: int, now: float) -> None:
    """A request comes to its server: it is refused, served or waits."""
    one = w.attempts[attempt]
    server = one.server
    machine = w.machines[server]
    w.sums[MOVED] = now
    if is_over(w, attempt) and (one.outcome == ABANDONED or machine.gives_up != NOTHING):
        return
    if machine.crashes:
        reply(w, attempt, UNREACHABLE, now)
        return
    for fault in range(machine.failing):
        share = w.failing[server, fault, 0]
        if share >= 1.0 or rngs.errors.random() < share:
            append(w, at_server(server, ERRING), attempt)
            put(w, now + w.failing[server, fault, 1], AT_FINISH | attempt, FAILED | attempt)
            return
    waiting = w.lists[at_server(server, WAITING)].length
    one.depth = waiting
    full = w.lists[at_server(server, SERVING)].length >= machine.slots
    if machine.queue_limit != UNBOUNDED and full and waiting >= machine.queue_limit:
        reply(w, attempt, REFUSED, now)
        return
    one.left = w.requests[w.calls[one.call].request].demand
    if w.settings[0].knows_demand and machine.speed != 0.0:
        took_on(w, w.calls[one.call].balancer % len(w.desks), server, now, one.left / machine.speed)
    admit(w, server, attempt, now)


def took_on(w: World, desk: int, server: int, now: float, service: float) -> None:
    """Let a desk learn that a server took on so many seconds of service."""
    own = w.slots[desk, w.slots_from[server] : w.slots_from[server + 1]]
    w.free_at[row_of(w, desk, server), server] = take_slot(own, now, service)


def on_served(w: World, attempt: int, now: float) -> None:
    """A service ends, unless it was broken off or its end has moved meanwhile."""
    one = w.attempts[attempt]
    if one.due == now and one.server != NOWHERE and one.listed == at_server(one.server, SERVING):
        leave(w, one.server, attempt, now)
        reply(w, attempt, OK, now)


def on_failed(w: World, attempt: int, now: float) -> None:
    """A failing server answers, unless it has crashed meanwhile."""
    if w.attempts[attempt].listed == at_server(w.attempts[attempt].server, ERRING):
        remove(w, attempt)
        reply(w, attempt, SERVER_ERROR, now)
