"""A network that is slow."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.quantities import PositiveDuration
from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Delay(TimedFault):
    """The way to the server and back takes longer."""

    summary: ClassVar[str] = "delay: the network to it takes longer, both ways"
    kind: Literal["delay"] = "delay"
    by: PositiveDuration
    """Added each way, seconds, so that a request takes twice that longer."""

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Further away from begin to end."""
        return [Span(begin, end, Effect.DELAY, server, seconds=self.by)]
