"""What all active health checks have in common: a balancer that asks each server on its own account.

The settings are a member of the family; what happens after a check are plain functions over arrays, so
that they run interpreted and compiled alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from numpy.random import Generator
from pydantic import Field
from pydantic_core import PydanticCustomError

from workbench.documents import Family, Member
from workbench.quantities import Duration
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.strategies._base import Floats, Ints


class CheckState(NamedTuple):
    """What a balancer knows from its checks; one entry a server where nothing else is said."""

    up: Ints
    """1 while the checks hold the server to be healthy."""
    traffic: Ints
    """Requests sent there since its last check."""
    now: Floats
    """One entry: the time, seconds."""
    ints: Ints
    """The check's own memory; its first entries as its settings say."""
    floats: Floats


PASSED, NO_ANSWER, BAD_ANSWER = 1, 0, -1
"""How a check may end: well; without a connection or an answer in time; with an answer that is an error."""

if TYPE_CHECKING:
    StaticChecked = staticmethod[[CheckState, int, int], None]
    StaticPause = staticmethod[[CheckState, int, Generator], float]
    StaticForced = staticmethod[[CheckState, int], None]
else:
    StaticChecked = StaticPause = StaticForced = staticmethod


class HealthCheck(Member):
    """How a balancer checks its servers."""

    checked: ClassVar[StaticChecked]
    """Called as `checked(state, server, result)` at the end of a check; sets `state.up[server]`.

    `result` is PASSED, NO_ANSWER or BAD_ANSWER.
    """
    pause: ClassVar[StaticPause]
    """Called as `pause(state, server, rng)`: seconds from the end of a check to the beginning of the next."""
    demand: Duration = 0.0
    """Work that answering a check is, seconds at a server of speed 1."""
    queued: bool = False
    """Whether a check waits its turn behind the requests at the server; otherwise it is answered at once."""
    connect_only: bool = False
    """Whether a server passes that takes the connection; otherwise its answer must be good, too."""
    first_after: list[Duration] | None = Field(None, max_length=30_000)
    """When the first check of each server begins, seconds; without it they are spread as the product does."""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""

    @property
    def starts_up(self) -> bool:
        """Tell whether a server is held to be healthy before its first check has ended."""
        return True

    @property
    def answer_within(self) -> float:
        """Seconds after which a check without an answer has failed."""
        raise NotImplementedError

    def check_pool(self, servers: Servers) -> None:
        """Refuse a pool to which the settings do not fit.

        Raises:
            PydanticCustomError: there are not as many first checks as servers.
        """
        if self.first_after is not None and len(self.first_after) != servers.count:
            raise PydanticCustomError(
                "first_after", f"{servers.count} times, one for each server of the pool"
            )

    def memory(self, servers: Servers) -> Memory:
        """Give the memory of a balancer that starts."""
        return Memory([], [])

    def starts(self, servers: Servers, rng: Generator) -> list[float]:
        """Give when the first check of each server begins, seconds."""
        raise NotImplementedError


CHECKS: Family[HealthCheck] = Family("health check", HealthCheck)
