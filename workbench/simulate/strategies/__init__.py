"""Balancing strategies, one a file; each is named by its `kind`, those of a product after the product."""

from workbench.simulate.strategies import envoy, finagle, grpc, haproxy, nginx
from workbench.simulate.strategies._base import (
    NO_HEALTHY_SERVER,
    STRATEGIES,
    Fewest,
    Memory,
    Pick,
    Strategy,
    View,
    read_strategy,
)
from workbench.simulate.strategies.consistent_hash_bounded_loads import ConsistentHashBoundedLoads
from workbench.simulate.strategies.join_idle_queue import JoinIdleQueue
from workbench.simulate.strategies.join_shortest_queue import JoinShortestQueue
from workbench.simulate.strategies.least_connections import LeastConnections
from workbench.simulate.strategies.least_work_left import LeastWorkLeft
from workbench.simulate.strategies.power_of_two import PowerOfTwo
from workbench.simulate.strategies.prequal import Prequal
from workbench.simulate.strategies.random import Random
from workbench.simulate.strategies.round_robin import RoundRobin
from workbench.simulate.strategies.size_interval import SizeInterval

__all__ = [
    "NO_HEALTHY_SERVER",
    "STRATEGIES",
    "ConsistentHashBoundedLoads",
    "Fewest",
    "JoinIdleQueue",
    "JoinShortestQueue",
    "LeastConnections",
    "LeastWorkLeft",
    "Memory",
    "Pick",
    "PowerOfTwo",
    "Prequal",
    "Random",
    "RoundRobin",
    "SizeInterval",
    "Strategy",
    "View",
    "envoy",
    "finagle",
    "grpc",
    "haproxy",
    "nginx",
    "read_strategy",
]
