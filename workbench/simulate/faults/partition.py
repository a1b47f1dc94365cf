"""A network that is cut."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from pydantic_core import InitErrorDetails

from workbench.simulate.faults._balancers import BalancerNumbers, unknown
from workbench.simulate.faults._base import EVERY_BALANCER, FAULTS, Effect
from workbench.simulate.faults._spans import Span
from workbench.simulate.faults._timing import TimedFault
from workbench.simulate.pool import Servers


@FAULTS.register
class Partition(TimedFault):
    """Nothing gets through between some balancers and the server; what is under way arrives afterwards."""

    summary: ClassVar[str] = "partition: nothing gets through between some balancers and it"
    kind: Literal["partition"] = "partition"
    balancers: BalancerNumbers = Field(default_factory=list)
    """The balancers that are cut off, by number from 0; all without the key."""

    def spans(self, begin: float, end: float, server: int) -> list[Span]:
        """Cut off from begin to end."""
        cut = sorted(set(self.balancers)) or [EVERY_BALANCER]
        return [Span(begin, end, Effect.PARTITION, server, balancer) for balancer in cut]

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List servers and balancers that are not there."""
        return super().problems(servers, balancers) + unknown(self.balancers, balancers)
