"""Weights that an agent at each server tells HAProxy."""

from __future__ import annotations

from typing import ClassVar, Literal

from numpy.random import Generator
from pydantic import Field
from pydantic_core import PydanticCustomError

from workbench.simulate.intervals import Interval
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.weights._base import WEIGHT_RULES, WeightRule, WeightState


def reweigh(state: WeightState, rng: Generator) -> None:
    """Set each weight to the percentage of its own that the server was idle."""
    for server in range(len(state.weight)):
        if state.configured[server] > 0:
            percent = max(state.ints[0], int(100.0 * (1.0 - state.busy[server]) + 0.5))
            state.weight[server] = state.configured[server] * percent // 100


@WEIGHT_RULES.register
class HaproxyAgent(WeightRule):
    """`agent-check`, with an agent that answers with the idle share of its server in percent.

    HAProxy rounds the product down, so weights of 100 or more are needed for steps of one percent. The
    agent says nothing else: neither `down` nor `drain`.
    """

    summary: ClassVar[str] = "an agent at each server tells its idle share in percent"
    source: ClassVar[str] = "HAProxy 2.6 (agent-check; server_parse_weight_change_request)"
    kind: Literal["haproxy.agent"] = "haproxy.agent"
    reweigh = staticmethod(reweigh)
    agent_inter: Interval = 2.0
    """Seconds between two answers of an agent."""
    least: int = Field(1, ge=1, le=100)
    """The lowest percentage that an agent tells, 1 to 100."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse weights that HAProxy does not take, or of which the least percentage would be nothing.

        Raises:
            PydanticCustomError: a weight is too low or too high.
        """
        needed = -(-100 // self.least)
        if any(weight and not needed <= weight <= 256 for weight in servers.weight):
            allowed = f"weights of {needed} to 256 in the pool, of which {self.least} percent are 1 or more"
            raise PydanticCustomError("weights", allowed)

    def times(self) -> tuple[float, float] | list[float]:
        """After every interval."""
        return self.agent_inter, self.agent_inter

    def memory(self, servers: Servers) -> Memory:
        """Note the least percentage."""
        return Memory([self.least], [])
