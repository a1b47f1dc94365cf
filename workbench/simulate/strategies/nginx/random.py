"""Weighted random choice, as nginx makes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import TRIES, failed, server_at, smooth_memory, total_weight
from workbench.simulate.strategies.nginx.round_robin import pick as round_robin


def pick(view: View, rng: Generator) -> int:
    """Draw by weight until a usable server comes; after 21 misses, fall back on round robin."""
    total = total_weight(view)
    if total <= 0:
        return NO_HEALTHY_SERVER
    for _ in range(TRIES):
        server = server_at(view, int(rng.random() * total))
        if view.usable[server]:
            return server
    return round_robin(view, rng)


@STRATEGIES.register
class NginxRandom(Strategy):
    """A server drawn at random, each as likely as its weight says."""

    summary: ClassVar[str] = "drawn at random by weight"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_random_module.c)"
    kind: Literal["nginx.random"] = "nginx.random"
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin as round robin does, for the fallback."""
        return Memory(smooth_memory(servers), [])
