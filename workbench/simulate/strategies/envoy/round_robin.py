"""Envoy's weighted round robin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory, Strategy
from workbench.simulate.strategies.envoy._scheduled import ROUND_ROBIN, Start, memory, pick


@STRATEGIES.register
class EnvoyRoundRobin(Strategy):
    """The earliest deadline where weights differ, and plain turns where they are all equal.

    A server's deadline is one over its weight after its last turn. A changed weight counts from the
    server's next turn on; a server that comes or goes makes the schedule start anew. Slow start scales
    the weights. A server at its limit, which Envoy does not know for single servers, is passed over.
    """

    summary: ClassVar[str] = "in turn; by earliest deadline where weights differ"
    source: ClassVar[str] = "Envoy 1.39 (round_robin_lb.h, edf_scheduler.h)"
    kind: Literal["envoy.round_robin"] = "envoy.round_robin"
    start: Start = 0
    """Picks that the schedule begins after, 0 to 429,496,728; Envoy draws them for each worker: `random`."""
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the start."""
        start = -1 if self.start == "random" else self.start
        return memory(servers.count, method=ROUND_ROBIN, choices=1, start=start, forced=False, bias=0.0)
