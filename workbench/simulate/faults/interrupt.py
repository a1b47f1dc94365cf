"""A server that breaks down while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.faults._base import FAULTS, Change, Changes, Effect
from workbench.simulate.faults._selection import ServerFault
from workbench.simulate.faults._times import PositiveTimeSpan, TimeSpan, draws
from workbench.simulate.pool import Servers


@FAULTS.register
class Interrupt(ServerFault):
    """The server stops after so much time of work, and goes on with it after the repair.

    The queue with service interruptions of White and Christie (Operations Research 6, 1958): a request
    takes its demand and the repairs that come in between; an idle server does not break down.
    """

    summary: ClassVar[str] = "interrupt: it stops only while it works, and goes on after the repair"
    kind: Literal["interrupt"] = "interrupt"
    time_to_failure: PositiveTimeSpan
    """Time for which the server is busy, from one repair to the next failure."""
    time_to_repair: TimeSpan
    """From a failure to its repair."""

    def changes(self, servers: Servers, balancers: int, stream: Callable[[int], Generator]) -> Changes:
        """Tell each server's interruptions without end, each when the last but one can have ended."""
        own = [self._of(server, stream(server + 1)) for server in self.targets(servers)]
        return merge(*own, key=lambda change: change.time)

    def _of(self, server: int, rng: Generator) -> Iterator[Change]:
        work_rng, repair_rng = rng.spawn(2)
        told = time = 0.0
        for work, repair in zip(
            draws(self.time_to_failure, work_rng), draws(self.time_to_repair, repair_rng), strict=False
        ):
            yield Change(told, True, Effect.INTERRUPT, server, value=repair, seconds=work)
            told, time = time, time + work + repair
