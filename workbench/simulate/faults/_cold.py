"""How a server that has restarted begins: cold."""

from __future__ import annotations

import math

from pydantic import Field

from workbench.documents import Section
from workbench.quantities import PositiveDuration
from workbench.simulate.faults._base import Effect
from workbench.simulate.faults._spans import Span


class ColdStart(Section):
    """A server that is slow at first: empty caches, code not compiled yet, no connections."""

    factor: float = Field(gt=0, le=1)
    """Its speed is multiplied by it; above 0, up to 1."""
    lasts: PositiveDuration
    """From the restart, seconds."""


def restart(cold: ColdStart | None, time: float, server: int) -> list[Span]:
    """Say what follows when a server comes back at a time, seconds."""
    if cold is None or time == math.inf:
        return []
    return [Span(time, time + cold.lasts, Effect.SLOW, server, value=cold.factor)]
