"""A server that hangs."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Hang(TimedFault):
    """The server accepts requests and does nothing; afterwards it goes on where it stopped."""

    summary: ClassVar[str] = "hang: it accepts requests and does nothing, then goes on where it stopped"
    kind: Literal["hang"] = "hang"

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Stopped from begin to end."""
        return [Span(begin, end, Effect.SLOW, server, value=0.0)]
