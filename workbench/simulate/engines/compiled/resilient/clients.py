"""Clients: their tries, what follows a failed one, hedges, deadlines and answers; as `ResilientRun`.

Plain functions that Numba compiles.
"""

from __future__ import annotations

import math

from workbench.simulate.engines.compiled.resilient.agenda import put
from workbench.simulate.engines.compiled.resilient.budgets import (
    allows,
    earn,
    lose,
    regain,
    retries,
    speaks_against,
    wait_before,
)
from workbench.simulate.engines.compiled.resilient.picking import STANDING, Plugs, Rngs
from workbench.simulate.engines.compiled.resilient.sending import (
    leave_queue,
    new_attempt,
    place,
    send,
)
from workbench.simulate.engines.compiled.resilient.serving import (
    ABANDONED,
    INFINITE,
    OK,
    give_up,
    is_over,
)
from workbench.simulate.engines.compiled.resilient.steps import (
    AGAIN,
    ASK_AGAIN,
    AT_AGAIN,
    AT_ARRIVE,
    AT_TIMER,
    CALL_TIMEOUT,
    CLOSE_ALL,
    DEADLINE,
    FINISH,
    FINISHED,
    HEDGE,
    OVER,
    PATIENCE,
    SEND,
    TRY_FAILED,
    push,
)
from workbench.simulate.engines.compiled.resilient.world import NOWHERE, Count, Sum, World
from workbench.tables import Outcome

TIMEOUT, CANCELLED = int(Outcome.TIMEOUT), int(Outcome.CANCELLED)
CALLS, ASKING, IN_SYSTEM = int(Count.CALLS), int(Count.ASKING), int(Count.IN_SYSTEM)
KNOWN, THOUGHT, THINKING = int(Count.KNOWN), int(Count.THOUGHT), int(Count.THINKING)
AREA, CHANGED = int(Sum.AREA), int(Sum.CHANGED)
LEAVES_QUEUE = 1


def arrive(w: World, plugs: Plugs, rngs: Rngs, request: int, now: float) -> None:
    """A client sends a request."""
    w.sums[AREA] += w.counts[IN_SYSTEM] * (now - w.sums[CHANGED])
    w.sums[CHANGED] = now
    w.counts[IN_SYSTEM] += 1
    w.counts[ASKING] += 1
    one, settings = w.requests[request], w.settings[0]
    one.answered = math.nan
    one.calls = one.tries = 0
    one.first_call = one.last = one.final = NOWHERE
    one.outcome = OK
    one.asking = 1
    one.retrying = 0
    earn(w, len(w.budgets) - 1, now)
    later(w, now + settings.deadline, AT_TIMER | request, DEADLINE | request)
    if settings.patient:
        later(w, now + one.patience, AT_TIMER | request, PATIENCE | request)
    for hedge in range(settings.hedges):
        later(w, now + (hedge + 1) * settings.hedge_after, AT_TIMER | request, HEDGE | request)
    ask(w, plugs, rngs, request, one.balancer, now, 0)


def later(w: World, time: float, code: int, load: int) -> None:
    """Put an event on the agenda, unless it would never come."""
    if time < INFINITE:
        put(w, time, code, load)


def ask(w: World, plugs: Plugs, rngs: Rngs, request: int, balancer: int, now: float, hedge: int) -> None:
    """A client's try reaches a balancer."""
    asking = w.requests[request]
    asking.tries += 1 - hedge
    call = int(w.counts[CALLS])
    w.counts[CALLS] += 1
    one = w.calls[call]
    one.request = request
    one.balancer = balancer
    one.number = asking.calls
    one.first = now
    one.tries = 0
    one.attempt = one.failed = one.next = one.again = NOWHERE
    one.retrying = one.rank = 0
    one.open = 1
    asking.calls += 1
    if asking.first_call == NOWHERE:
        asking.first_call = call
    else:
        w.calls[last_call(w, request)].next = call
    desk = balancer % len(w.desks)
    w.desks[desk].calls += 1
    earn(w, desk, now)
    if w.settings[0].timeout < INFINITE:
        put(w, now + w.settings[0].timeout, AT_TIMER | request, CALL_TIMEOUT | call)
    send(w, plugs, rngs, call, now)


