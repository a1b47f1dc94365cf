"""Hash of the client's address over the weights, as nginx does it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import ClassVar, Literal

from numpy.random import Generator

from workbench.errors import InputError
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View
from workbench.simulate.strategies.nginx._weights import TRIES, failed, server_at, smooth_memory, total_weight
from workbench.simulate.strategies.nginx.round_robin import pick as round_robin

FACTOR = 113
MODULUS = 6271
START = 89


def pick(view: View, rng: Generator) -> int:
    """Hash the address over and over until a usable server comes; after 21 misses, round robin.

    One round over an address's bytes turns a hash h into (a h + b) modulo 6271. `ints` holds the
    memory of round robin, then a and b for each key.
    """
    total = total_weight(view)
    if total <= 0:
        return NO_HEALTHY_SERVER
    own = 2 * len(view.weight) + 2 * view.key[0]
    value = START
    for _ in range(TRIES):
        value = (view.ints[own] * value + view.ints[own + 1]) % MODULUS
        server = server_at(view, value % total)
        if view.usable[server]:
            return server
    return round_robin(view, rng)


@STRATEGIES.register
class NginxIpHash(Strategy):
    """The hash of the first three bytes of an IPv4 address, or of a whole IPv6 address.

    Keys must be addresses, such as 192.0.2.7; the last byte of an IPv4 address plays no part.
    """

    summary: ClassVar[str] = "hash of the client's network (IPv4: its first three bytes)"
    source: ClassVar[str] = "nginx 1.22 (ngx_http_upstream_ip_hash_module.c)"
    kind: Literal["nginx.ip_hash"] = "nginx.ip_hash"
    needs_keys: ClassVar[bool] = True
    pick = staticmethod(pick)
    failed = staticmethod(failed)

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Reduce every address to its a and b.

        Raises:
            InputError: a key is no address.
        """
        table = smooth_memory(servers)
        for key in keys:
            try:
                address = ip_address(key).packed
            except ValueError:
                raise InputError(
                    f"strategy {self.kind}: key {key!r}; allowed: an address, such as 192.0.2.7"
                ) from None
            a, b = 1, 0
            for byte in address[:3] if len(address) == 4 else address:
                a, b = a * FACTOR % MODULUS, (b * FACTOR + byte) % MODULUS
            table += (a, b)
        return Memory(table, [])
