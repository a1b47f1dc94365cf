"""Faults that come and go: by schedule, by chance, or both."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator
from heapq import merge, nsmallest
from itertools import repeat
from typing import NamedTuple, Self

from numpy.random import Generator
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.quantities import Duration
from workbench.simulate.faults._base import Changes, problem
from workbench.simulate.faults._selection import ServerFault
from workbench.simulate.faults._spans import Occurrence, Span, tell
from workbench.simulate.faults._times import PositiveTimeSpan, Times, TimeSpan, draws
from workbench.simulate.pool import Servers


class _Failure(NamedTuple):
    """A time at which some servers fail together."""

    begin: float
    end: float
    servers: list[int]


class TimedFault(ServerFault):
    """A fault of servers that comes and goes: at given times, at random times, or both."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    any: int | None = Field(None, ge=1)
    """Each time only so many of the servers chosen, drawn anew; 1 or more."""
    at: Times = Field(default_factory=list)
    """When it begins, seconds from the start of the run; one time or several."""
    lasts: Duration | None = None
    """How long it lasts each time that it begins by schedule, seconds.

    Without it, to the end of the run; required where servers fail by chance, too.
    """
    time_to_failure: PositiveTimeSpan | None = None
    """From `from`, and then from each repair, to the next failure; each server has a clock of its own."""
    time_to_repair: TimeSpan | None = None
    """From a failure by chance to its repair; without the key there is none."""
    together: bool = False
    """The servers chosen fail by one clock, all at once."""
    from_: Duration = Field(0.0, alias="from")
    """When the clocks of `time_to_failure` start, seconds."""
    until: Duration | None = None
    """No failure by chance begins at this time or later, seconds; repairs still come."""

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        chance = self.time_to_failure is not None
        if not self.at and not chance:
            raise PydanticCustomError(
                "times", "a schedule (`at`), a random process (`time_to_failure`), or both"
            )
        if self.lasts is not None and not self.at:
            raise PydanticCustomError("times", "`lasts` with `at`; by chance it is `time_to_repair`")
        if self.lasts is None and self.at and chance:
            raise PydanticCustomError("times", "`lasts` with `at` where there is `time_to_failure`, too")
        if not chance and (self.time_to_repair is not None or self.from_ > 0 or self.until is not None):
            raise PydanticCustomError(
                "times", "`time_to_repair`, `from` and `until` with `time_to_failure`, and only then"
            )
        if self.until is not None and self.until <= self.from_:
            raise PydanticCustomError("times", "`until` after `from`")
        if self.any is not None and chance and not self.together:
            raise PydanticCustomError(
                "times",
                "`any` with `together: true`, so that there is one clock, or without `time_to_failure`",
            )
        return self

    @abstractmethod
    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Say what a failure of a server that lasts from `begin` to `end`, seconds, does; not earlier."""

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List names and zones that choose no server, and `any` where there are fewer."""
        found = super().problems(servers, balancers)
        chosen = len(self.targets(servers))
        if not found and self.any is not None and self.any > chosen:
            found.append(problem("any", self.any, f"1 to {chosen}, the number of servers chosen"))
        return found

    def changes(self, servers: Servers, balancers: int, stream: Callable[[int], Generator]) -> Changes:
        """Tell the changes in the order of time; endless where servers fail by chance and are repaired."""
        targets = self.targets(servers)
        choose = self._chooser(targets, stream)
        failures = merge(self._scheduled(targets), *self._by_chance(targets, stream), key=_begin)
        return tell(
            Occurrence(begin, [span for server in choose(hit) for span in self.spans(begin, end, server)])
            for begin, end, hit in failures
        )

    def _scheduled(self, targets: list[int]) -> Iterator[_Failure]:
        lasts = math.inf if self.lasts is None else self.lasts
        return (_Failure(at, at + lasts, targets) for at in sorted(self.at))

    def _by_chance(self, targets: list[int], stream: Callable[[int], Generator]) -> list[Iterator[_Failure]]:
        if self.time_to_failure is None:
            return []
        if self.together:
            return [self._process(self.time_to_failure, targets, stream(0))]
        return [self._process(self.time_to_failure, [server], stream(server + 1)) for server in targets]

    def _process(self, to_failure: PositiveTimeSpan, hit: list[int], rng: Generator) -> Iterator[_Failure]:
        up_rng, down_rng = rng.spawn(2)
        up = draws(to_failure, up_rng)
        down = repeat(math.inf) if self.time_to_repair is None else draws(self.time_to_repair, down_rng)
        until = math.inf if self.until is None else self.until
        time = self.from_
        while (begin := time + next(up)) < until:
            time = begin + next(down)
            yield _Failure(begin, time, hit)

    def _chooser(
        self, targets: list[int], stream: Callable[[int], Generator]
    ) -> Callable[[list[int]], list[int]]:
        """Give the choice of those that are hit each time: those with the least marks, drawn by each."""
        if (most := self.any) is None:
            return lambda hit: hit
        own = {server: stream(server + 1) for server in targets}

        def choose(hit: list[int]) -> list[int]:
            marks = [(own[server].random(), server) for server in hit]
            return sorted(server for _, server in nsmallest(most, marks))

        return choose


def _begin(failure: _Failure) -> float:
    return failure.begin
