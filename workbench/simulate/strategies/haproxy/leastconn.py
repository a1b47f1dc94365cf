"""Least connections, as HAProxy 2.6 orders them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.haproxy._weights import (
    MOST_EFFECTIVE,
    SCALE,
    check_weights,
    effective_weight,
)

# `ints`: insertions so far, then one entry a server of each of: effective weight in the tree (0: not in
# it), key, number of its insertion.


def pick(view: View, rng: Generator) -> int:
    """Take the usable server that comes first in the tree: least key, then longest at that key.

    The server to avoid is taken if no other one is usable.
    """
    count = len(view.usable)
    ints = view.ints
    weights, keys, orders = 1, 1 + count, 1 + 2 * count
    best = NO_HEALTHY_SERVER
    for server in range(count):
        weight = effective_weight(view.weight[server], view.in_service[server], view.ramp[server])
        if weight != ints[weights + server]:
            ints[weights + server] = weight
            if weight > 0:
                insert(view, server)
        if not view.usable[server] or server == view.avoid[0]:
            continue
        if (
            best < 0
            or ints[keys + server] < ints[keys + best]
            or (ints[keys + server] == ints[keys + best] and ints[orders + server] < ints[orders + best])
        ):
            best = server
    avoided = view.avoid[0]
    if best < 0 and avoided >= 0 and view.usable[avoided]:
        best = avoided
    return best


def key(view: View, server: int) -> int:
    """Compute a server's place: 0 when idle, else what its load would be with one request more."""
    in_flight = view.in_flight[server]
    if in_flight <= 0:
        return 0
    return (in_flight + 1) * MOST_EFFECTIVE // view.ints[1 + server]


def insert(view: View, server: int) -> None:
    """Put a server behind those of its key."""
    count = len(view.usable)
    view.ints[1 + count + server] = key(view, server)
    view.ints[1 + 2 * count + server] = view.ints[0]
    view.ints[0] += 1


def taken(view: View, server: int) -> None:
    """Move a server to its new place, if the request changed its key."""
    count = len(view.usable)
    if view.ints[1 + server] > 0 and key(view, server) != view.ints[1 + count + server]:
        insert(view, server)


def ended(view: View, server: int, seconds: float) -> None:
    """Move a server to its new place, if the request changed its key."""
    taken(view, server)


@STRATEGIES.register
class HaproxyLeastconn(Strategy):
    """The server with the fewest requests for its weight, those that wait there included.

    Idle servers are all equal, whatever their weight, and equals take turns. A full server keeps its
    place in the order; the request goes to the next one, or waits at the balancer if all are full.
    """

    summary: ClassVar[str] = "fewest requests for the weight; idle servers in turn whatever their weight"
    source: ClassVar[str] = "HAProxy 2.6 (lb_fwlc.c); since 3.2 ties are broken at random"
    kind: Literal["haproxy.leastconn"] = "haproxy.leastconn"
    pick = staticmethod(pick)
    taken = staticmethod(taken)
    ended = staticmethod(ended)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin with the servers in their order, all idle."""
        check_weights(self.kind, servers)
        count = servers.count
        weights = [SCALE * weight for weight in servers.weight]
        return Memory([count, *weights, *[0] * count, *range(count)], [])
