"""Whether a pool can hold its load, and how many servers could."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.simulate.pool import ServerGroup
from workbench.simulate.scenario import Scenario
from workbench.simulate.theory.sharing import split

_MOST = 1 << 20


@dataclass(frozen=True)
class Stability:
    """What a load means for a pool."""

    load: float
    """Seconds of work at speed 1 that arrive a second, in the long run."""
    capacity: float
    """Seconds of work that the pool does a second."""
    busiest: float
    """Work that comes to the fullest server by what it can do; 1 or more is too much."""
    group: str
    """The servers for which that holds; empty where the strategy lets the whole pool share the work."""
    least_servers: int | None
    """With so many servers in the group `grown`, the rest as it is, the pool would hold; None if never."""
    grown: str
    bounded: bool
    """Whether all queues have a limit, so that the excess is refused in place of waiting."""

    @property
    def stable(self) -> bool:
        """Whether queues stay finite in the long run."""
        return self.busiest < 1.0

    def sentence(self, strategy: str) -> str:
        """Say in one sentence what is wrong, and what would mend it; empty where nothing is wrong."""
        if self.stable:
            return ""
        if self.load >= self.capacity:
            what = f"{self.load:.4g} seconds of work arrive a second, the pool serves {self.capacity:.4g}"
        else:
            what = f"{strategy} sends {self.group} {self.busiest:.3g} times the work that they can do"
        then = (
            "servers refuse what is too much"
            if self.bounded
            else "unstable: queues grow for as long as the load lasts"
        )
        if self.least_servers is None:
            mend = "no number of servers of one group alone would hold"
        else:
            mend = f"at least {self.least_servers:,} servers of the group {self.grown!r} would hold"
        return f"overload: {what}; {then}; {mend}"


def stability(scenario: Scenario) -> Stability | None:
    """Compare what arrives with what the pool can do; None for a closed loop, which limits itself.

    Where a strategy shares requests out without a look at the queues, every server has to hold its own
    share; else the pool as a whole has to.

    Raises:
        TraceError: the trace cannot be used.
    """
    load = scenario.offered_load()
    if load is None:
        return None
    how = split(scenario)
    rule = "pooled" if how is None else ("equal" if len(set(_used(how.shares))) == 1 else "weighted")
    busiest, group = _busiest(scenario.pool, load, rule)
    grown = max(
        (one for one in scenario.pool if one.weight), key=lambda one: one.count * one.slots * one.speed
    )
    least = None if busiest < 1.0 else _least(scenario.pool, grown, load, rule)
    bounded = all(one.queue_limit is not None for one in scenario.pool)
    return Stability(load, scenario.capacity(), busiest, group, least, grown.name, bounded)


def _used(shares: list[float]) -> list[float]:
    return [share for share in shares if share > 0.0]


def _busiest(pool: list[ServerGroup], load: float, rule: str) -> tuple[float, str]:
    used = [group for group in pool if group.weight]
    if rule == "pooled":
        return load / math.fsum(group.count * group.slots * group.speed for group in used), ""
    total = sum(group.count * (group.weight if rule == "weighted" else 1) for group in used)

    def utilisation(group: ServerGroup) -> float:
        share = (group.weight if rule == "weighted" else 1) / total
        return load * share / (group.slots * group.speed)

    fullest = max(used, key=utilisation)
    return utilisation(fullest), fullest.name


def _least(pool: list[ServerGroup], grown: ServerGroup, load: float, rule: str) -> int | None:
    """Search the least count of a group; the fullest server has the less to do, the more there are."""

    def holds(count: int) -> bool:
        changed = [one.model_copy(update={"count": count}) if one is grown else one for one in pool]
        return _busiest(changed, load, rule)[0] < 1.0

    high = grown.count
    while not holds(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
