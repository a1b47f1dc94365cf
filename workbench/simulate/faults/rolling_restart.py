"""A rolling restart, as when a new version is brought out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.faults._base import FAULTS, Changes, Effect
from workbench.simulate.faults._cold import ColdStart, restart
from workbench.simulate.faults._selection import ServerFault
from workbench.simulate.faults._spans import Occurrence, Span, tell
from workbench.simulate.faults._times import Times
from workbench.simulate.pool import Servers


@FAULTS.register
class RollingRestart(ServerFault):
    """One batch of servers after the other is drained, stopped and started again, in the pool's order.

    Without `drain` a server is stopped in the middle of its work, and balancers find out as they do
    with a crash.
    """

    summary: ClassVar[str] = "rolling restart: batch by batch drained, stopped and started again"
    kind: Literal["rolling_restart"] = "rolling_restart"
    at: Times = Field(min_length=1)
    """When the first batch's turn comes, seconds from the start of the run; one time or several."""
    drain: Duration = 0.0
    """For so long before it stops balancers send a batch nothing new, seconds; what it then has is lost."""
    down: PositiveDuration
    """From the stop to the restart, seconds."""
    between: Duration = 0.0
    """From a batch's restart to the next batch's turn, seconds."""
    batch: int = Field(1, ge=1, le=30_000)
    """Servers at once, 1 or more."""
    cold: ColdStart | None = None
    """How slow a server is after its restart, and how long; at full speed without the key."""

    def changes(self, servers: Servers, balancers: int, stream: Callable[[int], Generator]) -> Changes:
        """Tell the changes in the order of time."""
        turns = [turn for at in self.at for turn in self._turns(at, self.targets(servers))]
        return tell(sorted(turns, key=lambda turn: turn.time))

    def _turns(self, time: float, targets: list[int]) -> Iterator[Occurrence]:
        for first in range(0, len(targets), self.batch):
            stopped = time + self.drain
            restarted = stopped + self.down
            spans = [
                span
                for server in targets[first : first + self.batch]
                for span in self._turn(time, stopped, restarted, server)
            ]
            yield Occurrence(time, spans)
            time = restarted + self.between

    def _turn(self, begin: float, stopped: float, restarted: float, server: int) -> list[Span]:
        drained = [Span(begin, restarted, Effect.DRAIN, server)] if self.drain else []
        down = Span(stopped, restarted, Effect.CRASH, server)
        return [down, *drained, *restart(self.cold, restarted, server)]
