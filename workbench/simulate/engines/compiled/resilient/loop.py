"""The event loop of runs in which things may fail, compiled by Numba once for all scenarios.

It does what becomes of requests and stops where the control code of the reference engine is to act: at
faults, checks and other events that come by themselves, and where a detector has found something. What
was left to do at that instant stays on the stack, and the kernel goes on with it afterwards.
"""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from workbench.simulate.engines.compiled.borrowing import borrow
from workbench.simulate.engines.compiled.resilient.agenda import EVENTS, NUMBERS, put, take_next
from workbench.simulate.engines.compiled.resilient.clients import (
    CALLS,
    KNOWN,
    THINKING,
    THOUGHT,
    arrive,
    ask,
    begin_to_think,
    close_next,
    conclude,
    finish,
    finished,
    on_again,
    on_patience,
    on_timeout,
    other_balancer,
    try_failed,
)
from workbench.simulate.engines.compiled.resilient.keeping import HALF, keep
from workbench.simulate.engines.compiled.resilient.picking import WRONG, Plugs, Rngs, choose
from workbench.simulate.engines.compiled.resilient.sending import (
    ATTEMPTS,
    leave_queue,
    on_sent,
    over,
    place,
    pull,
    pull_more,
    stop,
)
from workbench.simulate.engines.compiled.resilient.serving import (
    carry_back,
    carry_there,
    give_up,
    hold,
    is_cut,
    is_over,
    on_failed,
    on_reply,
    on_served,
    reach,
    reply,
)
from workbench.simulate.engines.compiled.resilient.steps import (
    AFTER_END,
    AGAIN,
    ASK_AGAIN,
    CALL_TIMEOUT,
    CAME_BACK,
    CAME_THERE,
    CARRY,
    CLOSE_ALL,
    CONCLUDE,
    CONTROL,
    CONTROLLED,
    DEADLINE,
    DEPTH,
    DONE,
    FAILED,
    FINISH,
    FINISHED,
    HEDGE,
    MORE,
    OVER,
    PATIENCE,
    PLACE_ANEW,
    PULL,
    PULL_MORE,
    QUEUE_TIMEOUT,
    REPLIED,
    REPLY,
    ROOM,
    SEND,
    SENT,
    SERVED,
    STOP,
    STOPPED,
    TRY_FAILED,
    TRY_TIMEOUT,
    push,
)
from workbench.simulate.engines.compiled.resilient.tables import world_at
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.tables import Outcome

ARRIVED, LAST, BEGUN, REASON = (
    int(place) for place in (Count.ARRIVED, Count.LAST, Count.BEGUN, Count.REASON)
)
NOW = int(Sum.NOW)
TIMEOUT = int(Outcome.TIMEOUT)
SPARE = 64
"""Room that one step or event may need in any array."""
TOP = -1
"""Instead of a depth of the stack: go on with the next event, too."""


def tell(
    address: int,
    strategy_rng: Generator,
    failover_rng: Generator,
    detector_rng: Generator,
    client_rng: Generator,
    error_rng: Generator,
    pick: Any,
    taken: Any,
    ended: Any,
    answered: Any,
    failed: Any,
    learns: Any,
    picked: Any,
    group: Any,
    share: Any,
) -> None:
    """Tell the kernel once of generators and functions, to be kept at an address."""
    rngs = Rngs(strategy_rng, failover_rng, detector_rng, client_rng, error_rng)
    keep(address, borrow(rngs))
    keep(address + HALF, Plugs(pick, taken, ended, answered, failed, learns, picked, group, share))


def find_rngs(address: int) -> Any:
    """Stand where the function is put that finds the generators at an address."""


def find_plugs(address: int) -> Any:
    """Stand where the function is put that finds the functions at an address."""


def put_event(table: int, time: float, code: int, load: int) -> None:
    """Put an event of the control code on the agenda; there must be room."""
    find: Any = world_at
    put(find(table), time, code, load)


def advance(table: int, kept: int, down_to: int) -> int:
    """Do what is on the stack above a depth, or let events happen; give why it stops."""
    find: Any = world_at
    w: World = find(table)
    rngs, plugs = find_rngs(kept), find_plugs(kept + HALF)
    counts = w.counts
    while True:
        if counts[REASON] != DONE:
            reason = counts[REASON]
            counts[REASON] = DONE
            return int(reason)
        if is_short_of_room(w):
            return ROOM
        if counts[DEPTH] > max(down_to, 0):
            depth = counts[DEPTH] - 1
            what = w.stack[depth, 0]
            if what == FINISHED and w.settings[0].closed and lacks_thought(w):
                return MORE
            counts[DEPTH] = depth
            about, first, second = w.stack[depth, 1], w.stack[depth, 2], w.stack[depth, 3]
            do(w, plugs, rngs, what, about, first, second, w.sums[NOW])
        elif down_to != TOP:
            return DONE
        elif w.settings[0].closed:
            if counts[BEGUN] < w.settings[0].users:
                if lacks_thought(w):
                    return MORE
                begin_to_think(w, counts[BEGUN], 0.0)
                counts[BEGUN] += 1
            elif counts[EVENTS] == 0:
                return DONE
            else:
                next_event(w, plugs, rngs)
        elif counts[LAST] == 0 and counts[ARRIVED] + 1 >= counts[KNOWN]:
            return MORE
        elif counts[ARRIVED] < counts[KNOWN]:
            time = w.requests[counts[ARRIVED]].arrival
            if counts[EVENTS] == 0 or time < w.agenda[0].time:
                request = counts[ARRIVED]
                counts[ARRIVED] += 1
                w.sums[NOW] = time
                arrive(w, plugs, rngs, request, time)
            else:
                next_event(w, plugs, rngs)
        elif counts[EVENTS] == 0:
            return DONE
        else:
            next_event(w, plugs, rngs)


