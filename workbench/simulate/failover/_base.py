"""What all rules of failover have in common: which servers a request may go to at all.

The servers are divided into groups, such as primaries and backups, priorities, or localities. A balancer
has a strategy's memory for each group and picks within the group that the rule names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from numpy.random import Generator

from workbench.documents import Family, Member
from workbench.simulate.pool import Servers
from workbench.simulate.strategies import Memory
from workbench.simulate.strategies._base import Floats, Ints

NO_GROUP = -1


class GroupState(NamedTuple):
    """How a balancer's groups stand; one entry a group where nothing else is said."""

    healthy: Ints
    """Servers in service."""
    total: Ints
    """Servers of weight above 0, in service or not."""
    panic: Ints
    """1 while all servers of the group are sent traffic, healthy or not; set by `update`."""
    ints: Ints
    floats: Floats


if TYPE_CHECKING:
    StaticUpdate = staticmethod[[GroupState], None]
    StaticChoose = staticmethod[[GroupState, int, Generator], int]
else:
    StaticUpdate = StaticChoose = staticmethod


class Failover(Member):
    """Which group of servers a request goes to."""

    choose: ClassVar[StaticChoose]
    """Called as `choose(state, last, rng)`: the group to pick in, or NO_GROUP.

    `last` is the group in which nothing could be picked just now, NO_GROUP at first.
    """
    update: ClassVar[StaticUpdate | None] = None
    """Called as `update(state)` whenever `healthy` has changed, and once at the start."""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    """The product or paper that defines it."""

    def check_pool(self, servers: Servers) -> None:
        """Refuse a pool to which the settings do not fit.

        Raises:
            PydanticCustomError: the message says what is allowed.
        """

    def groups(self, servers: Servers) -> list[list[int]]:
        """Divide the servers; each is in one group."""
        raise NotImplementedError

    def memory(self, servers: Servers, own_zone: str) -> Memory:
        """Give the memory of a balancer that starts and stands in a zone (empty: in none)."""
        return Memory([], [])


FAILOVER: Family[Failover] = Family("failover rule", Failover)
