"""HAProxy's static weighted round robin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.haproxy._map import first_slot, lay_out, map_memory
from workbench.simulate.strategies.haproxy._weights import check_weights

MAP = 1


def pick(view: View, rng: Generator) -> int:
    """Take the server of the next slot, passing over full ones; `ints` is the slot, then the map.

    The server to avoid is taken if no other one has room, by the last of its slots.
    """
    ints = view.ints
    total = lay_out(view, MAP)
    if total == 0:
        return NO_HEALTHY_SERVER
    begin = ints[0] if ints[0] < total else 0
    slots = first_slot(view, MAP)
    avoided = NO_HEALTHY_SERVER
    following = 0
    for step in range(total):
        slot = (begin + step) % total
        server = ints[slots + slot]
        if view.usable[server]:
            if server != view.avoid[0]:
                ints[0] = slot + 1
                return server
            avoided = server
            following = slot + 1
    if avoided >= 0:
        ints[0] = following
    return avoided


@STRATEGIES.register
class HaproxyStaticRr(Strategy):
    """Weighted round robin over a map that is laid out once; weights cannot change."""

    summary: ClassVar[str] = "weighted round robin over a fixed map"
    source: ClassVar[str] = "HAProxy 2.6 (lb_map.c)"
    kind: Literal["haproxy.static_rr"] = "haproxy.static_rr"
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the first slot of the map."""
        check_weights(self.kind, servers)
        return Memory([0, *map_memory(servers)], [])
