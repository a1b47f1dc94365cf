"""Faults of some servers of the pool, chosen by name, by zone, or both."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import InitErrorDetails

from workbench.simulate.faults._base import Fault, problem
from workbench.simulate.pool import Servers

_SHOWN = 10
_WILD = frozenset("*?[")

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
        by_name, by_zone = chooser(self.servers), chooser(self.zone)
        return [
            number
            for number, (name, zone) in enumerate(zip(servers.names, servers.zone, strict=True))
            if (not self.servers or by_name(name)) and (not self.zone or (zone != "" and by_zone(zone)))
        ]

    def problems(self, servers: Servers, balancers: int) -> list[InitErrorDetails]:
        """List names, patterns and zones that choose no server."""
        zones = sorted({zone for zone in servers.zone if zone})
        found = [
            problem("servers", name, f"names or patterns of servers: {listed(servers.names)}")
            for name in without_match(self.servers, servers.names)
        ]
        found += [
            problem("zone", name, f"zones of the pool's servers: {listed(zones)}")
            for name in without_match(self.zone, zones)
        ]
        if not found and not self.targets(servers):
            by_name = chooser(self.servers)
            chosen = {z for n, z in zip(servers.names, servers.zone, strict=True) if z and by_name(n)}
            theirs = listed(sorted(chosen))
            found.append(problem("zone", ", ".join(self.zone), f"zones of the servers named: {theirs}"))
        return found


def chooser(patterns: list[str]) -> Callable[[str], bool]:
    """Give what tells whether a name is one of these or matches a pattern of them."""
    exactly = set(patterns)
    wild = [pattern for pattern in patterns if _WILD.intersection(pattern)]
    return lambda name: name in exactly or any(fnmatchcase(name, pattern) for pattern in wild)


def without_match(patterns: list[str], names: list[str]) -> list[str]:
    """List those of the patterns that are no name and match none."""
    known = set(names)
    return [
        pattern
        for pattern in patterns
        if pattern not in known
        and not (_WILD.intersection(pattern) and any(fnmatchcase(name, pattern) for name in names))
    ]


def listed(names: list[str]) -> str:
    """List names for a message, the first of them where there are many."""
    if not names:
        return "there are none"
    rest = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
