"""Join the shortest queue."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Fewest, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the fewest in flight; among equals each is equally likely."""
    in_flight = view.in_flight
    usable = view.usable
    count = len(in_flight)
    best = NO_HEALTHY_SERVER
    least = 0
    ties = 0
    for server in range(count):
        if usable[server]:
            level = in_flight[server]
            if ties == 0 or level < least:
                least = level
                best = server
                ties = 1
            elif level == least:
                ties += 1
    if ties > 1:
        skip = int(rng.random() * ties)
        server = best
        while skip > 0:
            server += 1
            if usable[server] and in_flight[server] == least:
                skip -= 1
        return server
    return best


@STRATEGIES.register
class JoinShortestQueue(Strategy):
    """The server with the fewest requests, waiting or in service; equals by chance."""

    summary: ClassVar[str] = "fewest requests waiting or in service, equals by chance"
    source: ClassVar[str] = "Winston, Journal of Applied Probability 14, 1977"
    kind: Literal["join_shortest_queue"] = "join_shortest_queue"
    fewest: ClassVar[Fewest | None] = Fewest.BY_CHANCE
    pick = staticmethod(pick)
