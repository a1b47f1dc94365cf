"""The strategies of nginx."""

from workbench.simulate.strategies.nginx.hash import NginxHash
from workbench.simulate.strategies.nginx.hash_consistent import NginxHashConsistent
from workbench.simulate.strategies.nginx.ip_hash import NginxIpHash
from workbench.simulate.strategies.nginx.least_conn import NginxLeastConn
from workbench.simulate.strategies.nginx.least_time import NginxLeastTime
from workbench.simulate.strategies.nginx.random import NginxRandom
from workbench.simulate.strategies.nginx.random_two_least_conn import NginxRandomTwoLeastConn
from workbench.simulate.strategies.nginx.round_robin import NginxRoundRobin

__all__ = [
    "NginxHash",
    "NginxHashConsistent",
    "NginxIpHash",
    "NginxLeastConn",
    "NginxLeastTime",
    "NginxRandom",
    "NginxRandomTwoLeastConn",
    "NginxRoundRobin",
]
