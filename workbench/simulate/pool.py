"""The servers that requests are balanced over."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from workbench.documents import Section
from workbench.quantities import Duration
from workbench.simulate.disciplines import DISCIPLINES, Discipline, Fifo


class GivesUp(StrEnum):
    """What a server does not finish once the other side has closed."""

    NOTHING = "nothing"
    """All is served, for nobody, as most servers do that notice only when they write the answer."""
    WAITING = "waiting"
    """What still waits in its queue is dropped."""
    ALL = "all"
    """What is in service is broken off, too."""


class ServerGroup(Section):
    """Servers that are alike."""

    name: str = Field("server", min_length=1, max_length=100)
    """The servers are called name-0, name-1 and so on; a group of one is called by the name alone."""
    count: int = Field(1, ge=1, le=30_000)
    """Number of servers, 1 to 30,000."""
    slots: int = Field(1, ge=1, le=1_000_000)
    """Requests that a server serves at once, each at full speed; 1 or more."""
    discipline: Annotated[Discipline, DISCIPLINES] = Fifo()
    """How a server divides its slots among its requests: `fifo` or `ps`."""
    speed: float = Field(1.0, gt=0, le=1e9)
    """Service demand is divided by it; above 0."""
    weight: int = Field(1, ge=0, le=65_535)
    """Share of the traffic that the server should have; 0 takes none. 0 to 65,535."""
    queue_limit: int | None = Field(None, ge=0)
    """Requests that may wait at a server before it refuses; none by default."""
    limit: int | None = Field(None, ge=1)
    """Requests that a balancer keeps in flight at a server at most, by its own view.

    nginx's `max_conns`, HAProxy's `maxconn`. A server at its limit is full.
    """
    least_limit: int | None = Field(None, ge=1)
    """With `limit`: the limit while the balancer is idle (HAProxy's `minconn`); it grows with the load."""
    zone: str = Field("", max_length=100)
    """Where the servers stand: a zone, rack or locality that may fail as a whole."""
    priority: int = Field(0, ge=0, le=100)
    """0 is preferred; servers of the next priority are for when those before it do not suffice."""
    gives_up: GivesUp = GivesUp.NOTHING
    """What a server does not finish once the other side has closed."""
    delay: Duration = 0.0
    """One-way network delay between balancer and server, seconds, on top of the network's own."""


@dataclass(frozen=True)
class Servers:
    """The pool, server by server, in the order of the document."""

    names: list[str] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    weight: list[int] = field(default_factory=list)
    queue_limit: list[int | None] = field(default_factory=list)
    limit: list[int | None] = field(default_factory=list)
    delay: list[float] = field(default_factory=list)
    least_limit: list[int | None] = field(default_factory=list)
    zone: list[str] = field(default_factory=list)
    priority: list[int] = field(default_factory=list)
    gives_up: list[GivesUp] = field(default_factory=list)
    shares: list[bool] = field(default_factory=list)
    """Whether the requests of a server share it equally, as its discipline says."""

    @property
    def count(self) -> int:
        """Number of servers."""
        return len(self.names)


def expand(groups: list[ServerGroup], *, network_delay: float = 0.0) -> Servers:
    """List the servers of groups; `network_delay` in seconds is added to each one's own."""
    servers = Servers()
    for group in groups:
        for number in range(group.count):
            servers.names.append(group.name if group.count == 1 else f"{group.name}-{number}")
            servers.slots.append(group.slots)
            servers.speed.append(group.speed)
            servers.weight.append(group.weight)
            servers.queue_limit.append(group.queue_limit)
            servers.limit.append(group.limit)
            servers.delay.append(network_delay + group.delay)
            servers.least_limit.append(group.least_limit)
            servers.zone.append(group.zone)
            servers.priority.append(group.priority)
            servers.gives_up.append(group.gives_up)
            servers.shares.append(group.discipline.shares)
    return servers
