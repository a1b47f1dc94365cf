"""Without an agenda: a server of one slot that serves in order of arrival ends a request at
max(now, when it ends the one before) + service, which is known when the request comes.

It is the way for strategies that are told of no ending, where there is no network delay. The functions
are plain Python that Numba compiles, with the strategy's own in the place of `pick` and `taken`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from workbench.simulate.engines.compiled.borrowing import borrow, index
from workbench.simulate.engines.compiled.drawing import turn_to
from workbench.simulate.engines.compiled.events import (
    ARRIVED,
    BASE,
    DRAWING,
    HAS_KEYS,
    KNOWN,
    KNOWS_DEMAND,
    LAST,
    MORE,
    NO_HEALTHY_SERVER,
    OK,
    ONE_BALANCER,
    ONE_VIEW,
    OVER,
    REFUSED,
    WRONG,
    WRONG_PICK,
    pick,
    taken,
    view_at,
)
from workbench.simulate.engines.compiled.levels import look, make_levels
from workbench.simulate.engines.compiled.state import Run
from workbench.simulate.strategies import View


def view_with_levels(run: Run, row: int) -> View:
    """Give the view that all balancers share; it counts what is at the servers when it is asked."""
    views, window, pool = run.views, run.window, run.pool
    now, first, inside = views.now[row], pool.first, pool.waiting
    make: Any = make_levels
    return view_at(views, row, make(now, window.finish, window.behind, first, inside, run.counts))


def view_without_levels(run: Run, row: int) -> View:
    """Give one of several views, which does not count: its pick never asks."""
    return view_at(run.views, row, None)


view_of = view_with_levels
"""Set for each kernel."""


def advance_queues(run: Run, rng: Generator) -> int:
    """Let the requests arrive that are known."""
    run, rng = borrow(run), borrow(rng)
    counts, pool, window = run.counts, run.pool, run.window
    arrival, finish, server_of = window.arrival, window.finish, window.server
    first, final, inside = pool.first, pool.final, pool.waiting
    view = view_of(run, 0)
    base, drawing, balancer, now = counts[BASE], counts[DRAWING], 0, 0.0
    for request in range(counts[ARRIVED], counts[KNOWN]):
        place = index(request - base)
        now = arrival[place]
        if not ONE_BALANCER:
            balancer = window.balancer[place]
            if not ONE_VIEW:
                view = view_of(run, balancer)
            if balancer != drawing:
                turn_to(run.bank, run.numbers, run.left_over, drawing, balancer)
                drawing = balancer
        view.now[0] = now
        if HAS_KEYS:
            view.key[0] = window.key[place]
        view.demand[0] = window.demand[place]
        server = pick(view, rng)
        if server < 0 or server >= len(first) or not view.usable[server]:
            if server >= 0:
                counts[WRONG] = server
                return WRONG_PICK
            turn_away(window, place, -1, now)
            window.outcome[place] = NO_HEALTHY_SERVER
            window.queue_depth[place] = -1
            continue
        count = look(now, finish, window.behind, first, inside, base, server)
        if count > 0 and count - 1 >= pool.queue_limit[server]:
            inside[server] = count + 1
            taken(view, server)
            inside[server] = count
            turn_away(window, place, server, now)
            window.outcome[place] = REFUSED
            window.queue_depth[place] = count - 1
            continue
        service = window.demand[place] / pool.speed[server]
        begin = now
        if count == 0:
            first[server] = request
            window.queue_depth[place] = 0
        else:
            begin = finish[index(final[server] - base)]
            window.behind[index(final[server] - base)] = request
            window.queue_depth[place] = count - 1
        final[server] = request
        inside[server] = count + 1
        window.begin[place] = begin
        finish[place] = begin + service
        window.answered[place] = begin + service
        window.outcome[place] = OK
        server_of[place] = server
        taken(view, server)
        if KNOWS_DEMAND:
            slots = run.slots[0 if ONE_VIEW else balancer]
            slots[server] = max(now, slots[server]) + service
            view.free_at[server] = slots[server]
    counts[ARRIVED], counts[DRAWING] = counts[KNOWN], drawing
    for server in range(len(first)):
        look(now, finish, window.behind, first, inside, base, server)
    return OVER if counts[LAST] == 1 else MORE


def turn_away(window: Any, place: int, server: int, now: float) -> None:
    """Answer a request at once that no server takes."""
    window.begin[place] = np.nan
    window.finish[place] = np.nan
    window.answered[place] = now
    window.server[place] = server
