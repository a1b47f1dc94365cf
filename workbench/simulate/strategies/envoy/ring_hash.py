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
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.envoy._bounded_load import (
    HEAD,
    BalanceFactor,
    least_loaded_enough,
    room,
)
from workbench.simulate.strategies.envoy.xxh64 import xxh64


def pick(view: View, rng: Generator) -> int:
    """Walk the ring from the key's place to the first usable server.

    `ints` holds, after its head, the server at each point of the ring, the place of each key, and what
    bounded load needs.
    """
    ints = view.ints
    size = ints[0]
    places = HEAD + size
    place = ints[places + view.key[0]] if size > 0 else 0
    for _ in range(size):
        server = ints[HEAD + place]
        if view.usable[server]:
            return least_loaded_enough(view, server, places + ints[2])
        place += 1
        if place == size:
            place = 0
    return NO_HEALTHY_SERVER


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

    The ring is built once, over all servers with a weight; it is passed over a server that is not
    usable, whose keys alone then move. Envoy builds another ring over its healthy servers, with more
    points for each, so that a few more keys move there.
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
        """Build the ring and find each key's place on it."""
        ring, hashes = build_ring(
            servers.names, servers.weight, minimum=self.minimum_ring_size, maximum=self.maximum_ring_size
        )
        hashed = xxh64(keys)
        places = np.searchsorted(hashes, hashed) % max(len(ring), 1)
        bounded = room(hashed, factor=self.hash_balance_factor, count=servers.count)
        head = [len(ring), self.hash_balance_factor, len(keys)]
        return Memory([*head, *ring.tolist(), *places.tolist(), *bounded], [])
