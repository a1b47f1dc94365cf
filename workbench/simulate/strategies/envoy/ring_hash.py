"""Envoy's ring hash."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.envoy._bounded_load import (
    HEAD,
    BalanceFactor,
    least_loaded_enough,
    room,
)
from workbench.simulate.strategies.envoy.xxh64 import xxh64
from workbench.simulate.strategies.random import pick as any_usable

_SPARE = 2**17
"""Points that are hashed in advance, for denser rings of fewer servers."""

# `ints` holds, after its head: the greatest and the least size of a ring, its present size; for each
# server its weight in the ring (-1: no ring yet) and its points in it; for each of the points hashed in
# advance, in the order of their hashes, the server, its number with the server, the server of the ring
# at the place that has this index, and the first place of the ring at or after the point; the first
# point at or after each key's hash; and what bounded load needs.
_LEAST, _MOST, _SIZE, _WEIGHTS = HEAD, HEAD + 1, HEAD + 2, HEAD + 3


def pick(view: View, rng: Generator) -> int:
    """Walk the ring of the servers in service from the key's place to the first one that is usable.

    The n-th retry begins n places further on.
    """
    ints = view.ints
    count = len(view.usable)
    points = ints[0]
    changed = False
    for server in range(count):
        weight = view.weight[server] if view.in_service[server] else 0
        if weight != ints[_WEIGHTS + server]:
            ints[_WEIGHTS + server] = weight
            changed = True
    if changed:
        lay_ring(view)
    size = ints[_SIZE]
    if size == 0:
        return any_usable(view, rng)
    ring = _WEIGHTS + 2 * count + 2 * points
    keys = ring + 2 * points
    point = ints[keys + view.key[0]]
    place = ints[ring + points + point] if point < points else 0
    place = (place + view.tries[0]) % size
    for _ in range(size):
        server = ints[ring + place]
        if view.usable[server]:
            return least_loaded_enough(view, server, keys + ints[2])
        place = place + 1 if place + 1 < size else 0
    return any_usable(view, rng)


def lay_ring(view: View) -> None:
    """Put the points of the servers in service on the ring, as many as they should have there."""
    ints = view.ints
    count = len(view.usable)
    points = ints[0]
    wanted = _WEIGHTS + count
    owners = wanted + count
    ring = owners + 2 * points
    share_out(view)
    size = 0
    for point in range(points):
        server = ints[owners + point]
        ints[ring + points + point] = size
        if ints[owners + points + point] < ints[wanted + server]:
            ints[ring + size] = server
            size += 1
    ints[_SIZE] = size
    last = points - 1
    while last >= 0 and ints[ring + points + last] == size:
        ints[ring + points + last] = 0
        last -= 1


def share_out(view: View) -> None:
    """Reckon how many points each server should have, as `build_ring` does."""
    ints = view.ints
    count = len(view.usable)
    total = 0
    lightest = 0
    for server in range(count):
        weight = ints[_WEIGHTS + server]
        total += weight
        if weight > 0 and (lightest == 0 or weight < lightest):
            lightest = weight
    if total == 0:
        return
    least = lightest / total
    scale = min(math.ceil(least * ints[_LEAST]) / least, float(ints[_MOST]))
    target = 0.0
    made = 0
    for server in range(count):
        weight = ints[_WEIGHTS + server]
        target += scale * (weight / total)
        own = max(0, math.ceil(target) - made) if weight > 0 else 0
        ints[_WEIGHTS + count + server] = own
        made += own


def points_in_advance(servers: Servers, *, minimum: int, maximum: int) -> list[int]:
    """Tell how many points of each server are hashed: all that it may need, or its part of `_SPARE`.

    No server needs more than this whatever servers are out, unless its weight grows; but the ring of the
    whole pool has all of its points.
    """
    ring, _ = build_ring(servers.names, servers.weight, minimum=minimum, maximum=maximum)
    whole = np.bincount(ring, minlength=servers.count)
    lightest = min((weight for weight in servers.weight if weight), default=1)
    needed = [min(minimum + max(weight, 1) // lightest, maximum) + 2 for weight in servers.weight]
    part = min(1.0, _SPARE / sum(needed))
    return [max(int(own), int(part * need)) for own, need in zip(whole, needed, strict=True)]


def build_ring(
    names: Sequence[str], weights: Sequence[int], *, minimum: int, maximum: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Give the server and the hash of each point, in the order of the hashes.

    Args:
        names: of the servers; a point's hash is that of `name_number`.
        weights: of the servers; those without weight have no points.
        minimum: points that the ring should have, at least.
        maximum: points that it may have, about.
    """
    total = sum(weights)
    if total == 0:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    least = min(weight / total for weight in weights if weight)
    scale = min(math.ceil(least * minimum) / least, float(maximum))
    servers: list[int] = []
    texts: list[str] = []
    target = 0.0
    for server, (name, weight) in enumerate(zip(names, weights, strict=True)):
        target += scale * (weight / total)
        points = max(0, math.ceil(target) - len(texts)) if weight else 0
        servers += [server] * points
        texts += [f"{name}_{number}" for number in range(points)]
    hashes = xxh64(texts)
    order = np.argsort(hashes, kind="stable")
    return np.array(servers, np.int64)[order], hashes[order]


