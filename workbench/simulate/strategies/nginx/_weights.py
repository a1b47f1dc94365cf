"""What nginx's strategies have in common: effective weights, and the line that weights make up.

Open source nginx has no slow start, so that the share of a server that comes back plays no part.
"""

from __future__ import annotations

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import View

TRIES = 21
"""Places that nginx tries before it falls back on round robin."""


def smooth_memory(servers: Servers) -> list[int]:
    """Begin `ints` with what round robin remembers, which every strategy of nginx keeps beside its own."""
    return [0] * servers.count + servers.weight


def failed(view: View, server: int) -> None:
    """Lower a server's effective weight by its weight over the failures that put it out, to 0 at least.

    It is kept in `ints` behind the current weights, with every strategy; only round robin, the ties of
    least connections and least time, and servers of one name on a ring go by it.
    """
    allowed = view.fails_allowed[server]
    if allowed > 0:
        own = len(view.weight) + server
        view.ints[own] = max(view.ints[own] - view.weight[server] // allowed, 0)


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
