"""The strategies of HAProxy."""

from workbench.simulate.strategies.haproxy.first import HaproxyFirst
from workbench.simulate.strategies.haproxy.hash import HaproxyHash
from workbench.simulate.strategies.haproxy.leastconn import HaproxyLeastconn
from workbench.simulate.strategies.haproxy.random import HaproxyRandom
from workbench.simulate.strategies.haproxy.roundrobin import HaproxyRoundrobin
from workbench.simulate.strategies.haproxy.source import HaproxySource
from workbench.simulate.strategies.haproxy.static_rr import HaproxyStaticRr

__all__ = [
    "HaproxyFirst",
    "HaproxyHash",
    "HaproxyLeastconn",
    "HaproxyRandom",
    "HaproxyRoundrobin",
    "HaproxySource",
    "HaproxyStaticRr",
]
