"""Weighted least connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Fewest, Memory, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the smallest in flight / weight, the first of equals from `ints[0]` on, in a circle.

    While a server is slowly started it has a share of its weight.
    """
    count = len(view.usable)
    start = view.ints[0]
    best = NO_HEALTHY_SERVER
    for step in range(count):
        server = start + step
        if server >= count:
            server -= count
        if view.usable[server] and (
            best < 0
            or view.in_flight[server] * (view.weight[best] * view.ramp[best])
            < view.in_flight[best] * (view.weight[server] * view.ramp[server])
        ):
            best = server
    if best >= 0:
        view.ints[0] = (best + 1) % count
    return best


@STRATEGIES.register
class LeastConnections(Strategy):
    """The server with the fewest requests in flight for its weight; equals take turns."""

    summary: ClassVar[str] = "fewest requests in flight for the weight, equals in turn"
    source: ClassVar[str] = "standard; products differ in their ties, so take theirs where there is one"
    kind: Literal["least_connections"] = "least_connections"
    fewest: ClassVar[Fewest | None] = Fewest.IN_TURN
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the first server."""
        return Memory([0], [])
