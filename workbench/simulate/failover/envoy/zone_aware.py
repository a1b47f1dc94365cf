"""Envoy's zone aware routing.

After what the levels hold, `ints` has the settings, the group of the balancer's own zone, how requests
are routed now, the share of them that may stay in the zone, and the number of zones of balancers; then for
each group the share of all balancers that are in its zone, and the room that it and those before it have
for requests of other zones. Shares are in ten-thousandths.
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

_LEAST_HOSTS, _ROUTED, _FAIL_ON_PANIC, _OWN, _ROUTING, _STAYS, _MAY_ROUTE, _LOCAL = range(8)
_BY_HOSTS, _DIRECT, _RESIDUAL = range(3)


def update(state: GroupState) -> None:
    """Reckon loads, and what part of the requests may stay in the zone."""
    share_load(state)
    ints = state.ints
    start = after_levels(state)
    healthy = 0
    for group in range(len(state.healthy)):
        if level_of(state, group) == 0:
            healthy += state.healthy[group]
    ints[start + _ROUTING] = _BY_HOSTS
    if not ints[start + _MAY_ROUTE] or healthy == 0 or healthy < ints[start + _LEAST_HOSTS]:
        return
    ints[start + _ROUTING] = _RESIDUAL
    ints[start + _STAYS] = 0
    own = ints[start + _OWN]
    if own >= 0:
        upstream = 10_000 * state.healthy[own] // healthy
        local = ints[start + _LOCAL + own] if upstream > 0 else 0
        if upstream > 0 and upstream >= local:
            ints[start + _ROUTING] = _DIRECT
            return
        if local > 0:
            ints[start + _STAYS] = upstream * 10_000 // local
    fill_room(state, healthy)


def fill_room(state: GroupState, healthy: int) -> None:
    """Add up the room that the other zones have: their share of hosts beyond their share of balancers."""
    start = after_levels(state)
    room = start + _LOCAL + len(state.healthy)
    so_far = 0
    for group in range(len(state.healthy)):
        if level_of(state, group) == 0 and group != state.ints[start + _OWN]:
            upstream = 10_000 * state.healthy[group] // healthy
            local = state.ints[start + _LOCAL + group] if upstream > 0 else 0
            so_far += max(0, upstream - local)
        state.ints[room + group] = so_far


def choose(state: GroupState, last: int, rng: Generator) -> int:
    """Draw a level by its load, then stay in the zone, or draw another one by its room."""
    if last != NO_GROUP:
        return NO_GROUP
    ints = state.ints
    start = after_levels(state)
    level = draw_level(state, rng)
    if in_panic(state, level) and ints[start + _FAIL_ON_PANIC]:
        return NO_GROUP
    if level > 0 or in_panic(state, level) or ints[start + _ROUTING] == _BY_HOSTS:
        return draw_by_hosts(state, level, rng)
    if ints[start + _ROUTED] < 100 and int(rng.random() * 100.0) >= ints[start + _ROUTED]:
        return draw_by_hosts(state, level, rng)
    if ints[start + _ROUTING] == _DIRECT or int(rng.random() * 10_000.0) < ints[start + _STAYS]:
        return ints[start + _OWN]
    return draw_by_room(state, rng)


def in_panic(state: GroupState, level: int) -> bool:
    """Tell whether a level is in panic."""
    for group in range(len(state.healthy)):
        if level_of(state, group) == level:
            return state.panic[group] > 0
    return False


def draw_by_room(state: GroupState, rng: Generator) -> int:
    """Draw a zone by its room; where rounding has left none, every zone is as likely."""
    room = after_levels(state) + _LOCAL + len(state.healthy)
    whole = state.ints[room + len(state.healthy) - 1]
    zones = 0
    for group in range(len(state.healthy)):
        zones += int(level_of(state, group) == 0)
    if whole == 0:
        return int(rng.random() * zones)
    draw = int(rng.random() * whole)
    group = 0
    while draw >= state.ints[room + group]:
        group += 1
    return group


@FAILOVER.register
class EnvoyZoneAware(WithLevels):
    """A balancer keeps to its own zone as far as the zone's hosts can take what its balancers send.

    A zone's share of the healthy hosts is compared with its share of the balancers: if it is as much, all
    requests stay; else a part of them, and the others go to zones with room. This is for the first
    priority, out of panic, with `min_cluster_size` healthy hosts or more, in two zones at least, and with
    balancers in two zones at least, the balancer's own among them.
    """

    summary: ClassVar[str] = "requests stay in the balancer's zone as far as its hosts can take them"
    source: ClassVar[str] = "Envoy (load_balancer_impl.cc, regenerateLocalityRoutingStructures)"
    kind: Literal["envoy.zone_aware"] = "envoy.zone_aware"
    choose = staticmethod(choose)
    update = staticmethod(update)
    min_cluster_size: int = Field(6, ge=0, le=1_000_000)
    """Healthy hosts without which zones are not looked at, 0 to 1,000,000."""
    routing_enabled: int = Field(100, ge=0, le=100)
    """Percent of the requests for which zones are looked at, 0 to 100."""
    fail_traffic_on_panic: bool = False
    """Whether a level in panic takes no requests, instead of sending them to all of its hosts."""
    balancer_zones: dict[str, int] = Field({}, max_length=30_000)
    """Balancers in each zone, 0 to 1,000,000 (the local cluster); without it one in each zone of the pool."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse numbers of balancers below 0.

        Raises:
            PydanticCustomError: a number is out of range, or all are 0.
        """
        counts = list(self.balancer_zones.values())
        if any(not 0 <= count <= 1_000_000 for count in counts) or (counts and not any(counts)):
            raise PydanticCustomError("zones", "balancer_zones of 0 to 1,000,000, one at least above 0")

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a group of each zone of each priority."""
        return localities(servers)[0]

    def memory(self, servers: Servers, own_zone: str) -> Memory:
        """Note the settings, the own zone, and where the balancers are."""
        groups, levels, zones = localities(servers)
        first = [zone for zone, level in zip(zones, levels, strict=True) if level == 0]
        counts = self.balancer_zones or dict.fromkeys(first, 1)
        whole = max(1, sum(counts.values()))
        local = [
            10_000 * counts.get(zone, 0) // whole if level == 0 else 0
            for zone, level in zip(zones, levels, strict=True)
        ]
        used = sum(count > 0 for count in counts.values())
        may_route = len(first) >= 2 and used >= 2 and counts.get(own_zone, 0) > 0
        own = first.index(own_zone) if own_zone in first else NO_GROUP
        settings = [self.min_cluster_size, self.routing_enabled, int(self.fail_traffic_on_panic)]
        routing = [own, _BY_HOSTS, 0, int(may_route)]
        start = self.level_settings(levels)
        return Memory([*start, *settings, *routing, *local, *[0] * len(groups)], [])
