"""The emptier of two random servers, as nginx chooses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import TRIES, failed, server_at, smooth_memory, total_weight
from workbench.simulate.strategies.nginx.round_robin import pick as round_robin


def pick(view: View, rng: Generator) -> int:
    """Draw two different usable servers by weight; take the second unless it is the fuller one.

    Draws that miss or repeat count, and after 21 of them in one pick round robin decides.
    """
    total = total_weight(view)
    if total <= 0:
        return NO_HEALTHY_SERVER
    first = -1
    misses = 0
    while misses < TRIES:
        server = server_at(view, int(rng.random() * total))
        if server == first or not view.usable[server]:
            misses += 1
        elif first < 0:
            first = server
        elif view.in_flight[server] * view.weight[first] > view.in_flight[first] * view.weight[server]:
            return first
        else:
            return server
    return round_robin(view, rng)


@STRATEGIES.register
class NginxRandomTwoLeastConn(Strategy):
    """Of two servers drawn at random by weight, the one with fewer connections for its weight."""

    summary: ClassVar[str] = "the emptier of two drawn at random by weight"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_random_module.c)"
    kind: Literal["nginx.random_two_least_conn"] = "nginx.random_two_least_conn"
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin as round robin does, for the fallback."""
        return Memory(smooth_memory(servers), [])
