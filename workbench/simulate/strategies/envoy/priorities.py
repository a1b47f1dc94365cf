"""How Envoy spreads load over priority levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


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
    health = [
        min(100, overprovisioning * up // hosts) if hosts else 0
        for up, hosts in zip(healthy, total, strict=True)
    ]
    available = min(100, sum(health))
    short = available < 100
    panic = [
        short and (100 * up / hosts if hosts else 0.0) < panic_threshold
        for up, hosts in zip(healthy, total, strict=True)
    ]
    if all(panic):
        health, available = _by_hosts(total), 100
    elif available == 0:
        return PriorityLoad([100, *[0] * (levels - 1)], [False] * levels)
    load: list[int] = []
    for part in health:
        load.append(min(100 - sum(load), part * 100 // available))
    load[next(level for level, part in enumerate(health) if part)] += 100 - sum(load)
    return PriorityLoad(load, panic)


def _by_hosts(total: Sequence[int]) -> list[int]:
    hosts = sum(total)
    return [100 * count // hosts for count in total] if hosts else [100, *[0] * (len(total) - 1)]
