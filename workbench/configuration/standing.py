"""How a balancer stands that runs, and the steps from there to what a configuration says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Value = int | str | None


class ServerState(StrEnum):
    """What is asked of a server."""

    READY = "ready"
    """It takes traffic as far as it is healthy."""
    DRAIN = "drain"
    """It finishes what it has and takes nothing new; it is still checked."""
    MAINT = "maint"
    """It takes nothing and is not checked."""


@dataclass(frozen=True)
class ServerStanding:
    """One server of a balancer that runs; None where the balancer does not tell."""

    weight: int | None = None
    state: ServerState | None = None
    limit: int | None = None
    """Requests in flight at most; 0 is no limit."""
    up: bool | None = None
    """Whether it is healthy, by the balancer's checks; what is not asked of it but found."""


@dataclass(frozen=True)
class Standing:
    """What a balancer that runs is set to."""

    servers: Mapping[str, ServerStanding]
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the balancer itself, such as its `strategy`, where it tells."""


@dataclass(frozen=True)
class Step:
    """One change of a balancer that runs."""

    server: str
    """The server's name; empty: the balancer itself."""
    key: str
    """`weight`, `state`, `limit`, or the name of a setting."""
    before: Value
    after: Value

    def reversed(self) -> Step:
        """Give the step that takes it back."""
        return Step(self.server, self.key, self.after, self.before)

    @property
    def place(self) -> str:
        """Name what is changed, such as `web-1.weight`."""
        return f"{self.server}.{self.key}" if self.server else self.key

    def __str__(self) -> str:
        return f"{self.place}: {_said(self.key, self.before)} -> {_said(self.key, self.after)}"


def _said(key: str, value: Value) -> str:
    return "no limit" if key == "limit" and not value else str(value)


def steps_between(before: Standing, after: Standing, *, carries: Collection[str]) -> list[Step]:
    """List the steps from one standing to another, those that bring servers in before those that take out.

    So a balancer that is stopped between two steps has at least the servers that it had before, or those
    that it is to have. A server that either of the two does not know is left alone.

    Args:
        before: how the balancer stands.
        after: how it is to stand; what is None there stays.
        carries: the keys that can be changed while it runs.
    """
    found = []
    for name, wanted in after.servers.items():
        known = before.servers.get(name)
        for key in ("weight", "limit", "state"):
            now, then = getattr(known, key, None), getattr(wanted, key)
            if known is not None and then is not None and now != then and key in carries:
                found.append(Step(name, key, _plain(now), _plain(then)))
    for key, value in after.settings.items():
        if key in carries and before.settings.get(key) != value:
            found.append(Step("", key, before.settings.get(key), value))
    return sorted(found, key=_takes_out)


def _plain(value: Value) -> Value:
    return str(value) if isinstance(value, StrEnum) else value


def _takes_out(step: Step) -> bool:
    if step.key == "state":
        return step.after != ServerState.READY
    if step.key == "weight":
        return step.before is not None and (step.after or 0) < step.before  # type: ignore[operator]
    return False


def standing_after(steps: Sequence[Step]) -> Standing:
    """Give what steps ask for, and nothing else."""
    servers: dict[str, dict[str, Any]] = {}
    for step in steps:
        if step.server:
            value = ServerState(str(step.after)) if step.key == "state" else step.after
            servers.setdefault(step.server, {})[step.key] = value
    settings = {step.key: str(step.after) for step in steps if not step.server}
    return Standing({name: ServerStanding(**values) for name, values in servers.items()}, settings)


def taken_back(steps: Sequence[Step]) -> list[Step]:
    """Give the steps that take steps back, the last one first; what was not known before stays."""
    return [step.reversed() for step in reversed(steps) if step.before is not None]


def mismatches(found: Standing, steps: Sequence[Step]) -> list[str]:
    """Say where a balancer, read back, does not stand as the steps asked for."""
    wrong = []
    for step in steps:
        one = found.servers.get(step.server)
        value = _plain(getattr(one, step.key, None)) if step.server else found.settings.get(step.key)
        if value != step.after:
            asked, is_now = _said(step.key, step.after), _said(step.key, value)
            wrong.append(f"{step.place}: asked for {asked}, found {is_now}")
    return wrong
