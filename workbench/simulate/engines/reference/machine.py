"""A server that may fail: slow, hanging, refusing, cut off, or answering with errors."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from workbench.simulate.engines.reference.attempts import Attempt
from workbench.simulate.engines.reference.clock import Clock, Happening, Kind
from workbench.simulate.pool import GivesUp, Servers

Done = Callable[["Machine", Attempt, float], None]


class Machine:
    """One server: first come, first served by its slots, at a speed that may change at any time.

    It tells the run, by `on_done`, of each attempt whose service has ended.
    """

    def __init__(self, index: int, pool: Servers, clock: Clock, on_done: Done) -> None:
        self.index = index
        self.clock = clock
        self.on_done = on_done
        self.slots = pool.slots[index]
        self.full_speed = pool.speed[index]
        self.speed = self.full_speed
        self.queue_limit = pool.queue_limit[index]
        self.near = pool.delay[index]
        """One-way network delay without faults, seconds."""
        self.delay = self.near
        self.gives_up = pool.gives_up[index]
        self.crashes = 0
        """Crashes that last."""
        self.waiting: deque[Attempt] = deque()
        self.serving: dict[Attempt, None] = {}
        self.erring: dict[Attempt, None] = {}
        """Requests that will be answered with an error; they use no slot."""
        self.failing: list[tuple[float, float]] = []
        """Share of the requests that are answered with an error, and after how many seconds."""
        self.factors: list[float] = []
        self.delays: list[float] = []
        self.busy_seconds = 0.0
        """Slot-seconds of service so far, as of `counted`."""
        self.counted = 0.0
        self.interruptions: deque[tuple[float, float]] = deque()
        """Seconds of work until an interruption, and how long it lasts; the next one first."""
        self.works_since = 0.0
        self.stops_at = math.inf
        """When the next interruption comes, if the work goes on until then."""
        self.stopped = False

    @property
    def free(self) -> int:
        """Slots that serve nobody."""
        return self.slots - len(self.serving)

    @property
    def room(self) -> bool:
        """Whether a request would be let in."""
        limit = self.queue_limit
        return limit is None or len(self.serving) < self.slots or len(self.waiting) < limit

    def admit(self, attempt: Attempt, now: float) -> None:
        """Let a request in: it is served or waits."""
        if len(self.serving) < self.slots:
            self.serve(attempt, now)
        else:
            self.waiting.append(attempt)

    def serve(self, attempt: Attempt, now: float) -> None:
        """A slot begins a request."""
        self.count(now)
        attempt.begin = attempt.updated = now
        self.serving[attempt] = None
        self.plan(attempt, now)
        if len(self.serving) == 1:
            self.work(now)

    def plan(self, attempt: Attempt, now: float) -> None:
        """Put the end of a service on the clock, at the speed of now."""
        attempt.due = now + attempt.left / self.speed if self.speed else math.inf
        if self.speed:
            self.clock.at(
                attempt.due, Kind.FINISH, attempt.number, lambda event: self.on_finish(attempt, event.time)
            )

    def on_finish(self, attempt: Attempt, now: float) -> None:
        """A service ends, unless it was broken off or its end has moved meanwhile."""
        if attempt.due == now and attempt in self.serving:
            self.leave(attempt, now)
            self.on_done(self, attempt, now)

    def leave(self, attempt: Attempt, now: float) -> None:
        """A request gives its slot to the next one."""
        self.count(now)
        attempt.finish = now
        del self.serving[attempt]
        if self.waiting and not self.crashes:
            self.serve(self.waiting.popleft(), now)
        if not self.serving:
            self.rest(now)

    def give_up(self, attempt: Attempt, now: float, *, leaves_queue: bool) -> None:
        """The other side has closed: drop the request, if that is what the server does."""
        if attempt in self.serving:
            if self.gives_up is GivesUp.ALL:
                self.leave(attempt, now)
        elif (leaves_queue or self.gives_up is not GivesUp.NOTHING) and attempt in self.waiting:
            self.waiting.remove(attempt)

    def crash(self, now: float) -> list[Attempt]:
        """Lose all that is here, and give it back."""
        self.count(now)
        lost = [*self.serving, *self.waiting, *self.erring]
        for attempt in self.serving:
            attempt.finish = now
        self.serving.clear()
        self.waiting.clear()
        self.erring.clear()
        self.rest(now)
        return lost

    def change_speed(self, now: float) -> None:
        """Go on at the speed that the faults of now leave."""
        speed = 0.0 if self.stopped else self.full_speed * math.prod(self.factors)
        if speed == self.speed:
            return
        for attempt in self.serving:
            attempt.left = max(0.0, attempt.left - (now - attempt.updated) * self.speed)
            attempt.updated = now
        self.speed = speed
        for attempt in self.serving:
            self.plan(attempt, now)

    def count(self, now: float) -> None:
        """Bring the count of busy slot-seconds up to now."""
        worked = now - self.counted
        self.busy_seconds += worked * len(self.serving)
        self.counted = now

    def work(self, now: float) -> None:
        """The machine begins to work, or goes on: the next interruption has a time."""
        if self.interruptions and self.serving and not self.stopped and self.stops_at == math.inf:
            self.works_since = now
            self.stops_at = now + self.interruptions[0][0]
            self.clock.at(self.stops_at, Kind.FAULT, self.index, self.on_stop)

    def rest(self, now: float) -> None:
        """The machine is idle: what it has worked brings the next interruption nearer."""
        if self.stops_at < math.inf:
            work, repair = self.interruptions[0]
            self.interruptions[0] = work - (now - self.works_since), repair
            self.stops_at = math.inf

    def interrupt_after(self, work: float, repair: float, now: float) -> None:
        """Learn of one more interruption."""
        self.interruptions.append((work, repair))
        self.work(now)

    def on_stop(self, event: Happening) -> None:
        """The machine breaks down, if it has worked until now."""
        if event.time == self.stops_at:
            _, repair = self.interruptions.popleft()
            self.stops_at = math.inf
            self.stopped = True
            self.change_speed(event.time)
            self.clock.at(event.time + repair, Kind.FAULT, self.index, self.on_repair)

    def on_repair(self, event: Happening) -> None:
        """The machine goes on."""
        self.stopped = False
        self.change_speed(event.time)
        self.work(event.time)

    def begins_in(self, now: float) -> float:
        """Seconds until a request that came now would begin, first come, first served."""
        if self.free:
            return 0.0
        if not self.speed:
            return math.inf
        slots = sorted(attempt.due for attempt in self.serving)
        for ahead in self.waiting:
            slots[0] += ahead.left / self.speed
            slots.sort()
        return slots[0] - now
