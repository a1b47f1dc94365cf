"""What a desk learns on its own account: health checks, detectors, slow start, weights and told levels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.simulate.checks import BAD_ANSWER, NO_ANSWER, PASSED
from workbench.simulate.detectors import CHECK_SOON, NOTHING
from workbench.simulate.detectors.none import NoDetector
from workbench.simulate.engines.reference.attempts import Attempt
from workbench.simulate.engines.reference.clock import Happening, Kind
from workbench.simulate.engines.reference.desk import Desk
from workbench.simulate.streams import Stream
from workbench.tables import EventKind

if TYPE_CHECKING:
    from workbench.simulate.engines.reference.resilient import ResilientRun


class Monitor:
    """Watches the servers for one desk. Lists have one entry a server."""

    def __init__(self, run: ResilientRun, desk: Desk) -> None:
        self.run = run
        self.desk = desk
        self.settings = run.scenario.balancers
        count = desk.servers.count
        self.rng = run.stream(Stream.CHECKS, desk.number)
        self.detector_rng = run.stream(Stream.DETECTORS, desk.number)
        self.weight_rng = run.stream(Stream.WEIGHTS, desk.number)
        self.picks_matter = type(desk.detector).picked is not None
        self.answers_matter = not isinstance(desk.detector, NoDetector)
        self.due = [math.inf] * count
        """When the next check begins; infinite while one is under way."""
        self.up = list(desk.checks.up)
        self.ejected = [0] * count
        self.released = [math.inf] * count
        """The end of an ejection that is on the clock."""
        self.weighed = [0.0] * count
        """Busy slot-seconds of each server when weights were last looked at."""
        self.weighed_at = 0.0
        self.begin()

    def begin(self) -> None:
        """Put on the clock what comes by itself."""
        checks, every = self.settings.checks, self.settings.refresh_every
        if checks is not None:
            for server, start in enumerate(checks.starts(self.desk.servers, self.rng)):
                self.check_at(server, start)
        tick = self.desk.detector.tick_every
        if tick is not None:
            self.run.clock.at(tick, Kind.TICK, self.desk.number, self.on_tick)
        if every is not None:
            first = (1 + self.desk.number / len(self.run.desks)) * every
            self.run.clock.at(first, Kind.REFRESH, self.desk.number, self.on_refresh)
        if self.settings.weights is not None:
            self.expect_weights(0.0, 0)

    def restart(self, now: float) -> None:
        """Begin anew after a reload: what the desk knew of its servers is forgotten."""
        count = self.desk.servers.count
        self.released = [math.inf] * count
        for server in range(count):
            self.follow(server, now)
        checks = self.settings.checks
        if checks is not None:
            for server, start in enumerate(checks.starts(self.desk.servers, self.rng)):
                self.check_at(server, now + start)

    def number(self, server: int) -> int:
        """Give what orders this desk's events of a server among others of the same instant."""
        return self.desk.number * self.desk.servers.count + server

    def check_at(self, server: int, time: float) -> None:
        """Put the next check of a server on the clock."""
        self.due[server] = time
        self.run.clock.at(time, Kind.CHECK, self.number(server), self.on_check)

    def on_check(self, event: Happening) -> None:
        """A check begins, unless it has been put at another time."""
        server = event.number % self.desk.servers.count
        if event.time != self.due[server] or self.run.idle(event.time):
            return
        self.due[server] = math.inf
        if server in self.run.unchecked:
            return
        result, seconds = self.asked(server, event.time)
        epoch = self.desk.epoch
        self.run.clock.at(
            event.time + seconds,
            Kind.CHECKED,
            event.number,
            lambda end: self.on_checked(server, result, epoch, end),
        )

    def asked(self, server: int, now: float) -> tuple[int, float]:
        """Tell how a check ends, and after how many seconds that is known."""
        checks, machine = self.settings.checks, self.run.machines[server]
        if checks is None:
            return PASSED, 0.0
        within, there_and_back = checks.answer_within, 2 * machine.delay
        if self.run.breakage.is_cut(self.desk.number, server):
            return NO_ANSWER, within
        if machine.crashes:
            return NO_ANSWER, min(there_and_back, within)
        takes = there_and_back
        if not checks.connect_only:
            for share, seconds in machine.failing:
                if share >= 1.0 or self.rng.random() < share:
                    answered = there_and_back + seconds
                    return (BAD_ANSWER, answered) if answered <= within else (NO_ANSWER, within)
            takes += checks.demand / machine.speed if machine.speed else math.inf
            takes += machine.begins_in(now) if checks.queued else 0.0
        return (PASSED, takes) if takes <= within else (NO_ANSWER, within)

    def on_checked(self, server: int, result: int, epoch: int, event: Happening) -> None:
        """The result of a check is known, unless a reload has come between."""
        desk, checks = self.desk, self.settings.checks
        if checks is None or epoch != desk.epoch:
            return
        desk.now[0] = event.time
        type(checks).checked(desk.checks, server, result)
        if (ended := type(desk.detector).check_ended) is not None:
            ended(desk.learnt, desk.checks, server, result)
        pause = type(checks).pause(desk.checks, server, self.rng)
        desk.checks.traffic[server] = 0
        self.follow(server, event.time)
        if not self.run.finished:
            self.check_at(server, event.time + pause)

    def picked(self, server: int, now: float) -> None:
        """A request is sent to a server."""
        hook = type(self.desk.detector).picked
        if hook is not None:
            self.desk.now[0] = now
            if hook(self.desk.learnt, server) != NOTHING:
                self.follow(server, now)

    def answered(self, attempt: Attempt, now: float) -> None:
        """An attempt is over."""
        desk, server = self.desk, attempt.server
        if attempt.epoch != desk.epoch:
            return
        desk.now[0] = now
        result = type(desk.detector).answered(
            desk.learnt, desk.checks, server, attempt.outcome, now - attempt.sent, self.detector_rng
        )
        if result != NOTHING:
            self.heed(server, result, now)

    def heed(self, server: int, result: int, now: float) -> None:
        """Act on what the detector has found."""
        desk, checks = self.desk, self.settings.checks
        self.follow(server, now)
        if result == CHECK_SOON and checks is not None and self.due[server] < math.inf:
            pause = type(checks).pause(desk.checks, server, self.rng)
            self.check_at(server, min(self.due[server], now + pause))

    def on_tick(self, event: Happening) -> None:
        """The detector looks at all servers."""
        desk = self.desk
        hook = type(desk.detector).tick
        if hook is None or self.run.idle(event.time):
            return
        desk.now[0] = event.time
        hook(desk.learnt, self.detector_rng)
        for server in range(desk.servers.count):
            self.follow(server, event.time)
        self.run.clock.at(
            event.time + (desk.detector.tick_every or math.inf), Kind.TICK, desk.number, self.on_tick
        )

    def on_release(self, event: Happening) -> None:
        """An ejection's time is over, unless it was made longer."""
        desk = self.desk
        server = event.number % desk.servers.count
        self.released[server] = math.inf
        if not desk.learnt.ejected[server] or desk.learnt.until[server] > event.time:
            self.follow(server, event.time)
            return
        desk.now[0] = event.time
        hook = type(desk.detector).released
        if hook is not None:
            hook(desk.learnt, server)
        else:
            desk.learnt.ejected[server] = 0
        self.follow(server, event.time)

    def follow(self, server: int, now: float) -> None:
        """Write down what the desk has learnt about a server, and let it act on it."""
        desk, run = self.desk, self.run
        up, ejected = desk.checks.up[server], desk.learnt.ejected[server]
        if up != self.up[server]:
            self.up[server] = up
            run.note(now, EventKind.UP if up else EventKind.DOWN, server, balancer=desk.number)
        if ejected != self.ejected[server]:
            self.ejected[server] = ejected
            kind = EventKind.EJECTED if ejected else EventKind.RETURNED
            run.note(now, kind, server, balancer=desk.number)
        until = desk.learnt.until[server]
        if ejected and until < math.inf and self.released[server] != until:
            self.released[server] = until
            run.clock.at(max(until, now), Kind.RELEASE, self.number(server), self.on_release)
        run.follow(desk, server, now)

    def began_slowly(self, server: int, now: float) -> None:
        """Put a server's next step of slow start on the clock."""
        rule = self.settings.slow_start
        if rule is not None and rule.step and server in self.desk.warming:
            back = self.desk.warming[server]
            self.run.clock.at(
                now + rule.step, Kind.RAMP, self.number(server), lambda event: self.on_ramp(back, event)
            )

    def on_ramp(self, back: float, event: Happening) -> None:
        """A server that came back at a time takes its next step of slow start."""
        server = event.number % self.desk.servers.count
        if self.run.idle(event.time) or self.desk.warming.get(server) != back:
            return
        self.desk.now[0] = event.time
        self.desk.set_ramp(server, event.time)
        self.run.pull(self.desk, server, event.time)
        self.began_slowly(server, event.time)

    def expect_weights(self, now: float, number: int) -> None:
        """Put the rule's next look at the weights on the clock."""
        rule = self.settings.weights
        if rule is None:
            return
        times = rule.times()
        if isinstance(times, tuple):
            at = times[0] if number == 0 else now + times[1]
        elif number < len(times):
            at = times[number]
        else:
            return
        self.run.clock.at(at, Kind.REWEIGH, self.desk.number, lambda event: self.on_reweigh(number, event))

    def on_reweigh(self, number: int, event: Happening) -> None:
        """The rule looks at the weights."""
        rule, state = self.settings.weights, self.desk.reweighing
        if rule is None or state is None or self.run.idle(event.time):
            return
        now = event.time
        self.measure(now)
        before = list(state.weight)
        type(rule).reweigh(state, self.weight_rng)
        for server, weight in enumerate(state.weight):
            state.answers[server] = state.errors[server] = 0
            state.seconds[server] = 0.0
            if weight != before[server]:
                self.run.note(now, EventKind.WEIGHT, server, balancer=self.desk.number, detail=str(weight))
                self.follow(server, now)
        self.expect_weights(now, number + 1)

    def measure(self, now: float) -> None:
        """Ask the servers how busy they have been since the last look."""
        state = self.desk.reweighing
        if state is None:
            return
        period = now - self.weighed_at
        state.now[0], state.period[0] = now, period
        for server, machine in enumerate(self.run.machines):
            machine.count(now)
            worked = machine.busy_seconds - self.weighed[server]
            self.weighed[server] = machine.busy_seconds
            state.busy[server] = worked / (machine.slots * period) if period > 0 else 0.0
            state.queue[server] = len(machine.waiting)
        self.weighed_at = now

    def on_refresh(self, event: Happening) -> None:
        """The desk is told what all have in flight."""
        if self.run.idle(event.time):
            return
        self.desk.refresh()
        self.run.pull_all(self.desk, event.time)
        self.run.clock.at(
            event.time + (self.settings.refresh_every or math.inf),
            Kind.REFRESH,
            self.desk.number,
            self.on_refresh,
        )
