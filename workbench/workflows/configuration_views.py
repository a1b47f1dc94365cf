"""What the configuration of a balancer says, in the form that every face of the workbench shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.workflows.decision_views import ChangeView, said
from workbench.workflows.results import View

_MOST_ROWS = 50
"""Servers that a table shows; the JSON has all."""


class ConfigurationView(View):
    """One version of a balancer's configuration."""

    schema_: Literal["workbench.configuration/1"] = Field("workbench.configuration/1", alias="schema")
    file: str
    """Where the versions are kept."""
    balancer: str
    version: int
    author: str
    at: datetime
    reason: str
    strategy: str
    usable: int
    """Servers that may be sent requests while they are healthy."""
    settings: dict[str, str]
    """What is set besides servers and strategy, in words, by its key."""
    configuration: dict[str, Any]
    changes: list[ChangeView]
    """What it changed in the version before; all of it is new in the first."""
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["server", "address", "state", "weight", "limit", "priority", "slots", "speed"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        servers = list(self.configuration["servers"].items())[:_MOST_ROWS]
        keys = self.columns()[1:]
        return [[name, *(said(server[key]) for key in keys)] for name, server in servers]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"configuration of {self.balancer}, version {self.version} by {self.author}, "
            f"{self.at:%Y-%m-%d %H:%M}"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        servers = self.configuration["servers"]
        lines = [f"strategy {self.strategy}; {self.usable} of {len(servers)} servers may be sent requests"]
        if len(servers) > _MOST_ROWS:
            lines.insert(0, f"and {len(servers) - _MOST_ROWS} more servers")
        lines += [f"{name}: {text}" for name, text in self.settings.items()]
        lines.append(f"reason: {self.reason}")
        if self.version > 1:
            lines.append(f"changed: {'; '.join(change_lines(self.changes)) or 'nothing'}")
        return lines + [f"note: {note}" for note in self.notes]


def change_lines(changes: Sequence[ChangeView]) -> list[str]:
    """Tell changes in a few words each; the same change of several servers is told once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        server, key = _server(change)
        alike.setdefault((key, _told(change)), []).append(server)
    lines = []
    for (key, told), servers in alike.items():
        if servers == [""]:
            lines.append(f"{key} {told}".strip())
        elif len(servers) > 2:
            lines.append(f"{key} of {len(servers)} servers {told}".replace("  ", " ").strip())
        else:
            lines += [f"{server} {key} {told}".replace("  ", " ").strip() for server in servers]
    return lines


def _server(change: ChangeView) -> tuple[str, str]:
    """Split a key such as `servers.web-1.weight` into server and key; of a whole server the key is empty."""
    if not change.key.startswith("servers."):
        return "", change.key
    rest = change.key.removeprefix("servers.")
    if isinstance(change.before, dict) or isinstance(change.after, dict):
        return rest, ""
    server, _, key = rest.rpartition(".")
    return server, key


def _told(change: ChangeView) -> str:
    if isinstance(change.before, dict) or isinstance(change.after, dict):
        return "added" if change.before is None else "removed" if change.after is None else "replaced"
    return f"{said(change.before)} -> {said(change.after)}"


class ApplicationLine(BaseModel):
    """One application of a version to a balancer that runs."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    application_id: int
    version: int
    target: str
    state: str
    """`applying`, `watching`, `kept`, `rolled_back` or `failed`."""
    author: str
    begun: datetime
    ended: datetime | None
    told: str
    """Why it was rolled back or failed."""


class ConfigurationHistoryView(View):
    """The versions of a balancer's configuration, the newest first."""

    schema_: Literal["workbench.configuration_history/1"] = Field(
        "workbench.configuration_history/1", alias="schema"
    )
    file: str
    balancer: str
    versions: list[ConfigurationView]
    applications: list[ApplicationLine]
    """What was applied to balancers that run, the newest first."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["version", "at", "author", "strategy", "usable", "changed", "reason", "applied"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(one.version),
                f"{one.at:%Y-%m-%d %H:%M}",
                one.author,
                one.strategy,
                str(one.usable),
                "all" if one.version == 1 else _few(change_lines(one.changes)),
                one.reason,
                next((line.state for line in self.applications if line.version == one.version), "-"),
            ]
            for one in self.versions
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.versions)} versions of the configuration of {self.balancer} in {self.file}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [
            f"version {one.version} to {one.target} by {one.author}: {one.state}: {one.told}"
            for one in self.applications
            if one.told
        ]


def _few(lines: list[str]) -> str:
    more = f"; and {len(lines) - 4} more" if len(lines) > 4 else ""
    return "; ".join(lines[:4]) + more or "nothing"


class ConfigurationDifferenceView(View):
    """What two versions differ in, or a version and a balancer that runs."""

    schema_: Literal["workbench.configuration_difference/1"] = Field(
        "workbench.configuration_difference/1", alias="schema"
    )
    balancer: str
    before: str
    """`version 3`, or the target's address."""
    after: str
    changes: list[ChangeView]
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["key", self.before, self.after]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[change.key, _value(change.before), _value(change.after)] for change in self.changes]

    def title(self) -> str:
        """Give the line above the table."""
        count = len(self.changes)
        return f"{count} {'difference' if count == 1 else 'differences'} from {self.before} to {self.after}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"note: {note}" for note in self.notes]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {said(one)}" for key, one in value.items() if one not in (None, ""))
    return said(value)


class BalancerLine(BaseModel):
    """One balancer that has a configuration."""

    model_config = ConfigDict(frozen=True)

    balancer: str
    version: int
    strategy: str
    servers: int
    usable: int
    author: str
    at: datetime
    target: str | None


class ConfigurationsView(View):
    """The balancers that have a configuration."""

    schema_: Literal["workbench.configurations/1"] = Field("workbench.configurations/1", alias="schema")
    file: str
    balancers: list[BalancerLine]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["balancer", "version", "strategy", "servers", "usable", "target", "by", "at"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.balancer,
                str(one.version),
                one.strategy,
                str(one.servers),
                str(one.usable),
                one.target or "-",
                one.author,
                f"{one.at:%Y-%m-%d %H:%M}",
            ]
            for one in self.balancers
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.balancers)} balancers in {self.file}"
