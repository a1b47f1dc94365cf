"""The servers that requests are balanced over."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import Field

from workbench.documents import Section
from workbench.quantities import Duration


class ServerGroup(Section):
    """Servers that are alike."""

    name: str = Field("server", min_length=1, max_length=100)
    """The servers are called name-0, name-1 and so on; a group of one is called by the name alone."""
    count: int = Field(1, ge=1, le=30_000)
    """Number of servers, 1 to 30,000."""
    slots: int = Field(1, ge=1, le=1_000_000)
    """Requests that a server serves at once, each at full speed; 1 or more."""
    speed: float = Field(1.0, gt=0, le=1e9)
    """Service demand is divided by it; above 0."""
    weight: int = Field(1, ge=0, le=65_535)
    """Share of the traffic that the server should have; 0 takes none. 0 to 65,535."""
    queue_limit: int | None = Field(None, ge=0)
    """Requests that may wait at a server before it refuses; none by default."""
    limit: int | None = Field(None, ge=1)
    """Requests that a balancer keeps in flight at a server at most, by its own view (nginx `max_conns`).

    A server at its limit is not picked.
    """
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
    return servers
