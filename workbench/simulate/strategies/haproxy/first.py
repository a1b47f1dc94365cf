"""The first server that has room."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the first usable server in the order of the pool, the one to avoid if there is no other."""
    avoided = NO_HEALTHY_SERVER
    for server in range(len(view.usable)):
        if view.usable[server]:
            if server != view.avoid[0]:
                return server
            avoided = server
    return avoided


@STRATEGIES.register
class HaproxyFirst(Strategy):
    """Fills the first server up to its limit, then the next; weights play no part.

    Only of use with a limit on the servers (HAProxy's maxconn).
    """

    summary: ClassVar[str] = "the first server that is below its limit"
    source: ClassVar[str] = "HAProxy 2.6 (lb_fas.c)"
    kind: Literal["haproxy.first"] = "haproxy.first"
    pick = staticmethod(pick)
