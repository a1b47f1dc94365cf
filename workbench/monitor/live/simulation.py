"""A simulation that goes on interval by interval and takes commands in between."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from workbench.monitor.live.commands import Command
from workbench.monitor.live.commands._base import server_number
from workbench.monitor.live.slices import SliceSampler, new_events, requests_table
from workbench.simulate import Records, Scenario
from workbench.simulate.engines.reference import SteeredRun, Steering

_US = 1e6


@dataclass(frozen=True, eq=False)
class Slice:
    """What became of a run in one interval.

    Args:
        at_us: end of the interval, microseconds.
        samples: of each server.
        requests: that were answered.
    """

    at_us: int
    samples: pa.Table
    requests: pa.Table


class LiveSimulation:
    """A run that stands between two intervals.

    It is the same for the same scenario, seed and commands at the same simulated times, so that it can be
    made again from these after its process has gone.

    Args:
        scenario: what is simulated.
        run_id: number of the run.
        sample_us: length of an interval, microseconds.
        replication: 0 or more.
        until_us: when arrivals end at the latest, microseconds; the scenario's horizon by default.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        run_id: int,
        sample_us: int,
        replication: int = 0,
        until_us: int | None = None,
    ) -> None:
        until = None if until_us is None else until_us / _US
        self.run = SteeredRun(scenario, replication=replication, until=until)
        self.steering = Steering(self.run)
        self.run_id = run_id
        self.sample_us = sample_us
        self.at_us = 0
        """Simulated time, microseconds: all events before it have happened, and none of it or later."""
        self.answered = 0
        """Requests that have their answer."""
        self._sampler = SliceSampler(self.run, run_id)
        self._told = 0
        """Events that have been given out."""

    @property
    def now(self) -> float:
        """Simulated time, seconds."""
        return self.at_us / _US

    @property
    def arrived(self) -> int:
        """Requests so far."""
        return self.answered + self.run.in_system

    @property
    def over(self) -> bool:
        """Whether all requests have come and have their answer."""
        return self.run.finished

    def advance(self) -> Slice:
        """Go on for one interval.

        Raises:
            SimulationError: the strategy failed, or requests would wait for ever.
        """
        run, begin = self.run, self.now
        end_us = self.at_us + self.sample_us
        run.clock.run_before(end_us / _US)
        self.at_us = end_us
        samples = self._sampler.sample(begin, self.now)
        numbers = sorted(run.just_answered)
        run.just_answered.clear()
        self.answered += len(numbers)
        return Slice(self.at_us, samples, requests_table(run, numbers, self.run_id))

    def take_events(self) -> pa.Table:
        """Give the events, commands among them, that have not been given out yet."""
        events = new_events(self.run, self._told, self.run_id)
        self._told = len(self.run.events)
        return events

    def obey(self, command: Command, *, number: int, author: str, reason: str, forced: bool) -> str:
        """Do what a command says, now; give what was done.

        Args:
            command: what to do.
            number: of the command, so that no two events are the same.
            author: who says so.
            reason: why; may be empty.
            forced: whether it is done even where it leaves no usable server.

        Raises:
            InputError: it cannot be done; nothing has changed then.
        """
        done = command.apply(self.steering, self.now, forced=forced)
        about = None if command.server is None else server_number(command.server, self.steering)
        because = f": {reason}" if reason else ""
        self.steering.note(self.now, about, f"{command.text} (command {number} of {author}{because})")
        return done

    def end_arrivals(self) -> None:
        """Let no more requests come."""
        self.run.end_arrivals(self.now)

    def records(self) -> Records:
        """Gather what became of all requests, once it is over.

        Raises:
            SimulationError: one of them has no answer.
        """
        # Servers may still be at work for clients that have gone.
        self.run.clock.run()
        return self.run.records()