def lacks_thought(w: World) -> bool:
    """Tell whether the next think time must be taken from the workload first."""
    return bool(w.counts[THOUGHT] >= w.counts[KNOWN] and w.counts[LAST] == 0)


def is_short_of_room(w: World) -> bool:
    """Tell whether an array might become full in the next step."""
    counts = w.counts
    short = counts[EVENTS] + SPARE > len(w.agenda) or counts[DEPTH] + SPARE > len(w.stack)
    short = short or counts[ATTEMPTS] + SPARE > len(w.attempts) or counts[CALLS] + SPARE > len(w.calls)
    if w.booked.shape[1] > 0 and not short:
        for budget in range(len(w.budgets)):
            short = short or w.budgets[budget].count + SPARE > w.booked.shape[1]
    return bool(short)


def do(
    w: World, plugs: Plugs, rngs: Rngs, what: int, about: int, first: int, second: int, now: float
) -> None:
    """Do a step."""
    if what == OVER:
        over(w, plugs, rngs, about, first, now)
    elif what == AFTER_END:
        push(w, CONCLUDE, about, 0, 0)
        one = w.attempts[about]
        if one.sent == one.sent:
            pull(w, w.calls[one.call].balancer % len(w.desks), int(one.server))
    elif what == CONCLUDE:
        conclude(w, rngs, about, now)
    elif what == PULL:
        pull(w, about, first)
    elif what == PULL_MORE:
        pull_more(w, plugs, rngs, about, first, now)
    elif what == FINISH:
        finish(w, about, first)
    elif what == FINISHED:
        finished(w, about, first, now)
    elif what == CLOSE_ALL:
        close_next(w, plugs, about, first, second, now)
    elif what == TRY_FAILED:
        try_failed(w, rngs, about, first, now)
    elif what == SENT:
        on_sent(w, rngs, about, now)
    elif what == REPLY:
        reply(w, about, first, now)
    elif what == CARRY and first == 0:
        carry_there(w, rngs, about, now)
    elif what == CARRY:
        carry_back(w, about, now)
    elif what == PLACE_ANEW and not is_over(w, about):
        server = choose(w, plugs, rngs, int(w.attempts[about].call), now)
        if server != WRONG:
            place(w, plugs, rngs, about, server, now)


def next_event(w: World, plugs: Plugs, rngs: Rngs) -> None:
    """Let the next event happen."""
    event = w.agenda[0]
    now, what, about, number = event.time, event.load & ~NUMBERS, event.load & NUMBERS, event.code & NUMBERS
    take_next(w)
    w.sums[NOW] = now
    if what == SERVED:
        on_served(w, about, now)
    elif what == CAME_THERE:
        if is_cut(w, about):
            hold(w, about, 0)
        else:
            reach(w, rngs, about, now)
    elif what == CAME_BACK:
        if is_cut(w, about):
            hold(w, about, 1)
        else:
            on_reply(w, about)
    elif what == REPLIED:
        on_reply(w, about)
    elif what == FAILED:
        on_failed(w, about, now)
    elif what == CONTROLLED:
        stop(w, CONTROL, number, about, 0)
    elif what == STOPPED:
        stop(w, STOP, 0, about, 0)
    elif what == SEND:
        request = w.counts[ARRIVED]
        w.counts[ARRIVED] += 1
        w.counts[THINKING] -= 1
        w.requests[request].arrival = now
        w.requests[request].user = about
        arrive(w, plugs, rngs, request, now)
    else:
        on_timer(w, plugs, rngs, what, about, now)


def on_timer(w: World, plugs: Plugs, rngs: Rngs, what: int, about: int, now: float) -> None:
    """Something has lasted too long, or is made again."""
    if what == TRY_TIMEOUT:
        if not is_over(w, about):
            give_up(w, about, now, False)
            push(w, OVER, about, TIMEOUT, 0)
    elif what == QUEUE_TIMEOUT:
        if w.attempts[about].queued != NOWHERE and not is_over(w, about):
            leave_queue(w, plugs, about)
            push(w, OVER, about, TIMEOUT, 0)
    elif what == CALL_TIMEOUT:
        on_timeout(w, plugs, about, now)
    elif what == DEADLINE:
        finish(w, about, TIMEOUT)
    elif what == PATIENCE:
        on_patience(w, about)
    elif what == AGAIN:
        on_again(w, plugs, rngs, about, now)
    elif w.requests[about].asking:
        balancer = other_balancer(w, rngs, about)
        if what == ASK_AGAIN:
            w.requests[about].tries -= 1
        ask(w, plugs, rngs, about, balancer, now, int(what == HEDGE))
