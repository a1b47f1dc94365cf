"""Event by event, as the reference engine does it: the way that runs every scenario in which nothing fails.

The functions are plain Python that Numba compiles, with the strategy's own functions in the place of
`pick`, `taken`, `ended` and `answered`. Events of one instant happen in the order of the reference
engine's `Kind`, so that both engines do the same arithmetic in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from workbench.simulate.engines.compiled.agenda import KIND_SHIFT, put, put_in_place_of_next, take_next
from workbench.simulate.engines.compiled.borrowing import borrow, index
from workbench.simulate.engines.compiled.drawing import turn_to
from workbench.simulate.engines.compiled.level_sets import pick_fewest, settle, settle_all
from workbench.simulate.engines.compiled.sharing import is_due, join, leave, plan
from workbench.simulate.engines.compiled.state import Count, Ints, Run, Sum
from workbench.simulate.engines.reference.clock import Kind
from workbench.simulate.strategies import View
from workbench.tables import Outcome

ONE_VIEW = False
"""Whether there is one view; set for each kernel, as are the next ones."""
ONE_BALANCER = False
HAS_KEYS = False
"""Whether requests carry keys."""
CLOSED = False
"""Whether users wait and think."""
KNOWS_DEMAND = False
"""Whether the strategy is told the work at each server."""
SHARING = False
"""Whether requests share a server, or several."""
SORTED = False
"""Whether servers are kept in sets by level, from which the pick is taken."""

MORE, OVER, WRONG_PICK = range(3)
"""Why a kernel has stopped: it needs more of the workload, all is over, or a pick was wrong."""

ARRIVED, THOUGHT, EVENTS, IN_SYSTEM = (int(place) for place in list(Count)[:4])
BEGUN, WRONG, LAST, KNOWN, BASE, DRAWING, USERS = (int(place) for place in list(Count)[4:])
AREA, CHANGED, UNTIL, REFRESH_EVERY = (int(place) for place in Sum)
FINISH, ANSWER, REFRESH, REACH, ARRIVE = (
    int(kind) << KIND_SHIFT for kind in (Kind.FINISH, Kind.ANSWER, Kind.REFRESH, Kind.REACH, Kind.ARRIVE)
)
NUMBERS = (1 << KIND_SHIFT) - 1
OK, REFUSED, NO_HEALTHY_SERVER = int(Outcome.OK), int(Outcome.REFUSED), int(Outcome.NO_HEALTHY_SERVER)


def pick(view: View, rng: Generator) -> int:
    """Stand where the strategy's own function is put."""
    return -1


def taken(view: View, server: int) -> None:
    """Stand where the strategy's own function is put; some have none."""


def ended(view: View, server: int, seconds: float) -> None:
    """Stand where the strategy's own function is put; some have none."""


def answered(view: View, server: int, seconds: float) -> None:
    """Stand where the strategy's own function is put; some have none."""


def view_at(views: Any, row: int, in_flight: Any) -> View:
    """Give one balancer's view, with what it counts as in flight."""
    return View(
        views.usable[row],
        views.in_service[row],
        views.weight[row],
        views.ramp[row],
        in_flight,
        views.free_at[row],
        views.now[row],
        views.key[row],
        views.demand[row],
        views.tries[row],
        views.avoid[row],
        views.fails_allowed[row],
        views.ints[row],
        views.floats[row],
    )