def last_call(w: World, request: int) -> int:
    """Find the last of a request's open calls; there must be one."""
    call = w.requests[request].first_call
    while w.calls[call].next != NOWHERE:
        call = w.calls[call].next
    return int(call)


def other_balancer(w: World, rngs: Rngs, request: int) -> int:
    """Give the balancer that a further try comes to."""
    count = w.settings[0].balancers
    if count == 1:
        return int(w.requests[request].balancer)
    return int(rngs.clients.random() * count)


def try_failed(w: World, rngs: Rngs, call: int, outcome: int, now: float) -> None:
    """A client's try has come to nothing: it tries again, waits for its hedges, or gives up."""
    request = int(w.calls[call].request)
    asking, rules, budget = w.requests[request], w.rules[1], len(w.budgets) - 1
    if not asking.asking:
        return
    lose(w, budget)
    wait = wait_before(w, 1, asking.tries, rngs.clients)
    again = asking.tries < rules.most and retries(w, 1, outcome)
    again = again and now + wait - asking.arrival <= rules.within
    if again:
        w.budgets[budget].retrying -= asking.retrying
        asking.retrying = int(allows(w, budget, w.counts[ASKING], now))
        w.budgets[budget].retrying += asking.retrying
        again = asking.retrying == 1
    if again:
        asking.tries += 1
        later(w, now + wait, AT_AGAIN | request, ASK_AGAIN | request)
    elif asking.first_call == NOWHERE:
        finish(w, request, outcome)


def finish(w: World, request: int, outcome: int) -> None:
    """A request has its end; what is still under way for it is no longer wanted."""
    one = w.requests[request]
    if not one.asking:
        return
    one.asking = 0
    w.counts[ASKING] -= 1
    push(w, FINISHED, request, outcome, 0)
    if one.first_call != NOWHERE:
        if outcome != OK:
            one.last = w.calls[last_call(w, request)].attempt
        close_all(w, request, CANCELLED, 0)


def finished(w: World, request: int, outcome: int, now: float) -> None:
    """The client of a request has its answer."""
    one, settings, budget = w.requests[request], w.settings[0], len(w.budgets) - 1
    w.budgets[budget].retrying -= one.retrying
    one.outcome = outcome
    one.final = one.last
    if outcome == OK:
        regain(w, budget)
    one.answered = now
    w.sums[AREA] += w.counts[IN_SYSTEM] * (now - w.sums[CHANGED])
    w.sums[CHANGED] = now
    w.counts[IN_SYSTEM] -= 1
    if settings.closed:
        begin_to_think(w, one.user, now)


def begin_to_think(w: World, user: int, now: float) -> None:
    """A user takes the next think time, if there is to be another request."""
    thought = w.counts[THOUGHT]
    if thought < w.counts[KNOWN]:
        time = now + w.requests[thought].think
        w.counts[THOUGHT] = thought + 1
        if time <= w.settings[0].until:
            w.counts[THINKING] += 1
            put(w, time, AT_ARRIVE | user, SEND | user)


def close_all(w: World, request: int, outcome: int, leaves_queue: int) -> None:
    """A client closes all its tries, those first that wait at balancers and so make no room."""
    call = w.requests[request].first_call
    if call == NOWHERE:
        return
    while call != NOWHERE:
        one = w.calls[call]
        one.rank = int(w.attempts[one.attempt].queued == NOWHERE)
        call = one.next
    push(w, CLOSE_ALL, request, outcome, leaves_queue)


def close_next(w: World, plugs: Plugs, request: int, outcome: int, leaves_queue: int, now: float) -> None:
    """A client closes one more of its tries."""
    for rank in range(2):
        call = w.requests[request].first_call
        while call != NOWHERE:
            one = w.calls[call]
            if one.open and one.rank == rank:
                push(w, CLOSE_ALL, request, outcome, leaves_queue)
                close(w, plugs, int(call), outcome, leaves_queue, now)
                return
            call = one.next


def close(w: World, plugs: Plugs, call: int, outcome: int, leaves_queue: int, now: float) -> None:
    """A client closes a try; what is under way for it is over for the balancer, too."""
    end_call(w, call)
    attempt, request = int(w.calls[call].attempt), w.requests[w.calls[call].request]
    if attempt == NOWHERE or is_over(w, attempt):
        return
    if request.asking:
        request.last = attempt
    if w.attempts[attempt].queued != NOWHERE:
        leave_queue(w, plugs, attempt)
    elif not math.isnan(w.attempts[attempt].sent):
        give_up(w, attempt, now, leaves_queue == LEAVES_QUEUE)
    push(w, OVER, attempt, outcome, 0)


