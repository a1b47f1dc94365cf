"""Faults of some servers of the pool, chosen by name, by zone, or both."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import InitErrorDetails

from workbench.simulate.faults._base import Fault, problem
from workbench.simulate.pool import Servers

_SHOWN = 10

Names = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(max_length=30_000),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One name or a list of names, each of which may hold `*`, `?` and `[...]` as file names do."""


class ServerFault(Fault):
    """A fault of some servers; all of the pool where none are chosen."""

    servers: Names = Field(default_factory=list)
    """Names, such as `web-1`, or patterns, such as `web-*`; all without the key."""
    zone: Names = Field(default_factory=list)
    """Only servers in these zones; all without the key."""

    def targets(self, servers: Servers) -> list[int]:
        """List the servers that are chosen, by their place in the pool."""
        return [
            number
            for number, (name, zone) in enumerate(zip(servers.names, servers.zone, strict=True))
            if (not self.servers or matches(name, self.servers))
            and (not self.zone or (zone != "" and matches(zone, self.zone)))
        ]

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List names, patterns and zones that choose no server."""
        zones = sorted({zone for zone in servers.zone if zone})
        found = [
            problem("servers", name, f"names or patterns of servers: {listed(servers.names)}")
            for name in self.servers
            if not any(matches(server, [name]) for server in servers.names)
        ]
        found += [
            problem("zone", name, f"zones of the pool's servers: {listed(zones)}")
            for name in self.zone
            if not any(matches(zone, [name]) for zone in zones)
        ]
        if not found and not self.targets(servers):
            chosen = [z for n, z in zip(servers.names, servers.zone, strict=True) if matches(n, self.servers)]
            theirs = listed(sorted(set(filter(None, chosen))))
            found.append(problem("zone", ", ".join(self.zone), f"zones of the servers named: {theirs}"))
        return found


def matches(name: str, patterns: list[str]) -> bool:
    """Tell whether a name is one of these or matches a pattern."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def listed(names: list[str]) -> str:
    """List names for a message, the first of them where there are many."""
    if not names:
        return "there are none"
    rest = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
