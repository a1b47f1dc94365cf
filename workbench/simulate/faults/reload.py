"""A balancer that is reloaded and has forgotten all that it knew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from typing import ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from workbench.simulate.faults._balancers import BalancerNumbers, unknown
from workbench.simulate.faults._base import FAULTS, Change, Changes, Effect, Fault
from workbench.simulate.faults._times import PositiveTimeSpan, Times, draws
from workbench.simulate.pool import Servers

_NO_SERVER = -1


@FAULTS.register
class Reload(Fault):
    """Balancers begin anew: counts in flight, places in a round robin, averages, ejections."""

    summary: ClassVar[str] = "reload: balancers begin anew and have forgotten all that they knew"
    kind: Literal["reload"] = "reload"
    balancers: BalancerNumbers = Field(default_factory=list)
    """The balancers that are reloaded, by number from 0; all without the key."""
    at: Times = Field(default_factory=list)
    """When, seconds from the start of the run; one time or several."""
    every: PositiveTimeSpan | None = None
    """Time from one reload to the next; each balancer has a clock of its own."""
    together: bool = False
    """The balancers are reloaded by one clock, all at once."""

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if not self.at and self.every is None:
            raise PydanticCustomError("times", "a schedule (`at`), a random process (`every`), or both")
        return self

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List balancers that are not there."""
        return unknown(self.balancers, balancers)

    def changes(self, servers: Servers, balancers: int, stream: Callable[[int], Generator]) -> Changes:
        """Tell the changes in the order of time, one for each balancer; endless with `every`."""
        targets = sorted(set(self.balancers)) or list(range(balancers))
        times: list[Iterator[tuple[float, list[int]]]] = [((at, targets) for at in sorted(self.at))]
        if self.every is not None and self.together:
            times.append(_again_and_again(draws(self.every, stream(0)), targets))
        elif self.every is not None:
            times += [_again_and_again(draws(self.every, stream(one + 1)), [one]) for one in targets]
        for time, reloaded in merge(*times, key=lambda item: item[0]):
            for balancer in reloaded:
                yield Change(time, True, Effect.RELOAD, _NO_SERVER, balancer)


def _again_and_again(gaps: Iterator[float], targets: list[int]) -> Iterator[tuple[float, list[int]]]:
    time = 0.0
    for gap in gaps:
        time += gap
        yield time, targets
