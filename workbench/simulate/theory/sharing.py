"""Strategies that never look at the queues: which share of the traffic each server has."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.simulate.arrivals import ArrivalProcess, Gamma, Poisson, Uniform
from workbench.simulate.balancers import Sharing
from workbench.simulate.pool import ServerGroup
from workbench.simulate.scenario import Scenario
from workbench.simulate.theory.one_server import Transform

_BY_CHANCE = {"random": False, "envoy.random": False, "nginx.random": True}
_IN_TURN = {
    "round_robin": False,
    "nginx.round_robin": True,
    "envoy.round_robin": True,
    "haproxy.roundrobin": True,
    "haproxy.static_rr": True,
}
"""Kinds of strategies, each with whether it goes by the weights."""


@dataclass(frozen=True)
class Split:
    """How requests are shared out."""

    shares: list[float]
    """Share of all requests that one server of each group has, in the order of the pool."""
    turn: int
    """Every server has every so-manieth request; 0 where chance decides, or turns of different lengths."""
    by_chance: bool
    """Whether each request is drawn anew."""


def split(scenario: Scenario) -> Split | None:
    """Tell how a scenario's strategy shares requests out; None where that depends on the queues."""
    kind, pool = scenario.balancers.strategy.kind, scenario.pool
    if any(group.limit is not None for group in pool):
        return None
    used = [group for group in pool if group.weight]
    count = sum(group.count for group in used)
    if count == 1:
        return Split([1.0 if group.weight else 0.0 for group in pool], 1, by_chance=False)
    if kind not in _BY_CHANCE | _IN_TURN:
        return None
    by_weight = (_BY_CHANCE | _IN_TURN)[kind]
    shares = _by_weight(pool) if by_weight else [(1.0 / count if group.weight else 0.0) for group in pool]
    one = scenario.balancers.count == 1 or scenario.balancers.view is Sharing.SHARED
    equal = not by_weight or len({group.weight for group in used}) == 1
    in_turn = kind in _IN_TURN and one and equal
    return Split(shares, count if in_turn else 0, by_chance=kind in _BY_CHANCE)


def _by_weight(pool: list[ServerGroup]) -> list[float]:
    total = sum(group.count * group.weight for group in pool)
    return [group.weight / total for group in pool]


def gap_transform(arrivals: ArrivalProcess) -> Transform | None:
    """Give the transform of the independent gaps between arrivals; None where they are not independent."""
    if isinstance(arrivals, Poisson):
        rate = arrivals.rate
        return lambda s: rate / (rate + s)
    if isinstance(arrivals, Gamma):
        scale, shape = arrivals.cv2 / arrivals.rate, 1.0 / arrivals.cv2
        return lambda s: math.exp(-shape * math.log1p(scale * s))
    if isinstance(arrivals, Uniform):
        low, width = (1.0 - arrivals.spread) / arrivals.rate, 2.0 * arrivals.spread / arrivals.rate
        return lambda s: math.exp(-low * s) * (-math.expm1(-width * s) / (width * s) if width * s else 1.0)
    return None


def shared_transform(gaps: Transform, how: Split, share: float) -> Transform:
    """Give the transform of the gaps at a server that has a share of all requests.

    Args:
        gaps: that of all arrivals.
        how: in turn, or by chance.
        share: 0 to 1, above 0.
    """
    if how.by_chance:
        return lambda s: share * gaps(s) / (1.0 - (1.0 - share) * gaps(s))
    return lambda s: gaps(s) ** how.turn
