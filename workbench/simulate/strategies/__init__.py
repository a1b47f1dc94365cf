"""Balancing strategies, one a file; each is named by its `kind`."""

from workbench.simulate.strategies._base import (
    NO_HEALTHY_SERVER,
    STRATEGIES,
    Memory,
    Pick,
    Strategy,
    View,
    read_strategy,
)
from workbench.simulate.strategies.join_shortest_queue import JoinShortestQueue
from workbench.simulate.strategies.least_connections import LeastConnections
from workbench.simulate.strategies.least_work_left import LeastWorkLeft
from workbench.simulate.strategies.nginx import NginxRoundRobin
from workbench.simulate.strategies.power_of_two import PowerOfTwo
from workbench.simulate.strategies.random import Random
from workbench.simulate.strategies.round_robin import RoundRobin

__all__ = [
    "NO_HEALTHY_SERVER",
    "STRATEGIES",
    "JoinShortestQueue",
    "LeastConnections",
    "LeastWorkLeft",
    "Memory",
    "NginxRoundRobin",
    "Pick",
    "PowerOfTwo",
    "Random",
    "RoundRobin",
    "Strategy",
    "View",
    "read_strategy",
]
