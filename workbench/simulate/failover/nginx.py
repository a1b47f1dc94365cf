"""nginx's backup servers."""

from __future__ import annotations

from typing import ClassVar, Literal

from workbench.simulate.failover._base import FAILOVER, Failover
from workbench.simulate.failover.in_order import next_group, primaries_and_backups
from workbench.simulate.pool import Servers


@FAILOVER.register
class NginxBackup(Failover):
    """Backups are for when no primary can be picked: all are out, full, or have failed this request.

    A server of a priority above 0 is a backup; there is no order among backups.
    """

    summary: ClassVar[str] = "backups when no primary can be picked, also when all are full"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_round_robin.c)"
    kind: Literal["nginx.backup"] = "nginx.backup"
    choose = staticmethod(next_group)

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a group of the primaries and one of the backups."""
        return primaries_and_backups(servers)
