"""Consistent hashing with bounded loads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.envoy.xxh64 import xxh64


def pick(view: View, rng: Generator) -> int:
    """Walk the ring from the key's place to the first usable server that is not full.

    `ints` holds the size of the ring, the server at each of its points, and the place of each key;
    `floats` holds 1 + epsilon.
    """
    ring = view.ints
    size = ring[0]
    candidates = 0
    requests = 1
    for server in range(len(view.usable)):
        if view.usable[server]:
            candidates += 1
            requests += view.in_flight[server]
    if candidates == 0:
        return NO_HEALTHY_SERVER
    bound = math.ceil(view.floats[0] * requests / candidates)
    place = ring[1 + size + view.key[0]]
    for _ in range(size):
        server = ring[1 + place]
        if view.usable[server] and view.in_flight[server] < bound:
            return server
        place += 1
        if place == size:
            place = 0
    return NO_HEALTHY_SERVER


@STRATEGIES.register
class ConsistentHashBoundedLoads(Strategy):
    """The next server on a hashed ring that has less than its bound in flight.

    The bound is (1 + epsilon) times the mean of requests in flight over the usable servers, the new
    one included, rounded up. All usable servers have the same bound, whatever their weight.
    """

    summary: ClassVar[str] = "the next server on a hashed ring that is not above the mean by too much"
    source: ClassVar[str] = "Mirrokni, Thorup and Zadimoghaddam, SODA 2018"
    kind: Literal["consistent_hash_bounded_loads"] = "consistent_hash_bounded_loads"
    needs_keys: ClassVar[bool] = True
    epsilon: float = Field(0.25, gt=0, le=1000)
    """How far above the mean a server may go, as a part of it; above 0, at most 1000."""
    points: int = Field(100, ge=1, le=10_000)
    """Points of each server on the ring, 1 to 10,000; the paper has one."""
    pick = staticmethod(pick)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Build the ring and find each key's place on it."""
        texts = [f"{name}#{number}" for name in servers.names for number in range(self.points)]
        hashes = xxh64(texts)
        order = np.argsort(hashes, kind="stable")
        places = np.searchsorted(hashes[order], xxh64(keys)) % max(len(texts), 1)
        ring = order // self.points
        return Memory([len(texts), *ring.tolist(), *places.tolist()], [1.0 + self.epsilon])
