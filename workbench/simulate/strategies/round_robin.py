"""Plain round robin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the next usable server after the last one picked; `ints[0]` is where to look first."""
    count = len(view.usable)
    server = view.ints[0]
    for _ in range(count):
        if server >= count:
            server = 0
        if view.usable[server]:
            view.ints[0] = server + 1
            return server
        server += 1
    return NO_HEALTHY_SERVER


@STRATEGIES.register
class RoundRobin(Strategy):
    """One server after the other, whatever their weights."""

    summary: ClassVar[str] = "one server after the other, weights ignored"
    source: ClassVar[str] = "standard"
    kind: Literal["round_robin"] = "round_robin"
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the first server."""
        return Memory([0], [])
