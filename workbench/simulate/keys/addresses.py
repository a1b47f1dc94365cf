"""Keys that are addresses of clients."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.simulate.keys._base import KEYS, MOST_KEYS, KeyDistribution, KeySource
from workbench.simulate.keys.zipf import ZipfKeys

_NETWORK = 10 << 24
_STEP = 0x9E3779
"""Odd, so that the first 2^24 multiples differ modulo 2^24; near the golden section, so that they spread."""


@KEYS.register
class AddressKeys(KeyDistribution):
    """Addresses of 10.0.0.0/8 that lie far apart, each client's in another network than the next one's.

    Client number i, from 0, is as likely as 1 / (i + 1) to the power of the exponent.
    """

    summary: ClassVar[str] = "addresses: IPv4 addresses of clients"
    kind: Literal["addresses"] = "addresses"
    count: int = Field(ge=1, le=MOST_KEYS)
    """Number of clients, 1 to 1,000,000."""
    exponent: float = Field(0.0, ge=0, le=10)
    """0: every client sends equally often; above, few send most, as in `zipf`."""

    def names(self) -> list[str]:
        """List the addresses as text."""
        return [str(IPv4Address(_NETWORK + number * _STEP % 2**24)) for number in range(1, self.count + 1)]

    def start(self, rng: Generator) -> KeySource:
        """Begin a run of keys."""
        return ZipfKeys(count=self.count, exponent=self.exponent).start(rng)
