"""From a pick to the server, through the desk's queue where there is one; and what is learnt at the end.

As `ResilientRun`, `Desk` and `WaitingRoom` of the reference engine. Plain functions that Numba compiles.
"""

from __future__ import annotations

import math

from workbench.simulate.engines.compiled.drawing import turn_to
from workbench.simulate.engines.compiled.resilient.agenda import put
from workbench.simulate.engines.compiled.resilient.budgets import lose, regain, speaks_against
from workbench.simulate.engines.compiled.resilient.lists import append, at_desk, remove
from workbench.simulate.engines.compiled.resilient.picking import (
    ANSWERS,
    DETECTING,
    ERRORS,
    NOW,
    PULLING,
    REASON,
    RESULT,
    SECONDS,
    SENT,
    SERVED,
    TRAFFIC,
    WRONG,
    Plugs,
    Rngs,
    breaks,
    checks_of,
    choose,
    count_in,
    count_out,
    group_view,
    is_full,
    judge,
    learnt_of,
    limit_of,
    takes_common,
)
from workbench.simulate.engines.compiled.resilient.serving import (
    INFINITE,
    OK,
    REFUSED,
    UNREACHABLE,
    carry_there,
    is_cut,
)
from workbench.simulate.engines.compiled.resilient.steps import (
    AFTER_END,
    AT_ANSWER,
    AT_TIMER,
    FOLLOW,
    LEARNT,
    OVER,
    PULL_MORE,
    QUEUE_TIMEOUT,
    REPLIED,
    TRY_TIMEOUT,
    push,
)
from workbench.simulate.engines.compiled.resilient.steps import SENT as SENT_STEP
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.tables import Outcome

NO_HEALTHY_SERVER = int(Outcome.NO_HEALTHY_SERVER)
ATTEMPTS, DESK, SERVER, MOVED = int(Count.ATTEMPTS), int(Count.DESK), int(Count.SERVER), int(Sum.MOVED)
NOTHING = 0
"""What a detector says that has changed nothing."""


def new_attempt(w: World, call: int, now: float) -> int:
    """Begin a further attempt for a call."""
    attempt = int(w.counts[ATTEMPTS])
    w.counts[ATTEMPTS] += 1
    one = w.attempts[attempt]
    one.came = now
    one.sent = one.begin = one.finish = one.ended = math.nan
    one.left = one.updated = 0.0
    one.due = INFINITE
    one.queued = NOWHERE
    one.call = call
    one.server = one.depth = NOWHERE
    one.ahead = one.behind = one.listed = one.failed_before = NOWHERE
    one.epoch = 0
    one.outcome = one.told = one.goes_back = OK
    w.calls[call].attempt = attempt
    return attempt


def send(w: World, plugs: Plugs, rngs: Rngs, call: int, now: float) -> None:
    """A balancer picks a server for a call."""
    attempt = new_attempt(w, call, now)
    server = choose(w, plugs, rngs, call, now)
    if server != WRONG:
        place(w, plugs, rngs, attempt, server, now)


def place(w: World, plugs: Plugs, rngs: Rngs, attempt: int, server: int, now: float) -> None:
    """Send an attempt to the server that was picked, or let it wait."""
    desk = w.calls[w.attempts[attempt].call].balancer % len(w.desks)
    if server >= 0 and breaks(w, desk, server):
        push(w, OVER, attempt, REFUSED, 0)
    elif server >= 0 and not is_full(w, desk, server):
        dispatch(w, plugs, rngs, desk, attempt, server, now, False)
    elif w.settings[0].has_queue and server != NOWHERE:
        waits_for = max(server, NOWHERE)
        queue = w.lists[at_desk(w, desk, waits_for)]
        if queue.length >= w.settings[0].queue_limit:
            push(w, OVER, attempt, REFUSED, 0)
            return
        one = w.attempts[attempt]
        one.server = waits_for
        one.queued = w.desks[desk].order
        w.desks[desk].order += 1
        w.desks[desk].waiting += 1
        append(w, at_desk(w, desk, waits_for), attempt)
        if waits_for >= 0:
            count_in(w, plugs, desk, waits_for)
            judge(w, desk, waits_for)
        if w.settings[0].queue_timeout < INFINITE:
            put(w, now + w.settings[0].queue_timeout, AT_TIMER | attempt, QUEUE_TIMEOUT | attempt)
    else:
        push(w, OVER, attempt, NO_HEALTHY_SERVER, 0)


def leave_queue(w: World, plugs: Plugs, attempt: int) -> None:
    """Take an attempt out of its balancer's queue."""
    one = w.attempts[attempt]
    desk = w.calls[one.call].balancer % len(w.desks)
    take_out(w, desk, attempt)
    if one.server >= 0:
        count_out(w, desk, one.server)
        if w.settings[0].has_ended and not w.settings[0].has_answered:
            plugs.ended(group_view(w, desk, one.server), int(one.server), 0.0)
        judge(w, desk, one.server)


def take_out(w: World, desk: int, attempt: int) -> None:
    """Take an attempt out of the list in which it waits at a desk."""
    remove(w, attempt)
    w.attempts[attempt].queued = NOWHERE
    w.desks[desk].waiting -= 1


