"""Envoy's priority levels: how much of the load each gets, and which are in panic.

Groups are parts of levels, or levels themselves. `ints` begins with the overprovisioning factor, the
panic threshold, the number of levels, and the level of each group; then each level has its load in
percent, its healthy hosts and all of its hosts.
"""

from __future__ import annotations

from numpy.random import Generator
from pydantic import Field

from workbench.simulate.failover._base import NO_GROUP, Failover, GroupState
from workbench.simulate.pool import Servers

_OVERPROVISIONING, _PANIC_THRESHOLD, _LEVELS, _LEVEL_OF = range(4)


class WithLevels(Failover):
    """What Envoy's rules of failover have in common."""

    overprovisioning_factor: int = Field(140, ge=1, le=1_000_000)
    """Percent that healthy hosts count, 1 to 1,000,000."""
    healthy_panic_threshold: int = Field(50, ge=0, le=100)
    """Percent of healthy hosts below which a level is in panic, 0 to 100; 0 turns panic off."""

    def level_settings(self, levels: list[int]) -> list[int]:
        """Give the beginning of `ints` for groups of these levels."""
        return level_settings(self.overprovisioning_factor, self.healthy_panic_threshold, levels)


def level_settings(overprovisioning: int, panic_threshold: int, level_of: list[int]) -> list[int]:
    """Give the beginning of `ints`."""
    levels = max(level_of) + 1
    return [overprovisioning, panic_threshold, levels, *level_of, *[0] * (3 * levels)]


def after_levels(state: GroupState) -> int:
    """Find where in `ints` a rule's own numbers begin."""
    return _LEVEL_OF + len(state.healthy) + 3 * state.ints[_LEVELS]


def level_of(state: GroupState, group: int) -> int:
    """Give the level of a group."""
    return state.ints[_LEVEL_OF + group]


def place_of_load(state: GroupState, level: int) -> int:
    """Find the load of a level in `ints`; the healthy hosts of all levels follow, then all hosts."""
    return _LEVEL_OF + len(state.healthy) + level


def share_load(state: GroupState) -> None:
    """Reckon the load of each level, and which are in panic."""
    ints = state.ints
    levels = ints[_LEVELS]
    load = place_of_load(state, 0)
    healthy = load + levels
    total = healthy + levels
    for place in range(load, total + levels):
        ints[place] = 0
    for group in range(len(state.healthy)):
        ints[healthy + level_of(state, group)] += state.healthy[group]
        ints[total + level_of(state, group)] += state.total[group]
    available = 0
    for level in range(levels):
        available += health(state, level)
    available = min(100, available)
    panics = 0
    for level in range(levels):
        panics += int(available < 100 and is_short(state, level))
    for group in range(len(state.healthy)):
        state.panic[group] = int(available < 100 and is_short(state, level_of(state, group)))
    if panics == levels:
        share_by_hosts(state)
    elif available > 0:
        share_by_health(state, available)
    else:
        ints[load] = 100


def health(state: GroupState, level: int) -> int:
    """Give the percentage of a level's part of the load that its healthy hosts can take."""
    healthy = place_of_load(state, level) + state.ints[_LEVELS]
    total = healthy + state.ints[_LEVELS]
    if state.ints[total] == 0:
        return 0
    return min(100, state.ints[_OVERPROVISIONING] * state.ints[healthy] // state.ints[total])


def is_short(state: GroupState, level: int) -> bool:
    """Tell whether less of a level is healthy than the panic threshold."""
    healthy = place_of_load(state, level) + state.ints[_LEVELS]
    total = state.ints[healthy + state.ints[_LEVELS]]
    percent = 100.0 * state.ints[healthy] / total if total else 0.0
    return percent < state.ints[_PANIC_THRESHOLD]


def share_by_health(state: GroupState, available: int) -> None:
    """Give each level in turn what it can take; what rounding leaves goes to the first that can take any."""
    left = 100
    first = -1
    for level in range(state.ints[_LEVELS]):
        part = min(left, health(state, level) * 100 // available)
        state.ints[place_of_load(state, level)] = part
        left -= part
        if first < 0 and health(state, level) > 0:
            first = level
    state.ints[place_of_load(state, first)] += left


def share_by_hosts(state: GroupState) -> None:
    """Share the load by the number of hosts, healthy or not, as when every level is in panic."""
    hosts = 0
    for group in range(len(state.total)):
        hosts += state.total[group]
    left = 100
    first = 0
    for level in range(state.ints[_LEVELS] - 1, -1, -1):
        place = place_of_load(state, level)
        total = state.ints[place + 2 * state.ints[_LEVELS]]
        state.ints[place] = 100 * total // hosts if hosts else 0
        left -= state.ints[place]
        if total > 0:
            first = level
    state.ints[place_of_load(state, first)] += left


def draw_level(state: GroupState, rng: Generator) -> int:
    """Draw a level by its load."""
    draw = int(rng.random() * 100.0) + 1
    for level in range(state.ints[_LEVELS]):
        draw -= state.ints[place_of_load(state, level)]
        if draw <= 0:
            return level
    return 0


def draw_by_hosts(state: GroupState, level: int, rng: Generator) -> int:
    """Draw a group of a level by the number of its hosts: all in panic, else the healthy ones."""
    hosts = 0
    for group in range(len(state.healthy)):
        if level_of(state, group) == level:
            hosts += state.total[group] if state.panic[group] else state.healthy[group]
    draw = int(rng.random() * hosts)
    for group in range(len(state.healthy)):
        if level_of(state, group) == level:
            draw -= state.total[group] if state.panic[group] else state.healthy[group]
            if draw < 0:
                return group
    return NO_GROUP


def localities(servers: Servers) -> tuple[list[list[int]], list[int], list[str]]:
    """Group the servers by priority and zone; give the groups, the level and the zone of each."""
    levels = {priority: level for level, priority in enumerate(sorted(set(servers.priority)))}
    zones = {zone: place for place, zone in enumerate(dict.fromkeys(servers.zone))}
    parts: dict[tuple[int, int], list[int]] = {}
    for server in range(servers.count):
        place = levels[servers.priority[server]], zones[servers.zone[server]]
        parts.setdefault(place, []).append(server)
    ordered = sorted(parts)
    groups = [parts[place] for place in ordered]
    return groups, [level for level, _ in ordered], [servers.zone[group[0]] for group in groups]
