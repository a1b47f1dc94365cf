"""Envoy's Maglev."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field, field_validator
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
from workbench.simulate.strategies.random import pick as any_usable

_LARGEST = 5_000_011
_HALF = 2**32


def pick(view: View, rng: Generator) -> int:
    """Look the key's slot up, after filling the table anew if servers in service or weights changed.

    `ints` holds, after its head and each for all servers: their order, the slot that they want next,
    the first slot that they want, the distance to the following ones, and their weight in the table,
    0 if they are not in it. The table comes next, then the upper and the lower 32 bits of each key's
    hash, and what bounded load needs. `floats` holds the weight that a server must have gathered before
    its next slot. A server that is not usable keeps its slots; the next slots are looked up instead.
    """
    ints = view.ints
    count = len(view.usable)
    size = ints[0]
    taken = HEAD + 4 * count
    changed = False
    total = 0
    for server in range(count):
        share = view.weight[server] if view.in_service[server] else 0
        if share != ints[taken + server]:
            ints[taken + server] = share
            changed = True
        total += share
    if total == 0:
        return NO_HEALTHY_SERVER
    if changed:
        fill_table(view, total)
    table = taken + count
    hashes = table + size
    slot = slot_of(view, hashes)
    for _ in range(size):
        server = ints[table + slot]
        if view.usable[server]:
            return least_loaded_enough(view, server, hashes + 2 * ints[2])
        slot = slot + 1 if slot + 1 < size else 0
    return any_usable(view, rng)


def slot_of(view: View, hashes: int) -> int:
    """Reduce the key's hash to a slot; for the n-th retry, the hash xor 2**64 - n.

    The halves keep all numbers below 2**63, where lists and arrays count alike.
    """
    ints = view.ints
    size = ints[0]
    high = ints[hashes + view.key[0]]
    low = ints[hashes + ints[2] + view.key[0]]
    if view.tries[0] > 0:
        high ^= _HALF - 1
        low ^= _HALF - view.tries[0]
    return ((high % size) * (_HALF % size) + low) % size


def fill_table(view: View, total: int) -> None:
    """Let the servers take slots in turn, one of the greatest weight at each turn, others less often."""
    ints = view.ints
    count = len(view.usable)
    size = ints[0]
    wanted = HEAD + count
    first = wanted + count
    taken = first + 2 * count
    table = taken + count
    heaviest = 0
    for slot in range(size):
        ints[table + slot] = -1
    for server in range(count):
        ints[wanted + server] = ints[first + server]
        view.floats[server] = 0.0
        heaviest = max(heaviest, ints[taken + server])
    left = size
    turn = 0
    while left > 0:
        turn += 1
        for place in range(count):
            server = ints[HEAD + place]
            share = ints[taken + server]
            if left > 0 and share > 0 and turn * (share / total) >= view.floats[server]:
                view.floats[server] += heaviest / total
                take_slot(view, server)
                left -= 1


def take_slot(view: View, server: int) -> None:
    """Give a server the next free slot in its own order."""
    ints = view.ints
    count = len(view.usable)
    size = ints[0]
    skip = ints[HEAD + 3 * count + server]
    table = HEAD + 5 * count
    slot = ints[HEAD + count + server]
    while ints[table + slot] >= 0:
        slot = (slot + skip) % size
    ints[table + slot] = server
    ints[HEAD + count + server] = (slot + skip) % size


@STRATEGIES.register
class EnvoyMaglev(Strategy):
    """A table that the servers fill in turn, each in its own hashed order, looked up by the key's hash.

    Heavier servers have more turns. The table is filled at the first pick, and anew when a server
    comes, goes or changes its weight. The n-th retry looks another hash up, as in Envoy where a retry
    is told to avoid hosts that were tried.
    """

    summary: ClassVar[str] = "a Maglev table, by the request's key"
    source: ClassVar[str] = "Envoy 1.39 (maglev_lb.cc); Eisenbud et al., NSDI 2016"
    kind: Literal["envoy.maglev"] = "envoy.maglev"
    needs_keys: ClassVar[bool] = True
    table_size: int = Field(65_537, ge=2, le=_LARGEST)
    """Slots of the table: a prime number from 2 to 5,000,011."""
    hash_balance_factor: BalanceFactor = 0
    """Percent of the mean in flight beyond which a server is passed over, 100 to 1,000,000; 0: never."""
    pick = staticmethod(pick)

    @field_validator("table_size")
    @classmethod
    def _prime(cls, size: int) -> int:
        if any(size % divisor == 0 for divisor in range(2, int(size**0.5) + 1)):
            raise PydanticCustomError("prime", "a prime number")
        return size

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Hash the servers' names and the keys."""
        count, size = servers.count, self.table_size
        order = sorted(range(count), key=lambda server: servers.names[server].encode())
        first = xxh64(servers.names) % np.uint64(size)
        skip = xxh64(servers.names, seed=1) % np.uint64(size - 1) + np.uint64(1)
        hashed = xxh64(keys)
        return Memory(
            [
                size,
                self.hash_balance_factor,
                len(keys),
                *order,
                *[0] * count,
                *first.tolist(),
                *skip.tolist(),
                *[0] * count,
                *[-1] * size,
                *(hashed >> np.uint64(32)).tolist(),
                *(hashed & np.uint64(_HALF - 1)).tolist(),
                *room(hashed, factor=self.hash_balance_factor, count=count),
            ],
            [0.0] * count,
        )
