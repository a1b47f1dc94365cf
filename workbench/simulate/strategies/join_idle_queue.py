"""Join idle queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.random import pick as any_usable


def pick(view: View, rng: Generator) -> int:
    """Take the server that has been idle longest, or any usable one where none is idle.

    `ints` holds the first place and the length of the circular queue of idle servers, the queue, and
    for each server whether it is in it.
    """
    ints = view.ints
    usable = view.usable
    count = len(usable)
    waiting = ints[1]
    for _ in range(waiting):
        server = ints[2 + ints[0]]
        ints[0] = (ints[0] + 1) % count
        ints[1] -= 1
        ints[2 + count + server] = 0
        if view.in_flight[server] == 0:
            if usable[server]:
                return server
            ints[2 + (ints[0] + ints[1]) % count] = server
            ints[1] += 1
            ints[2 + count + server] = 1
    return any_usable(view, rng)


def ended(view: View, server: int, seconds: float) -> None:
    """Let a server that has become idle join the queue."""
    ints = view.ints
    count = len(view.usable)
    if view.in_flight[server] == 0 and ints[2 + count + server] == 0:
        ints[2 + (ints[0] + ints[1]) % count] = server
        ints[1] += 1
        ints[2 + count + server] = 1


@STRATEGIES.register
class JoinIdleQueue(Strategy):
    """The server that has been idle longest, or any by chance where none is idle.

    This is the paper's dispatcher where all balancers share one view. In the paper a server that
    becomes idle tells one dispatcher, drawn by chance; balancers with views of their own see here only
    that it has answered all of their own requests.
    """

    summary: ClassVar[str] = "a server known to be idle, else any by chance"
    source: ClassVar[str] = "Lu et al., Performance Evaluation 68, 2011"
    kind: Literal["join_idle_queue"] = "join_idle_queue"
    pick = staticmethod(pick)
    ended = staticmethod(ended)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with all servers idle, in their order."""
        return Memory([0, servers.count, *range(servers.count), *[1] * servers.count], [])
