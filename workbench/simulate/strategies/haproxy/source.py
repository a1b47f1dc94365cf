"""Hash of the client's address, as HAProxy balances by it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import ClassVar, Literal

import numpy as np

from workbench.errors import InputError
from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import STRATEGIES, Memory
from workbench.simulate.strategies.haproxy.hash import HashType


@STRATEGIES.register
class HaproxySource(HashType):
    """The server that the client's address names.

    The hash is the address itself, an IPv6 address folded into 32 bits by exclusive or; no hash
    function is applied. Keys must be addresses, such as 192.0.2.7.
    """

    summary: ClassVar[str] = "the client's address: map-based, or consistent, with bounded load if wanted"
    source: ClassVar[str] = "HAProxy 2.6 (backend.c, lb_map.c, lb_chash.c)"
    kind: Literal["haproxy.source"] = "haproxy.source"

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Fold every address once.

        Raises:
            InputError: a key is no address.
        """
        return self.hashed_memory(servers, np.array([self._folded(key) for key in keys], np.uint32))

    def _folded(self, key: str) -> int:
        try:
            address = ip_address(key).packed
        except ValueError:
            raise InputError(
                f"strategy {self.kind}: key {key!r}; allowed: an address, such as 192.0.2.7"
            ) from None
        value = 0
        for place in range(0, len(address), 4):
            value ^= int.from_bytes(address[place : place + 4], "big")
        return value
