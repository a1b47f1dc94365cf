"""Envoy's locality weighted load balancing.

After what the levels hold, `ints` has the number of localities scheduled and each one's place in the
order; `floats` holds for each group its weight, its weight by health, and its deadline.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field
from pydantic_core import PydanticCustomError

from workbench.simulate.failover._base import FAILOVER, NO_GROUP, GroupState
from workbench.simulate.failover.envoy._levels import (
    WithLevels,
    after_levels,
    draw_by_hosts,
    draw_level,
    level_of,
    localities,
    share_load,
)
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory

_OVERPROVISIONING = 0


def update(state: GroupState) -> None:
    """Reckon loads and weights anew, and begin the schedules from their start."""
    share_load(state)
    count = len(state.healthy)
    order = after_levels(state)
    for group in range(count):
        weight = 0.0
        if state.total[group] > 0:
            healthy = 1.0 * state.healthy[group] / state.total[group]
            weight = state.floats[group] * min(1.0, state.ints[_OVERPROVISIONING] / 100.0 * healthy)
        state.floats[count + group] = weight
        state.floats[2 * count + group] = 1.0 / weight if weight > 0.0 else 0.0
        state.ints[order + 1 + group] = group
    state.ints[order] = count


def choose(state: GroupState, last: int, rng: Generator) -> int:
    """Draw a level by its load, then take the locality in it that has the earliest deadline."""
    if last != NO_GROUP:
        return NO_GROUP
    level = draw_level(state, rng)
    count = len(state.healthy)
    order = after_levels(state)
    best = NO_GROUP
    for group in range(count):
        if level_of(state, group) == level:
            if state.panic[group]:
                return draw_by_hosts(state, level, rng)
            if state.floats[count + group] > 0.0 and (best < 0 or sooner(state, group, best)):
                best = group
    if best < 0:
        return draw_by_hosts(state, level, rng)
    state.floats[2 * count + best] += 1.0 / state.floats[count + best]
    state.ints[order + 1 + best] = state.ints[order]
    state.ints[order] += 1
    return best


def sooner(state: GroupState, group: int, other: int) -> bool:
    """Tell whether a group comes before another one: by deadline, then by who was put there first."""
    deadline = 2 * len(state.healthy)
    order = after_levels(state) + 1
    if state.floats[deadline + group] != state.floats[deadline + other]:
        return state.floats[deadline + group] < state.floats[deadline + other]
    return state.ints[order + group] < state.ints[order + other]


@FAILOVER.register
class EnvoyLocalityWeighted(WithLevels):
    """Each zone gets traffic by its weight, less as its hosts become unhealthy.

    A zone's weight counts in full while `overprovisioning_factor` percent of its healthy hosts make up all
    of them, and in proportion below that. Zones take turns by earliest deadline, beginning anew whenever
    health changes; Envoy begins at a random place then, this at the first. A level in panic goes by
    the number of hosts instead.
    """

    summary: ClassVar[str] = "zones take turns by weight and health, within Envoy's priorities"
    source: ClassVar[str] = "Envoy (locality_wrr.cc)"
    kind: Literal["envoy.locality_weighted"] = "envoy.locality_weighted"
    choose = staticmethod(choose)
    update = staticmethod(update)
    locality_weights: dict[str, int] = Field({}, max_length=30_000)
    """Weight of each zone, 0 to 1,000,000; 0 takes no traffic. A zone that is not named has 1."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse weights for zones that the pool does not have, or that leave nothing.

        Raises:
            PydanticCustomError: a zone is unknown, or every weight is 0.
        """
        zones = sorted(set(servers.zone))
        if unknown := [zone for zone in self.locality_weights if zone not in zones]:
            allowed = f"locality_weights of the zones of the pool ({', '.join(zones)}), not of {unknown[0]}"
            raise PydanticCustomError("zones", allowed.replace("{", "(").replace("}", ")"))
        given = [self.locality_weights.get(zone, 1) for zone in zones]
        if any(not 0 <= weight <= 1_000_000 for weight in given) or not any(given):
            raise PydanticCustomError("zones", "locality_weights of 0 to 1,000,000, one at least above 0")

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a group of each zone of each priority."""
        return localities(servers)[0]

    def memory(self, servers: Servers, own_zone: str) -> Memory:
        """Note the settings and weights."""
        groups, levels, zones = localities(servers)
        settings = self.level_settings(levels)
        weights = [float(self.locality_weights.get(zone, 1)) for zone in zones]
        count = len(groups)
        return Memory([*settings, count, *range(count)], [*weights, *[0.0] * (2 * count)])
