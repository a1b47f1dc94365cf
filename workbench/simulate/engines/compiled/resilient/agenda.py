"""The event list of runs in which things may fail: a heap of records, ordered as `OrderedClock` orders them.

Several events may have one time, kind and number; then the one that was put there first is first.
"""

from __future__ import annotations

from workbench.simulate.engines.compiled.agenda import KIND_SHIFT
from workbench.simulate.engines.compiled.resilient.world import Count, World

EVENTS, ORDER = int(Count.EVENTS), int(Count.ORDER)
NUMBERS = (1 << KIND_SHIFT) - 1
"""The bits of a code that are the number, and of a load that are an index."""


def put(w: World, time: float, code: int, load: int) -> None:
    """Add an event; there must be room."""
    agenda, place, order = w.agenda, w.counts[EVENTS], w.counts[ORDER]
    while place > 0:
        above = (place - 1) >> 1
        if comes_before(w, above, time, code, order):
            break
        copy(w, above, place)
        place = above
    one = agenda[place]
    one.time = time
    one.code = code
    one.order = order
    one.load = load
    w.counts[EVENTS] += 1
    w.counts[ORDER] += 1


def comes_before(w: World, place: int, time: float, code: int, order: int) -> bool:
    """Tell whether the event at a place comes before another one."""
    one = w.agenda[place]
    if one.time != time:
        return bool(one.time < time)
    if one.code != code:
        return bool(one.code < code)
    return bool(one.order < order)


def copy(w: World, source: int, target: int) -> None:
    """Copy an event to another place."""
    old, new = w.agenda[source], w.agenda[target]
    new.time = old.time
    new.code = old.code
    new.order = old.order
    new.load = old.load


def take_next(w: World) -> None:
    """Take the next event away."""
    agenda, size = w.agenda, w.counts[EVENTS] - 1
    w.counts[EVENTS] = size
    if size == 0:
        return
    final = agenda[size]
    time, code, order, load = final.time, final.code, final.order, final.load
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:
            left = agenda[below]
            if comes_before(w, below + 1, left.time, left.code, left.order):
                below += 1
        if not comes_before(w, below, time, code, order):
            break
        copy(w, below, place)
        place = below
    one = agenda[place]
    one.time = time
    one.code = code
    one.order = order
    one.load = load
