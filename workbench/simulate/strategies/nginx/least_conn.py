"""Fewest connections for the weight, with the tie rule of nginx."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import failed, smooth_memory


def pick(view: View, rng: Generator) -> int:
    """Take the least connections / weight; equals take turns by smooth weighted round robin.

    Only servers from the first of the equals on take part in their turns, and a lone best pays
    nothing, so that the turns of earlier ties go on where they stood. `ints` is that of round robin.
    """
    count = len(view.usable)
    current = view.ints
    best = NO_HEALTHY_SERVER
    tied = False
    for server in range(count):
        if view.usable[server]:
            if best < 0:
                best = server
                continue
            mine = view.in_flight[server] * view.weight[best]
            least = view.in_flight[best] * view.weight[server]
            if mine < least:
                best = server
                tied = False
            elif mine == least:
                tied = True
    if not tied:
        return best
    first = best
    total = 0
    for server in range(first, count):
        if (
            view.usable[server]
            and view.in_flight[server] * view.weight[first] == view.in_flight[first] * view.weight[server]
        ):
            effective = current[count + server]
            if effective != view.weight[server]:
                effective = min(effective, view.weight[server])
                current[count + server] = min(effective + 1, view.weight[server])
            current[server] += effective
            total += effective
            if current[server] > current[best]:
                best = server
    current[best] -= total
    return best


@STRATEGIES.register
class NginxLeastConn(Strategy):
    """The server with the fewest active connections for its weight; equals by weighted round robin."""

    summary: ClassVar[str] = "fewest connections for the weight, equals by smooth weighted round robin"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_least_conn_module.c)"
    kind: Literal["nginx.least_conn"] = "nginx.least_conn"
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin as round robin does."""
        return Memory(smooth_memory(servers), [])
