"""Servers whose requests share them equally, by virtual time: the reference engine's `SharingServer`.

What is at a server is a pairing heap of its requests by the virtual time at which they end, linked in
arrays of the window, so that no server needs room of its own. The end of the next one is on the agenda.
An arrival or a departure moves it, which puts another event there; the old one is no longer `due` when
its time comes, and is dropped. So that these do not pile up, all are dropped where the agenda is half full.
"""

from __future__ import annotations

from typing import Any

from workbench.simulate.engines.compiled.agenda import KIND_SHIFT, put
from workbench.simulate.engines.compiled.borrowing import index
from workbench.simulate.engines.reference.clock import Kind

FINISH = int(Kind.FINISH) << KIND_SHIFT
NUMBERS = (1 << KIND_SHIFT) - 1
NOBODY = -1


def join(window: Any, pool: Any, base: int, server: int, request: int, now: float) -> None:
    """Let a request in at a server."""
    count = pool.waiting[server]
    if count > 0:
        pool.virtual[server] += (now - pool.updated[server]) * rate(pool, server)
    pool.updated[server] = now
    place = index(request - base)
    window.tag[place] = pool.virtual[server] + window.demand[place]
    window.child[place] = NOBODY
    window.behind[place] = NOBODY
    pool.first[server] = request if count == 0 else meld(window, base, pool.first[server], request)
    pool.waiting[server] = count + 1


def leave(window: Any, pool: Any, base: int, server: int, now: float) -> None:
    """Let the request go that ends now."""
    place = index(pool.first[server] - base)
    pool.virtual[server] = window.tag[place]
    pool.updated[server] = now
    pool.waiting[server] -= 1
    if pool.waiting[server] == 0:
        pool.virtual[server] = 0.0
        pool.due[server] = -1.0
    else:
        pool.first[server] = without_first(window, base, window.child[place])


def plan(window: Any, pool: Any, agenda: Any, size: int, base: int, server: int, now: float) -> int:
    """Put the next end at a server on the agenda; gives the agenda's new size."""
    request = pool.first[server]
    left = max(0.0, window.tag[index(request - base)] - pool.virtual[server])
    pool.due[server] = now + left / rate(pool, server)
    if 2 * size >= len(agenda.time):
        size = drop_moved(window, pool, agenda, size, base)
    return put(agenda, size, pool.due[server], FINISH | request)


def is_due(pool: Any, server: int, request: int, now: float) -> bool:
    """Tell whether a request ends now; else its end has moved meanwhile."""
    due: bool = pool.due[server] == now and pool.first[server] == request
    return due


def rate(pool: Any, server: int) -> float:
    """Seconds of demand that each request at a server is served a second."""
    count = pool.waiting[server]
    slots = pool.slots_from[server + 1] - pool.slots_from[server]
    speed: float = pool.speed[server]
    return speed if count <= slots else speed * (slots / count)


def meld(window: Any, base: int, one: int, other: int) -> int:
    """Make one heap of two; gives its first request."""
    first, second = index(one - base), index(other - base)
    mine, its = window.tag[first], window.tag[second]
    if its < mine or (its == mine and other < one):
        one, other, first, second = other, one, second, first
    window.behind[second] = window.child[first]
    window.child[first] = other
    return one


def without_first(window: Any, base: int, child: int) -> int:
    """Make one heap of the children of a request that leaves: by pairs, then from the last pair on."""
    paired = NOBODY
    while child != NOBODY:
        after = window.behind[index(child - base)]
        rest = NOBODY
        window.behind[index(child - base)] = NOBODY
        pair = child
        if after != NOBODY:
            rest = window.behind[index(after - base)]
            window.behind[index(after - base)] = NOBODY
            pair = meld(window, base, child, after)
        window.behind[index(pair - base)] = paired
        paired = pair
        child = rest
    whole = paired
    paired = window.behind[index(whole - base)]
    window.behind[index(whole - base)] = NOBODY
    while paired != NOBODY:
        after = window.behind[index(paired - base)]
        window.behind[index(paired - base)] = NOBODY
        whole = meld(window, base, whole, paired)
        paired = after
    return whole


def drop_moved(window: Any, pool: Any, agenda: Any, size: int, base: int) -> int:
    """Take the ends that have moved off the agenda; gives its new size."""
    kept = 0
    for place in range(size):
        time, code = agenda.time[place], agenda.code[place]
        keep = True
        if code <= FINISH | NUMBERS:
            request = code & NUMBERS
            # A request that has gone is before the window, or has ended.
            keep = request >= base
            if keep:
                server = window.server[index(request - base)]
                keep = not pool.shares[server] or is_due(pool, server, request, time)
        if keep:
            kept = put(agenda, kept, time, code)
    return kept
