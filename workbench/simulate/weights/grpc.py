"""Weights by the load that servers report, as gRPC's weighted round robin reckons them.

`floats` holds the settings in seconds, the penalty and the time since the last reports, then for each
server its weight, since when it has had one, when it was told last (below 0: never), and what has come
together for its next report: requests, errors, and seconds busy.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import Duration, PositiveDuration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState

_BLACKOUT, _EXPIRATION, _PENALTY, _REPORTING, _SINCE, _SERVERS = range(6)
_WEIGHT, _WITH_ONE_SINCE, _TOLD, _REQUESTS, _ERRORS, _BUSY = range(6)
_HEAVIEST = 65_535
_GRACE = 1e-9


def reweigh(state: WeightState, rng: Generator) -> None:
    """Take in reports, then scale the weights that hold; a server without one has their mean."""
    gather(state)
    known = 0
    total = 0.0
    heaviest = 0.0
    for server in range(len(state.weight)):
        weight = valid_weight(state, server)
        if weight > 0.0:
            known += 1
            total += weight
            heaviest = max(heaviest, weight)
    for server in range(len(state.weight)):
        if state.configured[server] > 0:
            weight = valid_weight(state, server)
            if known < 2:
                state.weight[server] = 1
            else:
                held = weight if weight > 0.0 else total / known
                state.weight[server] = max(1, int(held * _HEAVIEST / heaviest + 0.5))


def gather(state: WeightState) -> None:
    """Add up what servers have done, and make reports of it when they are due."""
    floats = state.floats
    floats[_SINCE] += state.period[0]
    for server in range(len(state.weight)):
        floats[place(state, _REQUESTS, server)] += state.answers[server] + state.errors[server]
        floats[place(state, _ERRORS, server)] += state.errors[server]
        floats[place(state, _BUSY, server)] += state.busy[server] * state.period[0]
    if floats[_SINCE] + _GRACE < floats[_REPORTING] or floats[_SINCE] <= 0.0:
        return
    for server in range(len(state.weight)):
        report(state, server)
    floats[_SINCE] = 0.0


def report(state: WeightState, server: int) -> None:
    """Reckon a server's weight: requests a second by utilisation, which errors raise."""
    floats = state.floats
    requests = floats[place(state, _REQUESTS, server)]
    errors = floats[place(state, _ERRORS, server)]
    load = floats[place(state, _BUSY, server)] / floats[_SINCE]
    for which in (_REQUESTS, _ERRORS, _BUSY):
        floats[place(state, which, server)] = 0.0
    if requests > 0.0:
        load += errors / requests * floats[_PENALTY]
    if requests > 0.0 and load > 0.0:
        floats[place(state, _WEIGHT, server)] = requests / floats[_SINCE] / load
        floats[place(state, _TOLD, server)] = state.now[0]
        if floats[place(state, _WITH_ONE_SINCE, server)] < 0.0:
            floats[place(state, _WITH_ONE_SINCE, server)] = state.now[0]


def valid_weight(state: WeightState, server: int) -> float:
    """Give a weight that is neither too new nor too old; else 0."""
    floats = state.floats
    since = place(state, _WITH_ONE_SINCE, server)
    now = state.now[0] + _GRACE
    if floats[since] < 0.0:
        return 0.0
    if now - floats[place(state, _TOLD, server)] >= floats[_EXPIRATION]:
        floats[since] = -1.0
        return 0.0
    if now - floats[since] < floats[_BLACKOUT]:
        return 0.0
    return floats[place(state, _WEIGHT, server)]


def place(state: WeightState, which: int, server: int) -> int:
    """Find a number of a server in `floats`."""
    return _SERVERS + which * len(state.weight) + server


@WEIGHT_RULES.register
class GrpcOrca(WeightRule):
    """Weight = requests a second / (utilisation + errors / requests × penalty), as servers report it.

    Meant for `grpc.weighted_round_robin`, for which a server's own weight in the pool does not count. A
    weight counts once a server has reported for the blackout period, and until it has not for the
    expiration period. With fewer than two such servers all are equal.
    """

    summary: ClassVar[str] = "requests a second by utilisation, as servers report it"
    source: ClassVar[str] = "gRPC, gRFC A58"
    kind: Literal["grpc.orca"] = "grpc.orca"
    reweigh = staticmethod(reweigh)
    blackout_period: Duration = 10.0
    """Seconds from a server's first report until its weight counts."""
    weight_expiration_period: PositiveDuration = 180.0
    """Seconds from its last report until its weight does not count any more."""
    weight_update_period: PositiveDuration = 1.0
    """Seconds between two changes, 100ms or more."""
    error_utilization_penalty: float = Field(1.0, ge=0, le=1_000)
    """What an error counts as utilisation, 0 to 1,000."""
    oob_reporting_period: PositiveDuration | None = None
    """Seconds between a server's reports out of band (10s in gRPC); without it every answer carries one."""

    @field_validator("weight_update_period")
    @classmethod
    def _check_update(cls, seconds: float) -> float:
        if seconds < 0.1:
            raise PydanticCustomError("update", "100ms or more")
        return seconds

    def times(self) -> tuple[float, float] | list[float]:
        """After every update period."""
        return self.weight_update_period, self.weight_update_period

    def memory(self, servers: Servers) -> Memory:
        """Begin without reports."""
        periods = [self.blackout_period, self.weight_expiration_period]
        settings = [*periods, self.error_utilization_penalty, self.oob_reporting_period or 0.0, 0.0]
        nothing, never = [0.0] * servers.count, [-1.0] * servers.count
        return Memory([], [*settings, *nothing, *never, *never, *nothing, *nothing, *nothing])
