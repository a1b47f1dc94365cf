"""A run in which things fail: requests are retried, time out, wait at balancers and are given up."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from workbench.simulate.engines._base import Progress
from workbench.simulate.engines.reference.attempts import NOWHERE, Attempt, Call, gather
from workbench.simulate.engines.reference.breakage import Breakage
from workbench.simulate.engines.reference.budget import RetryBudget
from workbench.simulate.engines.reference.clock import Clock, Happening, Kind, OrderedClock
from workbench.simulate.engines.reference.desk import Desk, Rngs
from workbench.simulate.engines.reference.machine import Machine
from workbench.simulate.engines.reference.monitor import Monitor
from workbench.simulate.engines.reference.patrol import Patrol
from workbench.simulate.engines.reference.run import Run, Seen, Standing
from workbench.simulate.events import Event
from workbench.simulate.pool import GivesUp
from workbench.simulate.records import Records
from workbench.simulate.retries import Jitter, RetryRules
from workbench.simulate.streams import Stream
from workbench.simulate.workload import Chunk, Workload
from workbench.tables import EventKind, Outcome


class Asking:
    """A request whose client still waits: its open calls, and how often it has tried."""

    __slots__ = ("calls", "last", "retrying", "tries")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.tries = 0
        """Calls so far, hedges left out."""
        self.retrying = False
        """Whether it counts against a budget of retries at once."""
        self.last: Attempt | None = None
        """The attempt that ended last."""


class ResilientRun(Run):
    """A run with faults, checks, retries, queues and clients that give up."""

    def __init__(self, workload: Workload, progress: Progress | None) -> None:
        super().__init__(workload, progress)
        scenario, pool = self.scenario, self.scenario.servers()
        settings, clients = scenario.balancers, scenario.clients
        self.clients = clients
        self.client_rules = RetryRules() if clients.retries is None else clients.retries.rules("")
        self.client_budget = RetryBudget(self.client_rules.budget)
        self.machines = [Machine(index, pool, self.clock, self.on_done) for index in range(pool.count)]
        names = scenario.keys.names() if scenario.keys else []
        rules, in_flight, sent = settings.retry_rules(), [0] * pool.count, [0] * pool.count
        self.desks = [
            Desk(number, settings, pool, names, pool=in_flight, sent=sent, rules=rules)
            for number in range(1 if settings.view == "shared" else settings.count)
        ]
        self.rngs = [
            Rngs(self.stream(Stream.BALANCER, number), self.stream(Stream.FAILOVER, number))
            for number in range(settings.count)
        ]
        self.fault_rng = self.stream(Stream.ERRORS)
        self.client_rng = self.stream(Stream.CLIENTS)
        self.knows_demand = settings.strategy.knows_demand
        self.attempts: list[Attempt] = []
        self.final: list[Attempt | None] = []
        self.calls: list[int] = []
        self.asking: dict[int, Asking] = {}
        self.patience: list[float] = []
        self.events: list[Event] = []
        self.unchecked: set[int] = set()
        """Servers that balancers do not check for the time being."""
        self.moved = 0.0
        """When a request last came to a server, or an attempt was over, seconds."""
        self.patrol = Patrol(self)
        self.source.begin()
        self.monitors = [Monitor(self, desk) for desk in self.desks]
        self.breakage = Breakage(self)

    def take(self, chunk: Chunk) -> None:
        """Make room for what becomes of the requests of a chunk."""
        count = len(chunk)
        self.final += [None] * count
        self.calls += [0] * count
        if chunk.patience is not None:
            self.patience += chunk.patience.tolist()

    def make_clock(self) -> Clock:
        """Make the clock of the run, with nothing on it yet."""
        return OrderedClock()

    @property
    def finished(self) -> bool:
        """Whether all requests have arrived and all have been answered."""
        return self.source.exhausted and self.in_system == 0

    def idle(self, now: float) -> bool:
        """Tell whether the run is finished, for what would otherwise repeat itself without end.

        Raises:
            SimulationError: it will never be.
        """
        if self.finished:
            return True
        self.patrol.look(now)
        return False

    def desk(self, balancer: int) -> Desk:
        """Give the desk at which a balancer sits."""
        return self.desks[balancer % len(self.desks)]

    def arrive(self, request: int, now: float) -> None:
        """A client sends a request."""
        self.enter(request, now)
        self.asking[request] = Asking()
        clients = self.clients
        self.client_budget.earn(now)
        if clients.deadline is not None:
            self.later(now + clients.deadline, Kind.TIMER, request, self.on_deadline)
        if clients.patience is not None:
            self.later(now + self.patience[request], Kind.TIMER, request, self.on_patience)
        for hedge in range(clients.hedges if clients.hedge_after is not None else 0):
            at = now + (hedge + 1) * (clients.hedge_after or 0.0)
            self.later(at, Kind.TIMER, request, self.on_hedge)
        self.ask(request, self.balancer[request], now)

    def ask(self, request: int, balancer: int, now: float, *, hedge: bool = False) -> None:
        """A client's try reaches a balancer."""
        asking = self.asking[request]
        asking.tries += not hedge
        call = Call(request, balancer, self.calls[request], now)
        self.calls[request] += 1
        asking.calls.append(call)
        desk = self.desk(balancer)
        desk.calls += 1
        desk.budget.earn(now)
        if self.clients.timeout is not None:
            self.clock.at(
                now + self.clients.timeout, Kind.TIMER, request, lambda event: self.on_timeout(call, event)
            )
        self.send(call, now)

    def other_balancer(self, request: int) -> int:
        """Give the balancer that a further try comes to."""
        count = self.scenario.balancers.count
        return self.balancer[request] if count == 1 else int(self.client_rng.random() * count)

    def on_hedge(self, event: Happening) -> None:
        """A client has waited long enough to send its request once more."""
        if event.number in self.asking:
            self.ask(event.number, self.other_balancer(event.number), event.time, hedge=True)

    def on_timeout(self, call: Call, event: Happening) -> None:
        """A client has waited for the answer to a try for too long."""
        if call.open:
            self.close(call, Outcome.CANCELLED, event.time)
            self.try_failed(call, Outcome.TIMEOUT, event.time)

    def on_deadline(self, event: Happening) -> None:
        """A client will not wait any longer."""
        if event.number in self.asking:
            self.finish(event.number, Outcome.TIMEOUT, event.time)

    def on_patience(self, event: Happening) -> None:
        """A client leaves the queue, if its service has not begun."""
        asking = self.asking.get(event.number)
        if asking is None or any(_begun(call.attempt) for call in asking.calls):
            return
        self.close_all(asking, Outcome.ABANDONED, event.time, leaves_queue=True)
        self.finish(event.number, Outcome.ABANDONED, event.time)

    def try_failed(self, call: Call, outcome: Outcome, now: float) -> None:
        """A client's try has come to nothing: it tries again, waits for its hedges, or gives up."""
        request, rules = call.request, self.client_rules
        asking = self.asking.get(request)
        if asking is None:
            return
        self.client_budget.lose()
        wait = self.wait_before(rules, asking.tries)
        again = asking.tries < rules.most and outcome in rules.on
        again = again and now + wait - self.arrival[request] <= rules.within
        if again and self.may_ask_again(asking, now):
            asking.tries += 1
            self.later(now + wait, Kind.AGAIN, request, self.on_ask_again)
        elif not asking.calls:
            self.finish(request, outcome, now)

    def may_ask_again(self, asking: Asking, now: float) -> bool:
        """Ask the clients' budget for one more try."""
        budget = self.client_budget
        budget.retrying -= asking.retrying
        asking.retrying = budget.allows(len(self.asking), now)
        budget.retrying += asking.retrying
        return asking.retrying

    def on_ask_again(self, event: Happening) -> None:
        """A client tries again."""
        if (asking := self.asking.get(event.number)) is not None:
            asking.tries -= 1
            self.ask(event.number, self.other_balancer(event.number), event.time)

    def finish(self, request: int, outcome: Outcome, now: float) -> None:
        """A request has its end; what is still under way for it is no longer wanted."""
        asking = self.asking.pop(request)
        if outcome is not Outcome.OK and asking.calls:
            asking.last = asking.calls[-1].attempt
        self.close_all(asking, Outcome.CANCELLED, now)
        self.client_budget.retrying -= asking.retrying
        self.outcome[request] = outcome
        self.final[request] = asking.last
        if outcome is Outcome.OK:
            self.client_budget.regain()
        self.answer(request, now)

    def send(self, call: Call, now: float) -> None:
        """A balancer picks a server for a call."""
        attempt = self.new_attempt(call, now)
        desk = self.desk(call.balancer)
        request = call.request
        server = desk.choose(
            call, now, self.rngs[call.balancer], key=self.key[request], demand=self.demand[request]
        )
        if self.watch is not None and call.number == call.tries == 0:
            usable = [max(view.usable[one] for view in desk.views) for one in range(len(self.machines))]
            self.watch(request, now, usable, server)
        self.place(desk, attempt, server, now)

    def new_attempt(self, call: Call, now: float) -> Attempt:
        """Begin a further attempt for a call."""
        attempt = Attempt(len(self.attempts), call, now)
        self.attempts.append(attempt)
        call.attempt = attempt
        return attempt

    def place(self, desk: Desk, attempt: Attempt, server: int, now: float) -> None:
        """Send an attempt to the server that was picked, or let it wait."""
        if server >= 0 and desk.breaks(server):
            self.over(attempt, Outcome.REFUSED, now)
        elif server >= 0 and not desk.is_full(server):
            self.dispatch(desk, attempt, server, now)
        elif desk.room is not None and server != NOWHERE:
            waits_for = max(server, NOWHERE)
            if not desk.room.join(attempt, waits_for):
                self.over(attempt, Outcome.REFUSED, now)
                return
            if waits_for >= 0:
                desk.count_in(waits_for)
                desk.judge(waits_for)
            if desk.room.settings.timeout is not None:
                at = now + desk.room.settings.timeout
                self.clock.at(at, Kind.TIMER, attempt.number, self.on_queue_timeout)
        else:
            self.over(attempt, Outcome.NO_HEALTHY_SERVER, now)

    def on_queue_timeout(self, event: Happening) -> None:
        """A request has waited at its balancer for too long."""
        attempt = self.attempts[event.number]
        if attempt.queued != NOWHERE and not attempt.over:
            self.leave_queue(attempt, event.time)
            self.over(attempt, Outcome.TIMEOUT, event.time)

    def leave_queue(self, attempt: Attempt, now: float) -> None:
        """Take an attempt out of its balancer's queue."""
        desk = self.desk(attempt.call.balancer)
        if desk.room is not None:
            desk.room.leave(attempt)
        if attempt.server >= 0:
            desk.unqueue(attempt.server)
            desk.judge(attempt.server)

    def dispatch(
        self, desk: Desk, attempt: Attempt, server: int, now: float, *, counted: bool = False
    ) -> None:
        """Send an attempt to a server; `counted` says that it was counted when it began to wait."""
        attempt.server = server
        desk.begin(attempt, now)
        if not counted:
            desk.count_in(server)
        desk.judge(server)
        monitor = self.monitors[desk.number]
        if monitor.picks_matter:
            monitor.picked(server, now)
        if (timeout := desk.rules.try_timeout) < math.inf:
            self.clock.at(now + timeout, Kind.TIMER, attempt.number, self.on_try_timeout)
        refused_after = self.scenario.network.refused_after
        if refused_after is not None and self.breakage.refuses(attempt):
            attempt.told = Outcome.UNREACHABLE
            self.clock.at(
                now + refused_after,
                Kind.ANSWER,
                attempt.number,
                lambda event: self.on_reply(attempt, event.time),
            )
        else:
            self.breakage.carry(attempt, now, self.reach)

    def on_try_timeout(self, event: Happening) -> None:
        """A balancer has waited for an answer for too long."""
        attempt = self.attempts[event.number]
        if not attempt.over:
            self.machines[attempt.server].give_up(attempt, event.time, leaves_queue=False)
            self.over(attempt, Outcome.TIMEOUT, event.time)

    def over(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """A balancer is done with an attempt: it answers the client, or tries again."""
        self.moved = now
        attempt.ended, attempt.outcome = now, outcome
        call = attempt.call
        desk = self.desk(call.balancer)
        if not math.isnan(attempt.sent):
            desk.end(attempt, now)
            monitor = self.monitors[desk.number]
            if monitor.answers_matter:
                monitor.answered(attempt, now)
            if desk.room is not None:
                self.pull(desk, attempt.server, now)
        if not call.open:
            return
        if call.request in self.asking:
            self.asking[call.request].last = attempt
        if outcome is Outcome.OK:
            self.end_call(call)
            self.finish(call.request, Outcome.OK, now)
        elif not self.try_again(desk, call, attempt, now):
            self.end_call(call)
            self.try_failed(call, outcome, now)

    def try_again(self, desk: Desk, call: Call, attempt: Attempt, now: float) -> bool:
        """Make a further attempt after one that failed, if the rules allow it."""
        rules = desk.rules
        call.tries += 1
        if not math.isnan(attempt.sent) and desk.blames(attempt.outcome):
            call.failed_at.append(attempt.server)
        most = rules.most or sum(weight > 0 for weight in desk.servers.weight)
        if call.tries >= most or attempt.outcome not in rules.on:
            return False
        stays = rules.stay and attempt.server >= 0 and not leaves(desk, rules, call.tries)
        freely = rules.leave_freely and sum(desk.standing) > 1
        wait = self.wait_before(rules, call.tries)
        if rules.stay and not freely:
            wait = rules.stay_wait
        if now + wait - call.first > rules.within:
            return False
        desk.budget.retrying -= call.retrying
        call.retrying = desk.budget.allows(desk.calls, now)
        desk.budget.retrying += call.retrying
        if not call.retrying:
            return False
        server = attempt.server if stays and not freely else NOWHERE
        # Also where there is no wait: a chain of failures at one instant may be as long as the pool.
        self.clock.at(now + wait, Kind.AGAIN, call.request, lambda event: self.on_again(call, server, event))
        return True

    def on_again(self, call: Call, server: int, event: Happening) -> None:
        """A further attempt is made: at the same server, or with a new pick."""
        if not call.open:
            return
        if server >= 0:
            attempt = self.new_attempt(call, event.time)
            self.place(self.desk(call.balancer), attempt, server, event.time)
        else:
            self.send(call, event.time)

    def wait_before(self, rules: RetryRules, tries: int) -> float:
        """Draw the seconds before the attempt that follows so many."""
        wait = min(rules.wait * rules.factor ** (tries - 1), rules.most_wait) if rules.wait else 0.0
        if not wait or rules.jitter is Jitter.NONE:
            return wait
        if rules.jitter is Jitter.EXPONENTIAL:
            return float(self.client_rng.standard_exponential()) * wait
        drawn = float(self.client_rng.random()) * wait
        return drawn if rules.jitter is Jitter.FULL else (wait + drawn) / 2

    def end_call(self, call: Call) -> None:
        """A client's try is over at its balancer."""
        call.open = False
        desk = self.desk(call.balancer)
        desk.calls -= 1
        if call.retrying:
            desk.budget.retrying -= 1
        if (asking := self.asking.get(call.request)) is not None and call in asking.calls:
            asking.calls.remove(call)

    def close(self, call: Call, outcome: Outcome, now: float, *, leaves_queue: bool = False) -> None:
        """A client closes a try; what is under way for it is over for the balancer, too."""
        self.end_call(call)
        attempt = call.attempt
        if attempt is None or attempt.over:
            return
        if (asking := self.asking.get(call.request)) is not None:
            asking.last = attempt
        if attempt.queued != NOWHERE:
            self.leave_queue(attempt, now)
        elif not math.isnan(attempt.sent):
            self.machines[attempt.server].give_up(attempt, now, leaves_queue=leaves_queue)
        self.over(attempt, outcome, now)

    def close_all(self, asking: Asking, outcome: Outcome, now: float, *, leaves_queue: bool = False) -> None:
        """A client closes all its tries, those first that wait at balancers and so make no room."""
        if not asking.calls:
            return
        queues = [call.attempt is None or call.attempt.queued == NOWHERE for call in asking.calls]
        for _, call in sorted(zip(queues, asking.calls, strict=True), key=lambda pair: pair[0]):
            if call.open:
                self.close(call, outcome, now, leaves_queue=leaves_queue)

    def pull(self, desk: Desk, server: int, now: float) -> None:
        """Let a server with room take the requests that wait for it at a desk."""
        if desk.room is None or server in desk.pulling:
            return
        desk.pulling.add(server)
        while desk.served[server] < desk.limit(server) and len(desk.room):
            takes = desk.takes_common(server)
            attempt = desk.room.next_for(server, takes_common=takes)
            if attempt is None:
                break
            self.dispatch(desk, attempt, server, now, counted=attempt.server >= 0)
        desk.pulling.discard(server)

    def follow(self, desk: Desk, server: int, now: float) -> None:
        """Let a desk follow what has changed about a server, and its queues with it."""
        panic = list(desk.groups.panic)
        change = desk.reassess(server, now)
        if change == 0:
            return
        for group, before in enumerate(panic):
            if desk.groups.panic[group] != before:
                kind = EventKind.PANIC_ENDS if before else EventKind.PANIC_BEGINS
                self.note(now, kind, NOWHERE, balancer=desk.number, detail=f"group {group}")
        self.monitors[desk.number].began_slowly(server, now)
        if desk.room is None:
            return
        if change < 0:
            for attempt in desk.room.clear(server):
                desk.unqueue(server)
                self.place_anew(desk, attempt, now)
        self.pull_all(desk, now)

    def place_anew(self, desk: Desk, attempt: Attempt, now: float) -> None:
        """Let a balancer pick for a request that has waited in its queue."""
        if attempt.over:
            return
        call = attempt.call
        rngs, key, demand = self.rngs[call.balancer], self.key[call.request], self.demand[call.request]
        self.place(desk, attempt, desk.choose(call, now, rngs, key=key, demand=demand), now)

    def pull_all(self, desk: Desk, now: float) -> None:
        """Let all servers with room take the requests that wait for them."""
        if desk.room is not None and len(desk.room):
            for server in range(len(self.machines)):
                self.pull(desk, server, now)

    def reload(self, desk: Desk, now: float) -> None:
        """Let a balancer begin anew; it picks again for the requests that wait in its queue."""
        waiting = [] if desk.room is None else desk.room.empty()
        for attempt in waiting:
            if attempt.server >= 0:
                desk.count_out(attempt.server)
        desk.start()
        self.monitors[desk.number].restart(now)
        for attempt in waiting:
            self.place_anew(desk, attempt, now)

    def reach(self, attempt: Attempt, now: float) -> None:
        """A request comes to its server: it is refused, served or waits."""
        machine = self.machines[attempt.server]
        self.moved = now
        if attempt.over and (attempt.outcome is Outcome.ABANDONED or machine.gives_up is not GivesUp.NOTHING):
            return
        if machine.crashes:
            self.reply(attempt, Outcome.UNREACHABLE, now)
            return
        for share, seconds in machine.failing:
            if share >= 1.0 or self.fault_rng.random() < share:
                machine.erring[attempt] = None
                self.clock.at(
                    now + seconds, Kind.FINISH, attempt.number, lambda event: self.on_fail(attempt, event)
                )
                return
        attempt.depth = len(machine.waiting)
        if not machine.room:
            self.reply(attempt, Outcome.REFUSED, now)
            return
        attempt.left = self.demand[attempt.call.request]
        if self.knows_demand and machine.speed:
            service = attempt.left / machine.speed
            self.desk(attempt.call.balancer).took_on(machine.index, now, service)
        machine.admit(attempt, now)

    def on_fail(self, attempt: Attempt, event: Happening) -> None:
        """A failing server answers, unless it has crashed meanwhile."""
        erring = self.machines[attempt.server].erring
        if attempt in erring:
            del erring[attempt]
            self.reply(attempt, Outcome.SERVER_ERROR, event.time)

    def on_done(self, machine: Machine, attempt: Attempt, now: float) -> None:
        """A server has served a request."""
        self.reply(attempt, Outcome.OK, now)

    def lose(self, attempt: Attempt, now: float) -> None:
        """A server has crashed with a request in it."""
        self.reply(attempt, Outcome.RESET, now)

    def reply(self, attempt: Attempt, told: Outcome, now: float) -> None:
        """An answer, a refusal or a broken connection goes back to the balancer."""
        attempt.told = told
        self.breakage.carry(attempt, now, self.on_reply)

    def on_reply(self, attempt: Attempt, now: float) -> None:
        """What the server told has come back."""
        if not attempt.over:
            self.over(attempt, attempt.told, now)

    def later(self, time: float, kind: Kind, number: int, action: Callable[[Happening], None]) -> None:
        """Put an event on the clock, unless it would never come."""
        if time < math.inf:
            self.clock.at(time, kind, number, action)

    def note(
        self, now: float, kind: EventKind, server: int, *, balancer: int = NOWHERE, detail: str = ""
    ) -> None:
        """Write down that something changed."""
        self.events.append(Event(now, kind, server, balancer, detail))

    def standing(self) -> list[Standing]:
        """Tell how each server stands, for whoever watches a decision."""
        return [
            Standing(
                ends=[attempt.due for attempt in machine.serving],
                waiting=[attempt.left for attempt in machine.waiting],
                free=machine.free,
                speed=machine.speed,
                delay=machine.delay,
                room=machine.room and not machine.crashes,
            )
            for machine in self.machines
        ]

    def seen(self, balancer: int) -> Seen:
        """Tell what a balancer sees, for whoever watches a decision."""
        desk = self.desk(balancer)
        return Seen(desk.weight, desk.in_flight, desk.pool)

    def records(self) -> Records:
        """Gather what became of the requests and of each attempt."""
        self.patrol.check_answers()
        last = self.final[: len(self.arrival)]
        served = [one if one is not None and one.outcome is Outcome.OK else None for one in last]
        return Records(
            arrival=np.array(self.arrival),
            begin=np.array([one.begin if one else math.nan for one in served]),
            finish=np.array([one.finish if one else math.nan for one in served]),
            answered=np.array(self.answered[: len(self.arrival)]),
            balancer=np.array([one.call.balancer if one else 0 for one in last], np.int64),
            server=np.array(
                [NOWHERE if one is None or math.isnan(one.sent) else one.server for one in last], np.int64
            ),
            outcome=np.array(self.outcome[: len(self.arrival)], np.int64),
            queue_depth=np.array([one.depth if one else NOWHERE for one in last], np.int64),
            delay=np.array([machine.near for machine in self.machines]),
            until=self.until,
            area=self.area,
            attempts=gather(self.attempts),
            events=self.events,
        )


def leaves(desk: Desk, rules: RetryRules, retry: int) -> bool:
    """Tell whether a new pick is made before a retry, the first being number 1."""
    every = rules.leave_every
    if every > 0:
        return retry % every == 0
    return every < 0 and retry == rules.most + every


def _begun(attempt: Attempt | None) -> bool:
    return attempt is not None and not math.isnan(attempt.begin)
