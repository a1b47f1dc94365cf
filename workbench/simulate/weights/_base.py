"""What all rules of dynamic weights have in common: they change the weights that a strategy sees.

A rule is asked every `period` seconds, on each balancer, and sets `state.weight`. As with strategies,
settings are a member of the family and what happens is a plain function over arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from numpy.random import Generator

from workbench.documents import Family, Member
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.strategies._base import Floats, Ints


class WeightState(NamedTuple):
    """What a rule knows; one entry a server where nothing else is said."""

    weight: Ints
    """The weights that the strategy sees, for the rule to change; those of weight 0 at the start stay so."""
    configured: Ints
    """The weights of the scenario."""
    in_flight: Ints
    """By the balancer's own view."""
    answers: Ints
    """Good answers since the last time."""
    errors: Ints
    """Failed attempts since the last time."""
    seconds: Floats
    """Sum of the response times of these answers, seconds."""
    busy: Floats
    """Share of the server's slots busy since the last time, 0 to 1, as the server itself tells."""
    queue: Ints
    """Requests waiting at the server now, as the server itself tells."""
    now: Floats
    """One entry: the time, seconds."""
    period: Floats
    """One entry: seconds since the last time."""
    ints: Ints
    floats: Floats


if TYPE_CHECKING:
    StaticReweigh = staticmethod[[WeightState, Generator], None]
else:
    StaticReweigh = staticmethod


class WeightRule(Member):
    """How the weights of servers change while a balancer runs."""

    reweigh: ClassVar[StaticReweigh]
    """Called as `reweigh(state, rng)`; what it is told `since the last time` is then set to 0."""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse a pool to which the settings do not fit.

        Raises:
            PydanticCustomError: the message says what is allowed.
        """

    def times(self) -> tuple[float, float] | list[float]:
        """When it is asked: (first, every) in seconds, or a list of times."""
        raise NotImplementedError

    def memory(self, servers: Servers) -> Memory:
        """Give the memory of a balancer that starts."""
        return Memory([], [])


WEIGHT_RULES: Family[WeightRule] = Family("weight rule", WeightRule)
