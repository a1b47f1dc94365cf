"""Finagle's deterministic aperture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View

_EFFORT = 5
_NEGLIGIBLE = 1e-6
_SAME_SHARE = 1e-4


def pick(view: View, rng: Generator) -> int:
    """Draw two points of the aperture, on different servers, and take the emptier for its share.

    `ints` holds the number of instances, the number of servers on the ring, and these servers; each
    has the same part of a ring of length 1. `floats` holds where on it the aperture begins, below 0
    if that is still to be drawn, and how wide it is.
    """
    usable = view.usable
    floats = view.floats
    size = view.ints[1]
    if size == 0:
        return NO_HEALTHY_SERVER
    if floats[0] < 0.0:
        floats[0] = int(rng.random() * view.ints[0]) / view.ints[0]
    for _ in range(_EFFORT):
        first = place_at(view, floats[0] + rng.random() * floats[1])
        second = first
        within = overlap(view, first)
        rest = floats[1] - within
        if rest > _NEGLIGIBLE:
            point = floats[0] + rng.random() * rest
            if point >= beginning(view, first) + 1.0 / size - within:
                point += within
            second = place_at(view, point)
        one = view.ints[2 + first]
        two = view.ints[2 + second]
        if usable[one] and usable[two]:
            return one if lighter(view, first, second) else two
        if usable[one]:
            return one
        if usable[two]:
            return two
    return any_within(view, rng)


def place_at(view: View, point: float) -> int:
    """Find the place on the ring that a point falls into."""
    size = view.ints[1]
    return math.floor((point % 1.0) * size) % size


def beginning(view: View, place: int) -> float:
    """Give where a place begins, counted on beyond 1 if the aperture reaches it past the ring's end."""
    begins = place * (1.0 / view.ints[1])
    return begins + 1.0 if begins + 1.0 < view.floats[0] + view.floats[1] else begins


def overlap(view: View, place: int) -> float:
    """Give how much of a place lies within the aperture."""
    begins = beginning(view, place)
    ends = min(begins + 1.0 / view.ints[1], view.floats[0] + view.floats[1])
    return max(0.0, ends - max(begins, view.floats[0]))


def lighter(view: View, first: int, second: int) -> bool:
    """Tell whether the first of two places has no more in flight for its share."""
    one = view.in_flight[view.ints[2 + first]]
    two = view.in_flight[view.ints[2 + second]]
    share = overlap(view, first) * view.ints[1]
    other = overlap(view, second) * view.ints[1]
    share = share if share > 0.0 else 1.0
    other = other if other > 0.0 else 1.0
    return one <= two if abs(share - other) < _SAME_SHARE else one / share <= two / other


def any_within(view: View, rng: Generator) -> int:
    """Draw a usable server of the aperture."""
    best = NO_HEALTHY_SERVER
    found = 0
    for place in range(view.ints[1]):
        server = view.ints[2 + place]
        if view.usable[server] and overlap(view, place) > _NEGLIGIBLE / view.ints[1]:
            found += 1
            if int(rng.random() * found) == 0:
                best = server
    return best


@STRATEGIES.register
class FinagleAperture(Strategy):
    """Power of two choices within the part of a ring of servers that is this client's own.

    The clients together cover all servers evenly, while each knows a few. A server at the edge counts
    as much as it lies within; the weights of servers do not count. Where no server of the aperture is
    usable there is none for the request. Finagle orders the ring by hashes of the addresses; here it
    has the order of the pool. The aperture that follows the load, which Finagle has for clients that
    do not know their number, is not part of it.
    """

    summary: ClassVar[str] = "the emptier of two servers within the client's own part of a ring"
    source: ClassVar[str] = "Finagle, develop branch (DeterministicAperture.scala, Ring.scala)"
    kind: Literal["finagle.aperture"] = "finagle.aperture"
    total_instances: int = Field(1, ge=1, le=1_000_000)
    """Clients that share the servers, 1 to 1,000,000; one alone has them all."""
    instance_id: Annotated[int, Field(ge=0, lt=1_000_000)] | Literal["random"] = "random"
    """Which of the clients it is, from 0; `random`: each balancer draws its own."""
    min_deterministic_aperture: int = Field(12, ge=2, le=30_000)
    """Servers that a client should know, at least; 2 to 30,000."""
    pick = staticmethod(pick)

    @field_validator("instance_id", mode="before")
    @classmethod
    def _check_instance(cls, value: Any) -> Any:
        if value == "random" or (type(value) is int and value >= 0):
            return value
        raise PydanticCustomError("instance", "a whole number from 0 to total_instances - 1, or random")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.instance_id != "random" and self.instance_id >= self.total_instances:
            raise PydanticCustomError("instance", "an instance_id below total_instances")
        return self

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Put the servers that have a weight on the ring."""
        ring = [server for server in range(servers.count) if servers.weight[server]]
        size = max(len(ring), 1)
        unit = 1.0 / self.total_instances
        wanted = min(self.min_deterministic_aperture, size) * (1.0 / size)
        width = min(1.0, math.ceil(wanted / unit) * unit)
        offset = -1.0 if self.instance_id == "random" else self.instance_id * unit
        return Memory([self.total_instances, len(ring), *ring], [offset, width])
