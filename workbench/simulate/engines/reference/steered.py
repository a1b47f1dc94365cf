"""A run that can be changed while it runs: its arrivals can be stretched and brought to an end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from workbench.quantities import Extent
from workbench.simulate.engines.reference.attempts import NOWHERE
from workbench.simulate.engines.reference.clock import Happening, Kind
from workbench.simulate.engines.reference.resilient import ResilientRun
from workbench.simulate.engines.reference.sources import ClosedSource, OpenSource, Source
from workbench.simulate.records import Records
from workbench.simulate.scenario import Scenario
from workbench.simulate.workload import Chunk, Workload
from workbench.tables import Outcome


class StretchedSource(OpenSource):
    """Arrivals as the workload says, on a time of its own that runs faster or slower than the clock.

    The draws are the workload's whatever the rate: the same requests come, closer together or further
    apart. On the workload's time `begun` is where the present rate began, on the clock `since`.
    """

    def __init__(self, run: SteeredRun) -> None:
        super().__init__(run)
        self.steered = run
        self.work: list[float] = []
        """When each request arrives on the workload's own time, seconds."""
        self.begun = self.since = 0.0
        self.rate = 1.0
        self.next = 0
        """The next request to arrive."""

    def take_times(self, chunk: Chunk) -> None:
        """Keep the arrival times of a chunk."""
        times = chunk.arrival.tolist()
        self.work += times
        self.steered.arrival += map(self.on_the_clock, times)

    def on_the_clock(self, time: float) -> float:
        """Give the clock's time of a time of the workload."""
        return self.since + max(0.0, time - self.begun) / self.rate

    def expect(self, request: int) -> None:
        """Put the arrival of a request on the clock, if there is such a request before the end."""
        run = self.steered
        self.next = request
        there = request < len(run.arrival) or run.more()
        self.exhausted = not there or run.arrival[request] > run.ends
        if not self.exhausted:
            run.clock.at(run.arrival[request], Kind.ARRIVE, request, self.on_arrive)

    def on_arrive(self, event: Happening) -> None:
        """The next request of the workload arrives, unless its arrival has been moved meanwhile."""
        moved = event.number != self.next or event.time != self.steered.arrival[event.number]
        if not moved and not self.exhausted:
            super().on_arrive(event)

    def stretch(self, rate: float, now: float) -> None:
        """Let requests come `rate` times as fast as the workload says, from now on."""
        self.begun += (now - self.since) * self.rate
        self.since, self.rate = now, rate
        arrival = self.steered.arrival
        arrival[self.next :] = map(self.on_the_clock, self.work[self.next :])
        self.expect(self.next)

    def close(self) -> None:
        """Let nothing come any more."""
        self.exhausted = True

    def forget_the_rest(self) -> None:
        """Drop the requests that have not come."""
        del self.steered.arrival[self.next :]


class StretchedUsers(ClosedSource):
    """Users who think shorter or longer than the workload says."""

    def __init__(self, run: SteeredRun, workload: Workload) -> None:
        super().__init__(run, workload)
        self.steered = run
        self.rate = 1.0
        self.sends: dict[int, float] = {}
        """When each user who thinks will send, seconds."""

    def begin_to_think(self, user: int, now: float) -> None:
        """A user takes the next think time, if there is to be another request."""
        if self.thought < len(self.think) or self.steered.more():
            self.sends[user] = now + self.think[self.thought] / self.rate
            self.thought += 1
            self.expect(user)
        self.count()

    def expect(self, user: int) -> None:
        """Put a user's next request on the clock, if it comes before the end."""
        if self.sends[user] <= self.steered.ends:
            self.steered.clock.at(self.sends[user], Kind.ARRIVE, user, self.on_send)

    def count(self) -> None:
        """Count those who are about to send."""
        self.thinking = sum(time <= self.steered.ends for time in self.sends.values())

    def on_send(self, event: Happening) -> None:
        """A user sends the next request, unless that has been moved meanwhile."""
        if self.sends.get(event.number) == event.time:
            del self.sends[event.number]
            super().on_send(event)
            self.count()

    def stretch(self, rate: float, now: float) -> None:
        """Let users think for `1 / rate` of the time that the workload says, from now on."""
        for user, time in self.sends.items():
            self.sends[user] = now + (time - now) * self.rate / rate
            self.expect(user)
        self.rate = rate
        self.count()

    def close(self) -> None:
        """Let nobody send any more."""
        self.sends.clear()
        self.count()

    def forget_the_rest(self) -> None:
        """Drop nothing: a request is numbered when it is sent."""


class SteeredRun(ResilientRun):
    """A run with everything that can fail, which takes orders.

    Without any order its records are those of the reference engine.

    Args:
        scenario: what is simulated.
        replication: 0 or more.
        until: when arrivals end at the latest, seconds; the scenario's horizon by default.
    """

    def __init__(self, scenario: Scenario, *, replication: int = 0, until: float | None = None) -> None:
        horizon = scenario.horizon
        seconds = None if horizon is None else horizon.seconds
        self.ends = min(math.inf if seconds is None else seconds, math.inf if until is None else until)
        """When arrivals end, seconds."""
        # The workload's own time may run ahead of the clock, so that its end is not the workload's to say.
        requests = None if horizon is None else horizon.requests
        open_ended = None if requests is None else Extent(requests=requests)
        workload = Workload(scenario.model_copy(update={"horizon": open_ended}), replication=replication)
        self.just_answered: list[int] = []
        """Requests that were answered since somebody last took them from here."""
        super().__init__(workload, None)

    def make_source(self, workload: Workload) -> Source:
        """Make what the requests come from."""
        self.stretched: StretchedSource | StretchedUsers = (
            StretchedUsers(self, workload) if workload.scenario.closed else StretchedSource(self)
        )
        return self.stretched

    def end_arrivals(self, now: float) -> None:
        """Let arrivals end now."""
        self.ends = min(self.ends, now)
        self.stretched.close()

    def answer(self, request: int, now: float) -> None:
        """The client has its answer."""
        super().answer(request, now)
        self.just_answered.append(request)

    @property
    def until(self) -> float:
        """When arrivals ended, seconds."""
        if self.ends < math.inf:
            return self.ends
        return self.arrival[-1] if self.arrival else 0.0

    def records(self) -> Records:
        """Gather what became of the requests that came.

        Raises:
            SimulationError: one of them has no answer.
        """
        self.stretched.forget_the_rest()
        return super().records()

    def records_of(self, requests: Sequence[int]) -> Records:
        """Gather what became of some requests, all of them answered; without their attempts.

        Args:
            requests: their numbers, rising.
        """
        last = [self.final[one] for one in requests]
        served = [one if one is not None and one.outcome is Outcome.OK else None for one in last]
        nowhere = [one is None or math.isnan(one.sent) for one in last]
        return Records(
            arrival=np.array([self.arrival[one] for one in requests]),
            begin=np.array([one.begin if one else math.nan for one in served]),
            finish=np.array([one.finish if one else math.nan for one in served]),
            answered=np.array([self.answered[one] for one in requests]),
            balancer=np.array([one.call.balancer if one else 0 for one in last], np.int64),
            server=np.array(
                [
                    NOWHERE if none or one is None else one.server
                    for one, none in zip(last, nowhere, strict=True)
                ],
                np.int64,
            ),
            outcome=np.array([self.outcome[one] for one in requests], np.int64),
            queue_depth=np.array([one.depth if one else NOWHERE for one in last], np.int64),
            delay=np.array([machine.near for machine in self.machines]),
            until=self.until,
            area=self.area,
        )
