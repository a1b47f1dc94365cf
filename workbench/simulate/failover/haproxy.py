"""HAProxy's backup servers."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.failover._base import FAILOVER, NO_GROUP, Failover, GroupState
from workbench.simulate.failover.in_order import primaries_and_backups
from workbench.simulate.pool import Servers


def choose(state: GroupState, last: int, rng: Generator) -> int:
    """Take the first group with a healthy server; where all of it are full, the request must wait."""
    if last != NO_GROUP:
        return NO_GROUP
    for group in range(len(state.healthy)):
        if state.healthy[group]:
            return group
    return NO_GROUP


@FAILOVER.register
class HaproxyBackup(Failover):
    """Backups are for when every primary is down, not for when they are full.

    A server of a priority above 0 is a backup. Only the first healthy one is used, in the order of the
    pool, unless all are.
    """

    summary: ClassVar[str] = "the first healthy backup, or all, once every primary is down"
    source: ClassVar[str] = "HAProxy 2.6 (backend.c, lb_fwrr.c)"
    kind: Literal["haproxy.backup"] = "haproxy.backup"
    choose = staticmethod(choose)
    all_backups: bool = False
    """Whether all healthy backups share the load (`option allbackups`), or the first takes it alone."""

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a group of the primaries, and one of the backups, or of each backup."""
        groups = primaries_and_backups(servers)
        if self.all_backups:
            return groups
        alone = [[server] for server, priority in enumerate(servers.priority) if priority > 0]
        return [*(group for group in groups if servers.priority[group[0]] == 0), *alone]
