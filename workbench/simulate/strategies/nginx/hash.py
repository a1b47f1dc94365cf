"""Hash of a key over the weights, as nginx does it without `consistent`."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import TRIES, failed, server_at, smooth_memory, total_weight
from workbench.simulate.strategies.nginx.round_robin import pick as round_robin


def pick(view: View, rng: Generator) -> int:
    """Move on by 15 bits of the key's CRC-32 until a usable server comes; after 21 misses, round robin.

    The CRC of try n is that of the decimal n followed by the key, of try 0 that of the key alone. By
    the linearity of a CRC, the one follows from the other with a mask that only depends on n and on
    the key's length. `ints` holds the memory of round robin, then for each key its CRC and the index
    of its 21 masks (0: an empty key, which goes by round robin), then the masks.
    """
    total = total_weight(view)
    if total <= 0:
        return NO_HEALTHY_SERVER
    own = 2 * len(view.weight) + 2 * view.key[0]
    masks = view.ints[own + 1]
    if masks > 0:
        place = 0
        for attempt in range(TRIES):
            place += ((view.ints[own] ^ view.ints[masks + attempt]) >> 16) & 0x7FFF
            server = server_at(view, place % total)
            if view.usable[server]:
                return server
    return round_robin(view, rng)


@STRATEGIES.register
class NginxHash(Strategy):
    """The key's hash modulo the total weight; a changed pool moves most keys."""

    summary: ClassVar[str] = "hash of the key modulo the total weight"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_hash_module.c)"
    kind: Literal["nginx.hash"] = "nginx.hash"
    needs_keys: ClassVar[bool] = True
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Hash every key once."""
        texts = [key.encode() for key in keys]
        end = 2 * servers.count + 2 * len(texts)
        table: list[int] = []
        masks: list[int] = []
        places = {0: 0}
        for text in texts:
            size = len(text)
            if size not in places:
                places[size] = end + len(masks)
                masks += _masks(size)
            table += (zlib.crc32(text), places[size])
        return Memory(smooth_memory(servers) + table + masks, [])


def _masks(size: int) -> list[int]:
    """For each try, what its decimal prefix changes in the CRC of a key of so many bytes."""
    zeros = bytes(size)
    prefixes = [b"", *(str(attempt).encode() for attempt in range(1, TRIES))]
    return [zlib.crc32(prefix + zeros) ^ zlib.crc32(zeros) for prefix in prefixes]
