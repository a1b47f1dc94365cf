"""Random choice."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Strategy, View

_TRIES = 16


def pick(view: View, rng: Generator) -> int:
    """Draw until a usable server comes; after 16 misses, draw among those that are usable."""
    count = len(view.usable)
    for _ in range(_TRIES):
        server = int(rng.random() * count)
        if view.usable[server]:
            return server
    left = 0
    for server in range(count):
        left += view.usable[server]
    if left == 0:
        return NO_HEALTHY_SERVER
    left = int(rng.random() * left)
    for server in range(count):
        if view.usable[server]:
            if left == 0:
                return server
            left -= 1
    return NO_HEALTHY_SERVER


@STRATEGIES.register
class Random(Strategy):
    """Every usable server is equally likely, whatever its weight."""

    summary: ClassVar[str] = "every server equally likely"
    source: ClassVar[str] = "standard"
    kind: Literal["random"] = "random"
    pick = staticmethod(pick)
