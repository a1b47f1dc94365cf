"""Faults read as a document has them, and the changes that they tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

from numpy.random import PCG64, Generator, SeedSequence

from workbench.simulate.faults import EVERY_BALANCER, FAULTS, Change, Effect, Fault
from workbench.simulate.pool import ServerGroup, Servers, expand

POOL = expand([ServerGroup(name="web", count=3, zone="a"), ServerGroup(name="app", count=2, zone="b")])
"""web-0, web-1 and web-2 in zone a, app-0 and app-1 in zone b."""


def pool(servers: int) -> Servers:
    return expand([ServerGroup(name="web", count=servers, zone="a")])


def streams(seed: int) -> Callable[[int], Generator]:
    return lambda index: Generator(PCG64(SeedSequence(seed, spawn_key=(index,))))


def fault(kind: str, **keys: Any) -> Fault:
    return FAULTS.read({"kind": kind} | {key.rstrip("_"): value for key, value in keys.items()})


def told(
    given: Fault, *, until: float, servers: Servers = POOL, balancers: int = 1, seed: int = 1
) -> list[Change]:
    """The changes up to a time."""
    changes = given.changes(servers, balancers, streams(seed))
    return list(takewhile(lambda change: change.time <= until, changes))


def lasting(
    changes: Iterable[Change], effect: Effect, server: int, *, balancer: int = EVERY_BALANCER
) -> list[tuple[float, float]]:
    """When an effect began and ended at a server; those that have ended."""
    times = [
        change.time
        for change in changes
        if (change.effect, change.server, change.balancer) == (effect, server, balancer)
    ]
    return list(zip(times[::2], times[1::2], strict=False))
