"""A server that is slow."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Slow(TimedFault):
    """The server works at a part of its speed: a noisy neighbour, a failing disk, a throttled processor."""

    summary: ClassVar[str] = "slow: its speed is multiplied by a factor"
    kind: Literal["slow"] = "slow"
    factor: float = Field(gt=0, le=1)
    """Its speed is multiplied by it; above 0, up to 1. Of several at once all count."""

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Slow from begin to end."""
        return [Span(begin, end, Effect.SLOW, server, value=self.factor)]
