"""A server that is taken out on purpose."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Drain(TimedFault):
    """Balancers send the server nothing new; what it has it finishes."""

    summary: ClassVar[str] = "drain: balancers send it nothing new (maintenance)"
    kind: Literal["drain"] = "drain"

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Drained from begin to end."""
        return [Span(begin, end, Effect.DRAIN, server)]
