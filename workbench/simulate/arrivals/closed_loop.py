"""A fixed number of users who wait for each answer before they go on."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from numpy.random import Generator
from pydantic import Field

from workbench.simulate.arrivals._base import ARRIVALS, ArrivalProcess, ArrivalSource
from workbench.simulate.services import SERVICES, ServiceDemand


@ARRIVALS.register
class ClosedLoop(ArrivalProcess):
    """Users who think, send a request, wait for its answer and think again; all think at time 0.

    Arrivals follow from the answers, so the engine makes them. Requests are numbered in the order in
    which they are sent.
    """

    summary: ClassVar[str] = "closed loop: users who think, send and wait for the answer"
    kind: Literal["closed_loop"] = "closed_loop"
    users: int = Field(ge=1, le=1_000_000)
    """Number of users, 1 to 1,000,000."""
    think: Annotated[ServiceDemand, SERVICES]
    """Distribution of the time between an answer and the next request."""

    def start(self, rng: Generator, *, replication: int) -> ArrivalSource:
        """Refuse: the arrivals depend on the answers."""
        raise TypeError("the arrivals of a closed loop are made by the engine")

    def mean_rate(self) -> None:
        """Depends on the answers."""
