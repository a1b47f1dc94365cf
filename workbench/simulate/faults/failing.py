"""A server that fails fast: the black hole."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.quantities import Duration
from workbench.simulate.faults._base import FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault


@FAULTS.register
class Failing(TimedFault):
    """The server answers with an error soon, and so looks idle: a black hole for whoever seeks the idle."""

    summary: ClassVar[str] = "failing: it answers with an error at once, so it looks idle (the black hole)"
    kind: Literal["failing"] = "failing"
    share: float = Field(1.0, gt=0, le=1)
    """Probability that a request fails; above 0, up to 1."""
    after: Duration = 0.0
    """From a request's coming to its error, seconds; no slot is used."""

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Failing from begin to end."""
        return [Span(begin, end, Effect.FAILING, server, value=self.share, seconds=self.after)]
