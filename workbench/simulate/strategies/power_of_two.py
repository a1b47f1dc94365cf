"""The power of d choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Draw d different usable servers and take the one with the fewest in flight, the first of equals.

    `ints[0]` is d. The rest is a permutation of the servers whose head is shuffled anew by each pick,
    so that a draw never repeats.
    """
    count = len(view.usable)
    order = view.ints
    best = NO_HEALTHY_SERVER
    wanted = order[0]
    drawn = 0
    while wanted > 0 and drawn < count:
        place = 1 + drawn + int(rng.random() * (count - drawn))
        server = order[place]
        order[place] = order[1 + drawn]
        order[1 + drawn] = server
        drawn += 1
        if view.usable[server]:
            wanted -= 1
            if best < 0 or view.in_flight[server] < view.in_flight[best]:
                best = server
    return best


@STRATEGIES.register
class PowerOfTwo(Strategy):
    """The better of a few servers drawn at random, without replacement."""

    summary: ClassVar[str] = "the emptier of two servers drawn at random (d with choices)"
    source: ClassVar[str] = "Mitzenmacher, IEEE TPDS 12, 2001; Vvedenskaya et al., 1996"
    kind: Literal["power_of_two"] = "power_of_two"
    choices: int = Field(2, ge=1, le=30_000)
    """Servers drawn, 1 or more; as many as there are is join the shortest queue."""
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with the servers in their order."""
        return Memory([self.choices, *range(servers.count)], [])
