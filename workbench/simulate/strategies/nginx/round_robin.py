"""Smooth weighted round robin, the default of nginx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import failed, smooth_memory


def pick(view: View, rng: Generator) -> int:
    """Raise every usable server's current weight by its effective weight; the highest pays for all.

    `ints` holds the current weights, then the effective ones. An effective weight that failures have
    lowered grows back by one a pick, and so it follows a raised weight; a lowered one holds at once.
    """
    count = len(view.weight)
    current = view.ints
    total = 0
    best = NO_HEALTHY_SERVER
    for server in range(count):
        if view.usable[server]:
            effective = current[count + server]
            if effective != view.weight[server]:
                effective = min(effective, view.weight[server])
                current[count + server] = min(effective + 1, view.weight[server])
            current[server] += effective
            total += effective
            if best < 0 or current[server] > current[best]:
                best = server
    if best >= 0:
        current[best] -= total
    return best


@STRATEGIES.register
class NginxRoundRobin(Strategy):
    """Weighted round robin that spreads each server's turns evenly over the cycle."""

    summary: ClassVar[str] = "smooth weighted round robin"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_round_robin.c)"
    kind: Literal["nginx.round_robin"] = "nginx.round_robin"
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with current weights of 0 and effective weights as configured."""
        return Memory(smooth_memory(servers), [])
