"""How Envoy spreads load over priority levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from numpy.random import Generator

from workbench.simulate.failover._base import FAILOVER, NO_GROUP, GroupState
from workbench.simulate.failover.envoy._levels import (
    WithLevels,
    draw_level,
    level_settings,
    place_of_load,
    share_load,
)
from workbench.simulate.failover.in_order import by_priority
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory


class PriorityLoad(NamedTuple):
    """What each priority level gets."""

    load: list[int]
    """Percent of the requests; 100 in all."""
    panic: list[bool]
    """Whether the level's requests go to all of its hosts, healthy or not."""


def priority_load(
    healthy: Sequence[int], total: Sequence[int], *, overprovisioning: int = 140, panic_threshold: int = 50
) -> PriorityLoad:
    """Reckon the load of each priority level, the first one being preferred.

    Args:
        healthy: healthy hosts of each level.
        total: hosts of each level.
        overprovisioning: percent; a level is full while healthy hosts times this are all of its hosts.
        panic_threshold: percent of healthy hosts below which a level is in panic, if all levels
            together are not full; 0 turns panic off.

    >>> priority_load([2, 2], [4, 4]).load
    [70, 30]
    """
    levels = len(total)
    ints = level_settings(overprovisioning, panic_threshold, list(range(levels)))
    state = GroupState(list(healthy), list(total), [0] * levels, ints, [])
    share_load(state)
    load = [ints[place_of_load(state, level)] for level in range(levels)]
    return PriorityLoad(load, [bool(panic) for panic in state.panic])


def choose(state: GroupState, last: int, rng: Generator) -> int:
    """Draw a level by its load; where nothing can be picked in it, no other is tried."""
    return draw_level(state, rng) if last == NO_GROUP else NO_GROUP


@FAILOVER.register
class EnvoyPriorities(WithLevels):
    """Load spills over to the next priority as hosts of the first become unhealthy.

    A level takes all of its load while `overprovisioning_factor` percent of its healthy hosts make up all of
    them. Where all levels together fall short, one with fewer healthy hosts than
    `healthy_panic_threshold` percent is in panic: it sends to all of its hosts.
    """

    summary: ClassVar[str] = "load by percent of healthy hosts, with overprovisioning and panic"
    source: ClassVar[str] = "Envoy (load_balancer_impl.cc)"
    kind: Literal["envoy.priorities"] = "envoy.priorities"
    choose = staticmethod(choose)
    update = staticmethod(share_load)

    def groups(self, servers: Servers) -> list[list[int]]:
        """Make a level of each priority."""
        return by_priority(servers)

    def memory(self, servers: Servers, own_zone: str) -> Memory:
        """Note the settings."""
        return Memory(self.level_settings(list(range(len(self.groups(servers))))), [])
