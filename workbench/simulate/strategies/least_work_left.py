"""Least work left."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Strategy, View


def pick(view: View, rng: Generator) -> int:
    """Take the server at which a request would begin first; those that are free now are equal."""
    now = view.now[0]
    best = NO_HEALTHY_SERVER
    soonest = 0.0
    for server in range(len(view.usable)):
        if view.usable[server]:
            begin = max(view.free_at[server], now)
            if best < 0 or begin < soonest:
                best = server
                soonest = begin
    return best


@STRATEGIES.register
class LeastWorkLeft(Strategy):
    """The server that would begin the request first, knowing every demand: a bound for the others.

    Over servers of one speed the waits are those of one central queue, path by path.
    """

    summary: ClassVar[str] = "the server that would begin first; knows every demand, so a bound"
    source: ClassVar[str] = (
        "Harchol-Balter, Performance Modeling and Design of Computer Systems, 2013, ch. 24"
    )
    kind: Literal["least_work_left"] = "least_work_left"
    knows_demand: ClassVar[bool] = True
    pick = staticmethod(pick)
