"""One group after the other, as the priorities of the pool say."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.failover._base import FAILOVER, NO_GROUP, Failover, GroupState
from workbench.simulate.pool import Servers


def next_group(state: GroupState, last: int, rng: Generator) -> int:
    """Take the first group after the last one that has a healthy server."""
    for group in range(last + 1, len(state.healthy)):
        if state.healthy[group]:
            return group
    return NO_GROUP


def by_priority(servers: Servers) -> list[list[int]]:
    """Group the servers by priority, the lowest number first."""
    levels = sorted(set(servers.priority))
    return [[server for server, level in enumerate(servers.priority) if level == each] for each in levels]


def primaries_and_backups(servers: Servers) -> list[list[int]]:
    """Group the servers into those of priority 0 and all others; there is no empty group."""
    primaries = [server for server, level in enumerate(servers.priority) if level == 0]
    backups = [server for server, level in enumerate(servers.priority) if level > 0]
    return [group for group in (primaries, backups) if group]


@FAILOVER.register
class InOrder(Failover):
    """The first priority with a healthy server takes all; where none of it can be picked, the next does."""

    summary: ClassVar[str] = "the first priority with a healthy server, then the next"
    kind: Literal["in_order"] = "in_order"
    choose = staticmethod(next_group)

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a group of each priority."""
        return by_priority(servers)
