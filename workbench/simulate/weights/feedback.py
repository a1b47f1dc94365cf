"""Weights that follow a measurement of the servers.

`ints` holds what is measured. `floats` holds gain, bounds, smoothing and resolution, then for each server
the factor of its weight, and the average of its measurements (below 0: none yet).
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from numpy.random import Generator
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.simulate.intervals import Interval
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState

_GAIN, _LEAST, _MOST, _SMOOTHING, _RESOLUTION, _FACTORS = range(6)
_MEASURES = ("latency", "utilisation", "queue", "in_flight")
_LATENCY, _UTILISATION, _QUEUE, _IN_FLIGHT = range(4)
_MOST_WEIGHT = 65_535


def reweigh(state: WeightState, rng: Generator) -> None:
    """Raise the weights of servers below the pool's mean, and lower those above it, by their distance."""
    floats = state.floats
    count = len(state.weight)
    averages = _FACTORS + count
    known = 0
    target = 0.0
    for server in range(count):
        if state.configured[server] > 0:
            measure(state, server)
            if floats[averages + server] >= 0.0:
                known += 1
                target += floats[averages + server]
    if target <= 0.0:
        return
    target /= known
    for server in range(count):
        if floats[averages + server] >= 0.0:
            away = (target - floats[averages + server]) / target
            floats[_FACTORS + server] *= max(0.0, 1.0 + floats[_GAIN] * away)
    set_weights(state)


def measure(state: WeightState, server: int) -> None:
    """Average the newest measurement with those before; without answers there is no new latency."""
    what = state.ints[0]
    if what == _LATENCY:
        if state.answers[server] == 0:
            return
        value = state.seconds[server] / state.answers[server]
    elif what == _UTILISATION:
        value = 1.0 * state.busy[server]
    elif what == _QUEUE:
        value = 1.0 * state.queue[server]
    else:
        value = 1.0 * state.in_flight[server]
    place = _FACTORS + len(state.weight) + server
    if state.floats[place] >= 0.0:
        value = state.floats[place] + state.floats[_SMOOTHING] * (value - state.floats[place])
    state.floats[place] = value


def set_weights(state: WeightState) -> None:
    """Scale the factors to a mean of 1, keep them in their bounds, and round the weights."""
    floats = state.floats
    whole = 0.0
    spread = 0.0
    for server in range(len(state.weight)):
        whole += state.configured[server]
        spread += state.configured[server] * floats[_FACTORS + server]
    for server in range(len(state.weight)):
        if state.configured[server] > 0:
            factor = floats[_FACTORS + server] * (whole / spread if spread > 0.0 else 1.0)
            factor = min(max(factor, floats[_LEAST]), floats[_MOST])
            floats[_FACTORS + server] = factor
            weight = int(state.configured[server] * floats[_RESOLUTION] * factor + 0.5)
            state.weight[server] = max(1, weight)


@WEIGHT_RULES.register
class Feedback(WeightRule):
    """Every `period`, each weight is multiplied by 1 + `gain` × its distance from the mean, in means.

    A low gain converges, if slowly; a high one reacts to what its own last change has brought about, and
    swings. The measure is averaged (`smoothing`), and the mean of the pool is the target.
    """

    summary: ClassVar[str] = "weights by latency, utilisation, queue or requests in flight"
    kind: Literal["feedback"] = "feedback"
    reweigh = staticmethod(reweigh)
    by: Literal["latency", "utilisation", "queue", "in_flight"]
    """What is to be equal: mean response time, busy share of the slots, requests waiting, or in flight."""
    period: Interval = 10.0
    """Seconds between two changes."""
    gain: float = Field(0.2, gt=0, le=100)
    """How strongly a weight follows a distance, above 0, to 100."""
    least: float = Field(0.1, gt=0, le=1)
    """The least share of its own weight that a server has, above 0, to 1."""
    most: float = Field(10.0, ge=1, le=1_000)
    """The greatest multiple of it, 1 to 1,000."""
    smoothing: float = Field(1.0, gt=0, le=1)
    """Part of an average that the newest measurement is, above 0, to 1; 1 does not average."""
    resolution: int = Field(100, ge=1, le=10_000)
    """What a weight of 1 becomes, 1 to 10,000: strategies take whole weights (HAProxy's: up to 256)."""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.least == self.most:
            raise PydanticCustomError("bounds", "least below most")
        return self

    def check_pool(self, servers: Servers) -> None:
        """Refuse a pool whose weights would become too great.

        Raises:
            PydanticCustomError: the greatest weight is above 65,535.
        """
        heaviest = max(servers.weight) * self.most
        if heaviest * self.resolution > _MOST_WEIGHT:
            fitting = int(_MOST_WEIGHT / heaviest)
            allowed = f"a resolution of at most {fitting}" if fitting else "lower weights, or a lower `most`"
            reason = f"weights up to 65,535: {allowed}, by the pool's weights times `most` times `resolution`"
            raise PydanticCustomError("resolution", reason)

    def times(self) -> tuple[float, float] | list[float]:
        """After every period."""
        return self.period, self.period

    def memory(self, servers: Servers) -> Memory:
        """Begin with the pool's own weights."""
        settings = [self.gain, self.least, self.most, self.smoothing, float(self.resolution)]
        return Memory(
            [_MEASURES.index(self.by)], [*settings, *[1.0] * servers.count, *[-1.0] * servers.count]
        )
