"""Places on the line that the servers' weights, laid end to end, make up."""

from __future__ import annotations

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import View

TRIES = 21
"""Places that nginx tries before it falls back on round robin."""


def smooth_memory(servers: Servers) -> list[int]:
    """Begin `ints` with what round robin remembers, which every strategy of nginx keeps beside its own."""
    return [0] * servers.count + servers.weight


def total_weight(view: View) -> int:
    """Sum the weights of all servers, usable or not."""
    total = 0
    for server in range(len(view.weight)):
        total += view.weight[server]
    return total


def server_at(view: View, place: int) -> int:
    """Find the server whose stretch of weight a place, from 0 up to below the total, falls into."""
    server = 0
    while place >= view.weight[server]:
        place -= view.weight[server]
        server += 1
    return server
