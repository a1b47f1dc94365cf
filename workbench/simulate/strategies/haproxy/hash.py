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
    following,
    full_hash,
    nearest,
    owner,
    past_avoided,
    ring_memory,
    starts,
)
from workbench.simulate.strategies.haproxy._weights import SCALE, check_weights, effective_weight

# `ints`: balance factor (0: none, -1: map-based), number of keys, their hashes; then for map-based the
# map, else the keys' places on the ring, for each server the weight of all before it, the servers'
# limits, and the ring.
FACTOR, KEYS, HASHES = 0, 1, 2
ENDLESS = 2**62


def pick(view: View, rng: Generator) -> int:
    """Look the key's hash up, in the map's slots or on the ring; a full server is not passed over.

    On the ring the next server is taken for one to avoid. The map has no way round it.
    """
    ints = view.ints
    keys = ints[KEYS]
    value = ints[HASHES + view.key[0]]
    start = HASHES + keys
    if ints[FACTOR] < 0:
        total = lay_out(view, start)
        return ints[first_slot(view, start) + value % total] if total > 0 else NO_HEALTHY_SERVER
    ring = start + keys + 2 * len(view.usable)
    node = nearest(view, ring, value, ints[start + view.key[0]])
    if node < 0:
        return NO_HEALTHY_SERVER
    if ints[FACTOR] == 0:
        return owner(view, ring, past_avoided(view, ring, node))
    return bounded(view, ring, node, start + keys)


def bounded(view: View, ring: int, node: int, before: int) -> int:
    """Go on from a node to the first one whose server is below its share of factor x all requests.

    The shares are whole and add up to the factor's part of all requests, this one included, rounded
    up; a server has one at least. As in HAProxy, the weight before each server is that at the start,
    requests that wait for a full server do not count, and a server to avoid is passed over.
    """
    requests = 1
    weight = 0
    for server in range(len(view.usable)):
        requests += served(view, server, before)
        weight += effective_weight(view.weight[server], view.in_service[server], view.ramp[server])
    shares = (requests * view.ints[FACTOR] + 99) // 100
    rest = shares % weight
    wraps = 0
    server = owner(view, ring, node)
    while True:
        own = effective_weight(view.weight[server], view.in_service[server], view.ramp[server])
        earlier = view.ints[before + server]
        share = own * (shares // weight) + (earlier + own) * rest // weight - earlier * rest // weight
        if server != view.avoid[0] and served(view, server, before) < max(share, 1):
            return server
        other = following(view, ring, node)
        if other <= node:
            wraps += 1
            if wraps == 2:
                return server
        node = other
        server = owner(view, ring, node)


def served(view: View, server: int, before: int) -> int:
    """Give a server's requests in flight without those that wait there because it is full."""
    return min(view.in_flight[server], view.ints[before + len(view.usable) + server])


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
    """What HAProxy's strategies by hash have in common: its `hash-type` and `hash-balance-factor`.

    A request whose server is full waits for it. `View.in_flight` is to count those that wait there.
    """

    type: Literal["map_based", "consistent"] = "map_based"
    """Slots in proportion to the weights, or a ring where a server that leaves only moves its own keys."""
    avalanche: bool | None = None
    """Mix the hash once more; if not given, only for consistent without a named function."""
    balance_factor: int = Field(0, ge=0, le=1_000_000)
    """Most requests at a server, in % of its fair share: 101 or more, or 0 for no bound; consistent only."""
    needs_keys: ClassVar[bool] = True
    waits_at_server: ClassVar[bool] = True
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
        limits = [ENDLESS if limit is None else limit for limit in servers.limit]
        ring = ring_memory(servers)
        return Memory([self.balance_factor, *values, *starts(ring, hashes), *before, *limits, *ring], [])


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
