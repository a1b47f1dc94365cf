"""The first priority that has a server."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.failover._base import FAILOVER, NO_GROUP, Failover, GroupState
from workbench.simulate.pool import Servers


def choose(state: GroupState, last: int, rng: Generator) -> int:
    """Take the next group, after the one in which nothing could be picked, that has a server in service."""
    for group in range(last + 1, len(state.healthy)):
        if state.healthy[group] > 0:
            return group
    return NO_GROUP


@FAILOVER.register
class InOrder(Failover):
    """The first priority with a server that can be picked; later ones are for when it has none."""

    summary: ClassVar[str] = "the first priority with a server that can be picked"
    kind: Literal["in_order"] = "in_order"
    choose = staticmethod(choose)

    def groups(self, servers: Servers) -> list[list[int]]:
        """One group a priority, in their order."""
        return [
            [server for server in range(servers.count) if servers.priority[server] == priority]
            for priority in sorted(set(servers.priority))
        ]
