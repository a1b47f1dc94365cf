"""The least loaded of a few random servers, as HAProxy draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.haproxy._ring import (
    find,
    nearest,
    owner,
    past_avoided,
    ring_memory,
)
from workbench.simulate.strategies.haproxy._weights import check_weights, effective_weight

HASHES = 2**32

# `ints`: draws, whether rates break ties, then the ring.
RING = 2

# `floats`: one block a server: start of its current second, requests in it and in the one before.
BLOCK = 3


def pick(view: View, rng: Generator) -> int:
    """Draw hashes and take the least loaded for the weight of the servers that they fall to.

    A server may be drawn twice. Of equals the later draw wins, or the one with the lower rate. A server
    to avoid gives way to the next one on the ring. If the one that is left is full there is none.
    """
    best = NO_HEALTHY_SERVER
    for _ in range(view.ints[0]):
        value = int(rng.random() * HASHES)
        node = nearest(view, RING, value, find(view, RING, value))
        if node < 0:
            return NO_HEALTHY_SERVER
        server = owner(view, RING, past_avoided(view, RING, node))
        if best < 0:
            best = server
            continue
        mine = view.in_flight[server] * effective(view, best)
        least = view.in_flight[best] * effective(view, server)
        if mine < least or (mine == least and not (view.ints[1] and rate(view, server) > rate(view, best))):
            best = server
    return best if view.usable[best] else NO_HEALTHY_SERVER


def effective(view: View, server: int) -> int:
    """Give a server's effective weight."""
    return effective_weight(view.weight[server], view.in_service[server], view.ramp[server])


def rate(view: View, server: int) -> float:
    """Estimate a server's requests in the last second, from whole seconds since its first request."""
    own = BLOCK * server
    elapsed = view.now[0] - view.floats[own]
    if elapsed < 1:
        return view.floats[own + 1] + view.floats[own + 2] * (1 - elapsed)
    if elapsed < 2:
        return view.floats[own + 1] * (2 - elapsed)
    return 0.0


def taken(view: View, server: int) -> None:
    """Count a request in its server's rate."""
    own = BLOCK * server
    elapsed = view.now[0] - view.floats[own]
    if elapsed >= 1:
        view.floats[own + 2] = view.floats[own + 1] if elapsed < 2 else 0.0
        view.floats[own + 1] = 0.0
        view.floats[own] += float(int(elapsed))
    view.floats[own + 1] += 1.0


@STRATEGIES.register
class HaproxyRandom(Strategy):
    """The server with the fewest requests for its weight of those that a few random hashes fall to.

    Random hashes fall on the ring of consistent hashing, so that heavier servers are drawn more often.
    Servers at their limit are drawn as well: where the draws come out at a full one the request has no
    server and waits at the balancer, until any of them has room, though others have room now.
    """

    summary: ClassVar[str] = "the emptier of two draws from the hash ring (more with draws)"
    source: ClassVar[str] = "HAProxy 2.6 (backend.c, lb_chash.c); its default since 3.3"
    kind: Literal["haproxy.random"] = "haproxy.random"
    draws: int = Field(2, ge=1, le=1_000)
    """Servers drawn, with replacement, 1 to 1,000."""
    tie: Literal["later_draw", "request_rate"] = "later_draw"
    """Which of equally loaded servers is taken: the later draw, or as since 3.4 that of the lower rate."""
    pick = staticmethod(pick)
    taken = staticmethod(taken)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Lay out the ring."""
        check_weights(self.kind, servers)
        settings = [self.draws, int(self.tie == "request_rate")]
        return Memory([*settings, *ring_memory(servers)], [0.0] * (BLOCK * servers.count))
