"""Finagle's power of two choices by requests in flight."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.strategies._base import STRATEGIES, Strategy, View
from workbench.simulate.strategies.random import pick as any_usable

_EFFORT = 5


def pick(view: View, rng: Generator) -> int:
    """Draw two different servers; prefer the usable one, then the emptier, then the first.

    After five pairs without a usable server, draw among those that are usable.
    """
    usable = view.usable
    in_flight = view.in_flight
    count = len(usable)
    for _ in range(_EFFORT):
        first = int(rng.random() * count)
        second = first
        if count > 1:
            second = int(rng.random() * (count - 1))
            if second >= first:
                second += 1
        best = first
        if usable[second] and (not usable[first] or in_flight[second] < in_flight[first]):
            best = second
        if usable[best]:
            return best
    return any_usable(view, rng)


@STRATEGIES.register
class FinagleP2cLeastLoaded(Strategy):
    """The emptier of two different servers drawn at random, whatever their weights.

    Where five pairs show no usable server, Finagle sends the request to one that is not usable; here
    it goes to a usable one.
    """

    summary: ClassVar[str] = "the emptier of two different servers drawn at random"
    source: ClassVar[str] = "Finagle, develop branch (P2CLeastLoaded.scala)"
    kind: Literal["finagle.p2c_least_loaded"] = "finagle.p2c_least_loaded"
    pick = staticmethod(pick)