def advance(run: Run, rng: Generator) -> int:
    """Let events happen until more of the workload is needed, or until there are none.

    It is one function, for what is passed between compiled functions is passed array by array, and
    that would make compiling five times as long. What an event leads to follows below it in the loop:
    a request that reaches a server, one that is sent back, an attempt that ends, an answer.
    """
    run, rng = borrow(run), borrow(rng)
    counts, sums, agenda, pool, window = run.counts, run.sums, run.agenda, run.pool, run.window
    arrival, demand, balancer_of, server_of = window.arrival, window.demand, window.balancer, window.server
    free, waiting, delay, in_flight, limit = pool.free, pool.waiting, pool.delay, pool.in_flight, pool.limit
    view = view_at(run.views, 0, run.views.in_flight[0])
    known, last, base = counts[KNOWN], counts[LAST] == 1, counts[BASE]
    size, area, changed, in_system = counts[EVENTS], sums[AREA], sums[CHANGED], counts[IN_SYSTEM]
    arrived, thought, drawing = counts[ARRIVED], counts[THOUGHT], counts[DRAWING]
    state, balancer = OVER, 0
    while True:
        if CLOSED and counts[BEGUN] < counts[USERS]:
            if thought == known and not last:
                state = MORE
                break
            if thought < known and window.think[index(thought - base)] <= sums[UNTIL]:
                size = put(agenda, size, window.think[index(thought - base)], ARRIVE | counts[BEGUN])
            thought = min(thought + 1, known)
            counts[BEGUN] += 1
            continue
        more = arrived < known
        if not last and (thought == known if CLOSED else not more):
            state = MORE
            break
        if size == 0 and (CLOSED or not more):
            break
        arriving, reaching, returning, ending, answering = False, False, False, False, False
        request = arrived
        if not CLOSED and more and (size == 0 or arrival[index(request - base)] < agenda.time[0]):
            now = arrival[index(request - base)]
            arriving = True
        else:
            now, code = agenda.time[0], agenda.code[0]
            kind, number = code & ~NUMBERS, code & NUMBERS
            if kind == REFRESH:
                row = 0 if ONE_VIEW else number
                learn(run.views, row, in_flight, limit)
                if SORTED:
                    settle_all(run.sets, row, run.views.usable[row], run.views.in_flight[row])
                left = size - 1 + int(not CLOSED and more)
                if left >= len(run.bank):
                    put_in_place_of_next(agenda, size, now + sums[REFRESH_EVERY], code)
                else:
                    size = take_next(agenda, size)
                continue
            if kind == FINISH:
                request = number
                if SHARING and request < base:
                    size = take_next(agenda, size)
                    continue
                server = server_of[index(request - base)]
                if SHARING and pool.shares[server] == 1 and not is_due(pool, server, request, now):
                    size = take_next(agenda, size)
                    continue
                returning = True
                window.finish[index(request - base)] = now
                if SHARING and pool.shares[server] == 1:
                    alone = now - demand[index(request - base)] / pool.speed[server]
                    reached = arrival[index(request - base)] + delay[server]
                    window.begin[index(request - base)] = max(reached, alone)
                    size = take_next(agenda, size)
                    leave(window, pool, base, server, now)
                    if waiting[server] > 0:
                        size = plan(window, pool, agenda, size, base, server, now)
                elif waiting[server] > 0:
                    follower = pool.first[server]
                    waiting[server] -= 1
                    if waiting[server] > 0:
                        pool.first[server] = window.behind[index(follower - base)]
                    window.begin[index(follower - base)] = now
                    time = now + demand[index(follower - base)] / pool.speed[server]
                    put_in_place_of_next(agenda, size, time, FINISH | follower)
                else:
                    free[server] += 1
                    size = take_next(agenda, size)
            else:
                size = take_next(agenda, size)
                if CLOSED and kind == ARRIVE:
                    arriving = True
                    arrival[index(request - base)] = now
                    window.user[index(request - base)] = number
                else:
                    request, reaching, ending = number, kind == REACH, kind == ANSWER
        place = index(request - base)
        if not ONE_BALANCER:
            balancer = balancer_of[place]
        if not ONE_VIEW:
            view = view_at(run.views, balancer, run.views.in_flight[balancer])
        if arriving:
            arrived += 1
            area += in_system * (now - changed)
            changed = now
            in_system += 1
            if not ONE_BALANCER and balancer != drawing:
                turn_to(run.bank, run.numbers, run.left_over, drawing, balancer)
                drawing = balancer
            view.now[0] = now
            if HAS_KEYS:
                view.key[0] = window.key[place]
            view.demand[0] = demand[place]
            row = 0 if ONE_VIEW else balancer
            picked = pick_fewest(run.sets, row, view, rng) if SORTED else pick(view, rng)
            window.begin[place] = np.nan
            window.finish[place] = np.nan
            window.answered[place] = np.nan
            window.queue_depth[place] = -1
            server_of[place] = -1
            window.outcome[place] = OK
            if picked < 0:
                window.outcome[place] = NO_HEALTHY_SERVER
                answering = True
            elif picked >= len(free) or not view.usable[picked]:
                counts[WRONG] = picked
                state = WRONG_PICK
                break
            else:
                server_of[place] = picked
                view.in_flight[picked] += 1
                in_flight[picked] += 1
                if view.in_flight[picked] == limit[picked]:
                    view.usable[picked] = 0
                if SORTED:
                    settle(run.sets, row, picked, view.usable[picked], view.in_flight[picked])
                taken(view, picked)
                reaching = delay[picked] == 0.0
                if not reaching:
                    size = put(agenda, size, now + delay[picked], REACH | request)
        server = server_of[place]
        if reaching:
            queue = waiting[server]
            full = free[server] == 0 and queue >= pool.queue_limit[server]
            if SHARING and pool.shares[server] == 1:
                queue = max(0, queue - free[server])
                full = waiting[server] >= free[server] + pool.queue_limit[server]
            window.queue_depth[place] = queue
            if full:
                window.outcome[place] = REFUSED
                returning = True
            else:
                service = demand[place] / pool.speed[server]
                if KNOWS_DEMAND:
                    slots = run.slots[0 if ONE_VIEW else balancer]
                    own = slots[pool.slots_from[server] : pool.slots_from[server + 1]]
                    view.free_at[server] = take_slot(own, now, service)
                if SHARING and pool.shares[server] == 1:
                    join(window, pool, base, server, request, now)
                    size = plan(window, pool, agenda, size, base, server, now)
                elif free[server] > 0:
                    free[server] -= 1
                    window.begin[place] = now
                    size = put(agenda, size, now + service, FINISH | request)
                else:
                    if queue == 0:
                        pool.first[server] = request
                    else:
                        window.behind[index(pool.final[server] - base)] = request
                    pool.final[server] = request
                    waiting[server] = queue + 1
        if returning:
            ending = delay[server] == 0.0
            if not ending:
                size = put(agenda, size, now + delay[server], ANSWER | request)
        if ending:
            seconds = now - arrival[place]
            view.now[0] = now
            if view.in_flight[server] == limit[server]:
                view.usable[server] = view.in_service[server]
            view.in_flight[server] -= 1
            in_flight[server] -= 1
            if SORTED:
                row = 0 if ONE_VIEW else balancer
                settle(run.sets, row, server, view.usable[server], view.in_flight[server])
            ended(view, server, seconds)
            if window.outcome[place] == OK:
                answered(view, server, seconds)
            answering = True
        if answering:
            window.answered[place] = now
            area += in_system * (now - changed)
            changed = now
            in_system -= 1
            if CLOSED and thought < known:
                time = now + window.think[index(thought - base)]
                thought += 1
                if time <= sums[UNTIL]:
                    size = put(agenda, size, time, ARRIVE | window.user[place])
    counts[EVENTS], sums[AREA], sums[CHANGED], counts[IN_SYSTEM] = size, area, changed, in_system
    counts[ARRIVED], counts[THOUGHT], counts[DRAWING] = arrived, thought, drawing
    return state


def learn(views: Any, row: int, everywhere: Ints, limit: Ints) -> None:
    """Tell a balancer what all have in flight."""
    for server in range(len(everywhere)):
        level = everywhere[server]
        views.in_flight[row, server] = level
        views.usable[row, server] = views.in_service[row, server] if level < limit[server] else 0


def take_slot(slots: Any, now: float, service: float) -> float:
    """Let the slot that is free first take on so much service; gives when the next one is free.

    The slots are a heap.
    """
    free = max(now, slots[0]) + service
    place = 0
    while 2 * place + 1 < len(slots):
        below = 2 * place + 1
        if below + 1 < len(slots) and slots[below + 1] < slots[below]:
            below += 1
        if free <= slots[below]:
            break
        slots[place] = slots[below]
        place = below
    slots[place] = free
    soonest: float = slots[0]
    return soonest
