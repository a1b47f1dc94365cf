"""On-off arrivals: a Markov-modulated Poisson process."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.quantities import PositiveDuration, Rate
from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource
from workbench.simulate.arrivals.time_change import time_changed

_PIECES = 1024


@ARRIVALS.register
class Mmpp(ArrivalProcess):
    """Poisson arrivals whose rate goes round a cycle of states, each held for an exponential time.

    With two states, one of rate 0, it is the on-off process. The first state is drawn from the long-run
    shares, so that the process is stationary from the start (Fischer and Meier-Hellstern,
    Performance Evaluation 18, 1993).
    """

    summary: ClassVar[str] = "on-off (MMPP): a Poisson rate that switches between states"
    kind: Literal["mmpp"] = "mmpp"
    rates: list[Rate] = Field(min_length=2, max_length=100)
    """Arrivals per second in each state."""
    dwell: list[PositiveDuration] = Field(min_length=2, max_length=100)
    """Mean time that each state is held, seconds."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.rates) != len(self.dwell):
            raise PydanticCustomError("mmpp", "as many rates as dwell times")
        if max(self.rates) == 0:
            raise PydanticCustomError("mmpp", "at least one rate above 0")
        return self

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Begin at time 0 in a state drawn from the long-run shares."""
        times, switches = rng.spawn(2)
        dwell, rates = np.array(self.dwell), np.array(self.rates)
        state = int(np.searchsorted(np.cumsum(dwell) / dwell.sum(), switches.random(), side="right"))

        def pieces() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
            nonlocal state
            states = (state + np.arange(_PIECES)) % len(rates)
            state = (state + _PIECES) % len(rates)
            return switches.standard_exponential(_PIECES) * dwell[states], rates[states], rates[states]

        return time_changed(times, pieces)

    def mean_rate(self) -> float:
        """Arrivals per second in the long run."""
        return float(np.dot(self.rates, self.dwell) / np.sum(self.dwell))