def dispatch(
    w: World,
    plugs: Plugs,
    rngs: Rngs,
    desk: int,
    attempt: int,
    server: int,
    now: float,
    counted: bool,
) -> None:
    """Send an attempt to a server; `counted` says that it was counted when it began to wait."""
    one = w.attempts[attempt]
    one.server = server
    w.times[desk, NOW, 0] = now
    one.sent = now
    one.epoch = w.desks[desk].epoch
    w.desk_ints[desk, SERVED, server] += 1
    w.pool[SENT, server] += 1
    w.desk_ints[desk, TRAFFIC, server] += 1
    judge(w, desk, server)
    if not counted:
        count_in(w, plugs, desk, server)
    judge(w, desk, server)
    if w.settings[0].picks_matter:
        w.times[desk, NOW, 0] = now
        if plugs.picked(learnt_of(w, desk), server) != NOTHING:
            push(w, SENT_STEP, attempt, 0, 0)
            stop(w, FOLLOW, desk, server, NOTHING)
            return
    on_sent(w, rngs, attempt, now)


def stop(w: World, reason: int, desk: int, server: int, result: int) -> None:
    """Let the control code act before anything else happens."""
    w.counts[REASON] = reason
    w.counts[DESK] = desk
    w.counts[SERVER] = server
    w.counts[RESULT] = result


def on_sent(w: World, rngs: Rngs, attempt: int, now: float) -> None:
    """An attempt is on its way."""
    one = w.attempts[attempt]
    timeout = w.rules[0].try_timeout
    if timeout < INFINITE:
        put(w, now + timeout, AT_TIMER | attempt, TRY_TIMEOUT | attempt)
    refused_after = w.settings[0].refused_after
    if refused_after >= 0.0 and w.machines[one.server].crashes > 0 and not is_cut(w, attempt):
        one.told = UNREACHABLE
        put(w, now + refused_after, AT_ANSWER | attempt, REPLIED | attempt)
    else:
        carry_there(w, rngs, attempt, now)


def over(w: World, plugs: Plugs, rngs: Rngs, attempt: int, outcome: int, now: float) -> None:
    """A balancer is done with an attempt: it learns, lets others in, and then `conclude`s."""
    one = w.attempts[attempt]
    w.sums[MOVED] = now
    one.ended = now
    one.outcome = outcome
    push(w, AFTER_END, attempt, 0, 0)
    if math.isnan(one.sent):
        return
    desk, server = w.calls[one.call].balancer % len(w.desks), int(one.server)
    if not end(w, plugs, desk, attempt, outcome, now) or not w.settings[0].answers_matter:
        return
    w.times[desk, NOW, 0] = now
    if desk != w.counts[DETECTING]:
        before = w.counts[DETECTING]
        turn_to(w.detector_bank, w.detector_numbers, w.detector_left_over, before, desk)
        w.counts[DETECTING] = desk
    result = plugs.learns(
        learnt_of(w, desk), checks_of(w, desk), server, outcome, now - one.sent, rngs.detector
    )
    if result != NOTHING:
        stop(w, LEARNT, desk, server, result)


def end(w: World, plugs: Plugs, desk: int, attempt: int, outcome: int, now: float) -> bool:
    """Count an attempt out and let the strategy learn from it; False where a reload has come between."""
    one = w.attempts[attempt]
    server = int(one.server)
    w.times[desk, NOW, 0] = now
    w.pool[SENT, server] -= 1
    if one.epoch != w.desks[desk].epoch:
        w.pool[0, server] -= 1
        return False
    w.desk_ints[desk, SERVED, server] -= 1
    count_out(w, desk, server)
    judge(w, desk, server)
    seconds, settings, view = now - one.sent, w.settings[0], group_view(w, desk, server)
    if settings.has_ended:
        plugs.ended(view, server, seconds)
    good = outcome == OK
    bad = not good and speaks_against(w, outcome)
    if good:
        regain(w, desk)
        if settings.has_answered:
            plugs.answered(view, server, seconds)
    elif bad:
        lose(w, desk)
        if settings.has_failed:
            plugs.failed(view, server)
    if settings.reweighs:
        if good:
            w.desk_ints[desk, ANSWERS, server] += 1
            w.desk_floats[desk, SECONDS, server] += seconds
        elif bad:
            w.desk_ints[desk, ERRORS, server] += 1
    return True


def pull(w: World, desk: int, server: int) -> None:
    """Let a server with room take the requests that wait for it at a desk."""
    if w.settings[0].has_queue and not w.desk_ints[desk, PULLING, server]:
        w.desk_ints[desk, PULLING, server] = 1
        push(w, PULL_MORE, desk, server, 0)


def pull_more(w: World, plugs: Plugs, rngs: Rngs, desk: int, server: int, now: float) -> None:
    """Let a server take one more request."""
    has_room = w.desk_ints[desk, SERVED, server] < limit_of(w, desk, server)
    attempt = NOWHERE
    if has_room and w.desks[desk].waiting > 0:
        attempt = next_for(w, desk, server)
    if attempt == NOWHERE:
        w.desk_ints[desk, PULLING, server] = 0
        return
    push(w, PULL_MORE, desk, server, 0)
    take_out(w, desk, attempt)
    dispatch(w, plugs, rngs, desk, attempt, server, now, w.attempts[attempt].server >= 0)


def next_for(w: World, desk: int, server: int) -> int:
    """Find the request that a server with room serves next; -1 where there is none."""
    own = int(w.lists[at_desk(w, desk, server)].first)
    common = int(w.lists[at_desk(w, desk, NOWHERE)].first)
    if not takes_common(w, desk, server):
        return own
    if min(own, common) == NOWHERE:
        return max(own, common)
    return own if w.attempts[own].queued < w.attempts[common].queued else common