def end_call(w: World, call: int) -> None:
    """A client's try is over at its balancer; it leaves the list of those whose client still waits."""
    one = w.calls[call]
    one.open = 0
    desk, request = one.balancer % len(w.desks), w.requests[one.request]
    w.desks[desk].calls -= 1
    if one.retrying:
        w.budgets[desk].retrying -= 1
    if not request.asking:
        return
    if request.first_call == call:
        request.first_call = one.next
        return
    other = request.first_call
    while other != NOWHERE:
        if w.calls[other].next == call:
            w.calls[other].next = one.next
            return
        other = w.calls[other].next


def conclude(w: World, rngs: Rngs, attempt: int, now: float) -> None:
    """A balancer answers the client, or tries again."""
    one = w.attempts[attempt]
    call = int(one.call)
    if not w.calls[call].open:
        return
    request, outcome = int(w.calls[call].request), int(one.outcome)
    if w.requests[request].asking:
        w.requests[request].last = attempt
    if outcome == OK:
        end_call(w, call)
        finish(w, request, OK)
    elif not try_again(w, rngs, call, attempt, now):
        end_call(w, call)
        push(w, TRY_FAILED, call, outcome, 0)


def try_again(w: World, rngs: Rngs, call: int, attempt: int, now: float) -> bool:
    """Make a further attempt after one that failed, if the rules allow it."""
    one, tried, rules = w.calls[call], w.attempts[attempt], w.rules[0]
    one.tries += 1
    if not math.isnan(tried.sent) and speaks_against(w, tried.outcome):
        tried.failed_before = one.failed
        one.failed = attempt
    if one.tries >= rules.most or not retries(w, 0, tried.outcome):
        return False
    desk = one.balancer % len(w.desks)
    stays = rules.stay and tried.server >= 0 and not leaves(w, one.tries)
    freely = rules.leave_freely and standing(w, desk) > 1
    wait = wait_before(w, 0, one.tries, rngs.clients)
    if rules.stay and not freely:
        wait = rules.stay_wait
    if now + wait - one.first > rules.within:
        return False
    w.budgets[desk].retrying -= one.retrying
    one.retrying = int(allows(w, desk, w.desks[desk].calls, now))
    w.budgets[desk].retrying += one.retrying
    if not one.retrying:
        return False
    one.again = tried.server if stays and not freely else NOWHERE
    put(w, now + wait, AT_AGAIN | one.request, AGAIN | call)
    return True


def standing(w: World, desk: int) -> int:
    """Count the servers that are in service."""
    total = 0
    for server in range(len(w.machines)):
        total += w.desk_ints[desk, STANDING, server]
    return total


def leaves(w: World, retry: int) -> bool:
    """Tell whether a new pick is made before a retry, the first being number 1."""
    every = w.rules[0].leave_every
    if every > 0:
        return bool(retry % every == 0)
    return bool(every < 0 and retry == w.rules[0].rules_most + every)


def on_again(w: World, plugs: Plugs, rngs: Rngs, call: int, now: float) -> None:
    """A further attempt is made: at the same server, or with a new pick."""
    one = w.calls[call]
    if not one.open:
        return
    if one.again >= 0:
        attempt = new_attempt(w, call, now)
        place(w, plugs, rngs, attempt, int(one.again), now)
    else:
        send(w, plugs, rngs, call, now)


def on_patience(w: World, request: int) -> None:
    """A client leaves the queue, if its service has not begun."""
    if not w.requests[request].asking:
        return
    call = w.requests[request].first_call
    while call != NOWHERE:
        one = w.calls[call]
        if not math.isnan(w.attempts[one.attempt].begin):
            return
        call = one.next
    push(w, FINISH, request, ABANDONED, 0)
    close_all(w, request, ABANDONED, LEAVES_QUEUE)


def on_timeout(w: World, plugs: Plugs, call: int, now: float) -> None:
    """A client has waited for the answer to a try for too long."""
    if w.calls[call].open:
        push(w, TRY_FAILED, call, TIMEOUT, 0)
        close(w, plugs, call, CANCELLED, 0, now)