@STRATEGIES.register
class EnvoyRingHash(Strategy):
    """The first server at or after the hash of the request's key, on a ring of hashed server names.

    The ring holds the servers in service, by their weights. It has a least size, so that each of the
    others has more points when one goes, and a few more keys move than its own. The n-th retry takes the
    n-th place after the key's, as in Envoy where a retry is told to avoid hosts that were tried. In pools
    with so many servers that more than 131,072 points could be needed, no server has more than its part of
    these, or than on the ring of the whole pool: when most of such a pool is out, rings are less dense
    than Envoy's; so they are when a weight is raised far above those at the start.
    """

    summary: ClassVar[str] = "the next server on a hashed ring, by the request's key"
    source: ClassVar[str] = "Envoy 1.39 (ring_hash_lb.cc, hash function XX_HASH)"
    kind: Literal["envoy.ring_hash"] = "envoy.ring_hash"
    needs_keys: ClassVar[bool] = True
    minimum_ring_size: int = Field(1024, ge=1, le=8_388_608)
    """Points on the ring, at least; 1 to 8,388,608."""
    maximum_ring_size: int = Field(8_388_608, ge=1, le=8_388_608)
    """Points on the ring, at most; 1 to 8,388,608, and not below the minimum."""
    hash_balance_factor: BalanceFactor = 0
    """Percent of the mean in flight beyond which a server is passed over, 100 to 1,000,000; 0: never."""
    pick = staticmethod(pick)

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.minimum_ring_size > self.maximum_ring_size:
            raise PydanticCustomError("order", "a minimum_ring_size of at most the maximum_ring_size")
        return self

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Hash the points that rings may have, and find each key's place among them."""
        least, most = self.minimum_ring_size, self.maximum_ring_size
        counts = points_in_advance(servers, minimum=least, maximum=most)
        owners = np.repeat(np.arange(servers.count), counts)
        numbers = np.concatenate([np.arange(points) for points in counts])
        hashes = xxh64(
            [f"{servers.names[owner]}_{number}" for owner, number in zip(owners, numbers, strict=True)]
        )
        order = np.argsort(hashes, kind="stable")
        hashed = xxh64(keys)
        size = len(order)
        return Memory(
            [
                *(size, self.hash_balance_factor, len(keys)),
                *(least, most, 0),
                *[-1] * servers.count,
                *[0] * servers.count,
                *owners[order].tolist(),
                *numbers[order].tolist(),
                *[0] * (2 * size),
                *np.searchsorted(hashes[order], hashed).tolist(),
                *room(hashed, factor=self.hash_balance_factor, count=servers.count),
            ],
            [],
        )
