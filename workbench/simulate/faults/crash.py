"""A server that crashes, and restarts."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._cold import ColdStart, restart
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Crash(TimedFault):
    """The server refuses connections, and what it had is lost at once, waiting or in service."""

    summary: ClassVar[str] = "crash: it refuses connections and loses what it had, until it restarts"
    kind: Literal["crash"] = "crash"
    cold: ColdStart | None = None
    """How slow it is after the restart, and how long; at full speed without the key."""

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Down, then cold."""
        return [Span(begin, end, Effect.CRASH, server), *restart(self.cold, end, server)]
