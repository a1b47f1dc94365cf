"""gRPC's weighted round robin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from numpy.random import Generator
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from workbench.simulate.pool import Servers
from workbench.simulate.strategies._base import NO_HEALTHY_SERVER, STRATEGIES, Memory, Strategy, View

_SEQUENCES = 2**32
_HEAVIEST = 65_535
_OFFSET = 32_767


def pick(view: View, rng: Generator) -> int:
    """Step through the servers in service in turn; the lighter a server, the more often it is skipped.

    Those that are not usable are skipped as well. `ints` holds the sequence number, the turn of plain
    round robin, then each server's scaled weight and the weight that it was scaled from (-1: none, out
    of service).
    """
    ints = view.ints
    count = len(view.usable)
    if ints[0] < 0:
        ints[0] = int(rng.random() * _SEQUENCES)
        ints[1] = int(rng.random() * _SEQUENCES)
    changed = False
    candidates = 0
    known = 0
    free = 0
    for server in range(count):
        weight = view.weight[server] if view.in_service[server] else -1
        candidates += view.in_service[server]
        free += view.usable[server]
        if weight > 0:
            known += 1
        if weight != ints[2 + count + server]:
            ints[2 + count + server] = weight
            changed = True
    plain = candidates == 1 or known == 0
    if changed and not plain:
        scale_weights(view, known)
    if free == 0:
        return NO_HEALTHY_SERVER
    while True:
        server = turn(view, candidates) if plain else stride(view, candidates)
        if view.usable[server]:
            return server


def turn(view: View, candidates: int) -> int:
    """Go on to the next server, whatever its weight."""
    place = view.ints[1] % candidates
    view.ints[1] = (view.ints[1] + 1) % _SEQUENCES
    return nth_in_service(view, place)


def scale_weights(view: View, known: int) -> None:
    """Scale the greatest weight to 65,535, as single-precision arithmetic does.

    Weights are kept between a hundredth of and ten times the mean of those that are known.
    """
    count = len(view.usable)
    weights = 2 + count
    total = 0
    heaviest = 0.0
    for server in range(count):
        if view.ints[weights + server] > 0:
            total += view.ints[weights + server]
            heaviest = max(heaviest, float(view.ints[weights + server]))
    mean = total / known
    heaviest = single(min(heaviest, 10.0 * mean))
    scale = single(_HEAVIEST / heaviest)
    unknown = int(scale * mean + 0.5)
    lightest = max(1, int(unknown * 0.01 + 0.5))
    for server in range(count):
        weight = view.ints[weights + server]
        scaled = int(min(float(weight), heaviest) * scale + 0.5)
        view.ints[2 + server] = max(scaled, lightest) if weight > 0 else unknown


def single(number: float) -> float:
    """Round to the 24 bits of single precision."""
    large = number * (2.0**29 + 1.0)
    return large - (large - number)


def stride(view: View, candidates: int) -> int:
    """Go on to the next server that has its turn in the present round."""
    ints = view.ints
    while True:
        place = ints[0] % candidates
        server = nth_in_service(view, place) if candidates < len(view.usable) else place
        weight = ints[2 + server]
        skipped = (weight * (ints[0] // candidates) + place * _OFFSET) % _HEAVIEST < _HEAVIEST - weight
        ints[0] = (ints[0] + 1) % _SEQUENCES
        if not skipped:
            return server


def nth_in_service(view: View, place: int) -> int:
    """Find the server in service that has so many of them before it."""
    server = 0
    while place > 0 or not view.in_service[server]:
        place -= view.in_service[server]
        server += 1
    return server


@STRATEGIES.register
class GrpcWeightedRoundRobin(Strategy):
    """The static stride scheduler: each server takes its part of 65,535 rounds, evenly spread.

    Weights are those of the view; a change scales all anew, and a server that comes or goes does so, too,
    but a full one does not. A server in service of weight 0 counts as one whose load is not known
    yet and has the mean weight. gRPC itself reckons weights from the load that servers report
    (`qps / utilization`, gRFC A58); that reporting is not part of this strategy yet.
    """

    summary: ClassVar[str] = "static stride scheduler over the weights"
    source: ClassVar[str] = "gRPC core, main branch (static_stride_scheduler.cc), gRFC A58"
    serves_weight_zero: ClassVar[bool] = True
    kind: Literal["grpc.weighted_round_robin"] = "grpc.weighted_round_robin"
    start: Annotated[int, Field(ge=0, le=_SEQUENCES - 1)] | Literal["random"] = 0
    """First sequence number, 0 to 2**32 - 1; gRPC draws it for each channel: `random`."""
    pick = staticmethod(pick)

    @field_validator("start", mode="before")
    @classmethod
    def _check_start(cls, value: Any) -> Any:
        if value == "random" or (type(value) is int and 0 <= value < _SEQUENCES):
            return value
        raise PydanticCustomError("start", "a whole number from 0 to 2**32 - 1, or random")

    def memory(self, servers: Servers, keys: Sequence[str]) -> Memory:
        """Begin at the start."""
        start = -1 if self.start == "random" else self.start
        return Memory([start, max(start, 0), *[0] * servers.count, *[-2] * servers.count], [])
