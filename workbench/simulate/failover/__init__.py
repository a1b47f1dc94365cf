"""Rules of failover, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.failover import envoy
from workbench.simulate.failover._base import FAILOVER, NO_GROUP, Failover, GroupState
from workbench.simulate.failover.haproxy import HaproxyBackup
from workbench.simulate.failover.in_order import InOrder
from workbench.simulate.failover.nginx import NginxBackup

__all__ = [
    "FAILOVER",
    "NO_GROUP",
    "Failover",
    "GroupState",
    "HaproxyBackup",
    "InOrder",
    "NginxBackup",
    "envoy",
]
