"""Hash of a key, as HAProxy balances by it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.haproxy._map import first_slot, lay_out, map_memory
from workbench.simulate.strategies.haproxy._ring import (
    MASK,
    full_hash,
    nearest,
    owner,
    ring_memory,
    starts,
)
from workbench.simulate.strategies.haproxy._weights import SCALE, check_weights

# `ints`: balance factor (0: none, -1: map-based), number of keys, their hashes; then for map-based the
# map, else the keys' places on the ring, the weight of all servers before each server, and the ring.
FACTOR, KEYS, HASHES = 0, 1, 2


def pick(view: View, rng: Generator) -> int:
    """Look the key's hash up, in the map's slots or on the ring."""
    ints = view.ints
    keys = ints[KEYS]
    value = ints[HASHES + view.key[0]]
    start = HASHES + keys
    if ints[FACTOR] < 0:
        return slot_owner(view, start, value)
    ring = start + keys + len(view.usable)
    node = nearest(view, ring, value, ints[start + view.key[0]])
    if node < 0:
        return NO_HEALTHY_SERVER
    if ints[FACTOR] == 0:
        return owner(view, ring, node)
    return bounded(view, ring, node, start + keys)


def slot_owner(view: View, start: int, value: int) -> int:
    """Give the server of a hash's slot; if it is full, that of the next slot whose server is not."""
    total = lay_out(view, start)
    slots = first_slot(view, start)
    for step in range(total):
        server = view.ints[slots + (value + step) % total]
        if view.usable[server]:
            return server
    return NO_HEALTHY_SERVER


def bounded(view: View, ring: int, node: int, before: int) -> int:
    """Go on from a node to the first one whose server is below its share of factor x all requests.

    The shares are whole and add up to the factor's part of all requests, this one included, rounded
    up; a server has one at least. As in HAProxy, the weight before each server is that at the start.
    """
    requests = 1
    weight = 0
    for server in range(len(view.usable)):
        requests += view.in_flight[server]
        if view.usable[server]:
            weight += SCALE * view.weight[server]
    shares = (requests * view.ints[FACTOR] + 99) // 100
    rest = shares % weight
    wraps = 0
    server = owner(view, ring, node)
    while wraps < 2:
        own = SCALE * view.weight[server]
        earlier = view.ints[before + server]
        share = own * (shares // weight) + (earlier + own) * rest // weight - earlier * rest // weight
        if view.in_flight[server] < max(share, 1):
            break
        following = -1
        while following < 0 and wraps < 2:
            node += 1
            if node == view.ints[ring]:
                node = 0
                wraps += 1
            following = owner(view, ring, node)
        if wraps < 2:
            server = following
    return server


def sdbm(text: bytes) -> int:
    """Hash as the sdbm database does."""
    value = 0
    for byte in text:
        value = (byte + (value << 6) + (value << 16) - value) & MASK
    return value


def djb2(text: bytes) -> int:
    """Hash as D. J. Bernstein's first string hash does."""
    value = 5381
    for byte in text:
        value = (value * 33 + byte) & MASK
    return value


def wt6(text: bytes) -> int:
    """Hash by data-dependent rotations of two words."""
    low, high, left, right = 0xA53C965A, 0x5CA6953A, 6, 18
    for byte in text:
        low = ~(low ^ byte) & MASK
        high = ~(high + byte) & MASK
        low, high = _rotated(high, left), _rotated(low, right)
        steps = ((low >> 16) ^ high) & 0xFFFF
        left, right = steps & 31, steps >> 11
    return low ^ high


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & MASK


FUNCTIONS: dict[str, Callable[[bytes], int]] = {"sdbm": sdbm, "djb2": djb2, "wt6": wt6, "crc32": zlib.crc32}


class HashType(Strategy):
    """What HAProxy's strategies by hash have in common: its `hash-type` and `hash-balance-factor`."""

    type: Literal["map_based", "consistent"] = "map_based"
    """Slots in proportion to the weights, or a ring where a server that leaves only moves its own keys."""
    avalanche: bool | None = None
    """Mix the hash once more; if not given, only for consistent without a named function."""
    balance_factor: int = Field(0, ge=0, le=1_000_000)
    """Most requests at a server, in % of its fair share: 101 or more, or 0 for no bound; consistent only."""
    needs_keys: ClassVar[bool] = True
    pick = staticmethod(pick)

    @field_validator("balance_factor")
    @classmethod
    def _has_an_effect(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("type") == "map_based":
            raise ValueError("0 with type map_based; a bound needs type consistent")
        if 0 < value <= 100:
            raise ValueError("0 for no bound, or 101 to 1,000,000")
        return value

    def mixes(self) -> bool:
        """Tell whether hashes are mixed once more."""
        return self.type == "consistent" if self.avalanche is None else self.avalanche

    def hashed_memory(self, servers: Servers, hashes: NDArray[np.uint32]) -> Memory:
        """Give the memory for keys of these hashes."""
        check_weights(self.kind, servers)
        if self.mixes():
            hashes = full_hash(hashes)
        values = [len(hashes), *hashes.tolist()]
        if self.type == "map_based":
            return Memory([-1, *values, *map_memory(servers)], [])
        weights = SCALE * np.array(servers.weight)
        before = (np.cumsum(weights) - weights).tolist()
        ring = ring_memory(servers)
        return Memory([self.balance_factor, *values, *starts(ring, hashes), *before, *ring], [])


@STRATEGIES.register
class HaproxyHash(HashType):
    """The server that a hash of the key names: HAProxy's `hash`, `uri`, `url_param` and `hdr`."""

    summary: ClassVar[str] = "hash of the key: map-based, or consistent, with bounded load if wanted"
    source: ClassVar[str] = "HAProxy 2.6 (backend.c, hash.c, lb_map.c, lb_chash.c)"
    kind: Literal["haproxy.hash"] = "haproxy.hash"
    function: Literal["sdbm", "djb2", "wt6", "crc32"] | None = None
    """How keys are hashed; sdbm if not given."""

    def mixes(self) -> bool:
        """Tell whether hashes are mixed once more."""
        return super().mixes() and (self.avalanche is not None or self.function is None)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Hash every key once."""
        function = FUNCTIONS[self.function or "sdbm"]
        return self.hashed_memory(servers, np.array([function(key.encode()) for key in keys], np.uint32))
