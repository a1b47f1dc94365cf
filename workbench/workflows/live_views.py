"""What live runs say of themselves, in the form that every face of the workbench shows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.store import LiveCommand, LiveRun
from workbench.workflows.results import Number, View


class LiveLine(BaseModel):
    """How one live run stands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    run_id: int
    scenario: str
    strategy: str
    """That picks now."""
    state: str
    """`running`, `paused`, `stopped`, `failed`, or `crashed`: its process is gone."""
    reason: str | None
    """Why it failed."""
    at_s: float
    """Simulated time until which everything is stored, seconds."""
    speed: Number
    """Simulated seconds in a second; null for as fast as it goes."""
    behind_s: float
    """How far it is behind its pace, seconds."""
    requests: int
    """That have arrived."""
    answered: int
    """Of these, that have their answer."""
    commands: int
    """How many it was sent."""
    sample_s: float
    """Length of a sample interval, seconds."""
    started: datetime
    committed: datetime
    """When it last stored something."""

    @classmethod
    def of(cls, live: LiveRun, *, strategy: str) -> LiveLine:
        """Make it of what the catalogue knows."""
        kept = {name: getattr(live, name) for name in cls.model_fields if hasattr(live, name)}
        return cls(**(kept | {"strategy": strategy}), at_s=live.at_us / 1e6, sample_s=live.sample_us / 1e6)

    def cells(self) -> list[str]:
        """Give it as text, cell by cell."""
        speed = "max" if self.speed is None else f"{self.speed:g}x"
        state = self.state if self.behind_s < 1 else f"{self.state}, {format_duration(self.behind_s)} behind"
        return [
            str(self.run_id),
            self.scenario,
            self.strategy,
            state,
            format_duration(self.at_s),
            speed,
            f"{self.requests:,}",
            f"{self.requests - self.answered:,}",
            str(self.commands),
        ]


_COLUMNS = ["run", "scenario", "strategy", "state", "at", "speed", "requests", "in flight", "commands"]


class LiveView(View):
    """One live run, at its end or while it goes on."""

    schema_: Literal["workbench.live/1"] = Field("workbench.live/1", alias="schema")
    lake: str
    live: LiveLine

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return _COLUMNS

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [self.live.cells()]

    def title(self) -> str:
        """Give the line above the table."""
        return f"live run {self.live.run_id}: {self.live.scenario}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        number = self.live.run_id
        match self.live.state:
            case "stopped":
                return [f"stored in {self.lake}; look at it with: workbench show {number}"]
            case "crashed":
                return [f"its process is gone; go on with: workbench live resume {number}"]
            case "failed":
                return [f"failed: {self.live.reason}"]
        return [f"tell it something with: workbench live command {number} ..."]


class LivesView(View):
    """Live runs, the newest first."""

    schema_: Literal["workbench.lives/1"] = Field("workbench.lives/1", alias="schema")
    lake: str
    lives: list[LiveLine]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return _COLUMNS

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [live.cells() for live in self.lives]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.lives)} live runs in {self.lake}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [] if self.lives else ["start one with: workbench live SCENARIO --speed 10"]


class CommandLine(BaseModel):
    """A command to a live run, and what became of it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    command_id: int
    run_id: int
    command: str
    author: str
    reason: str
    forced: bool
    sent: datetime
    state: str
    """`waiting`, `applied` or `refused`."""
    at_s: Number
    """Simulated time at which it was applied or refused, seconds."""
    done: datetime | None
    result: str
    """What it did, or why it was refused."""

    @classmethod
    def of(cls, command: LiveCommand) -> CommandLine:
        """Make it of what the journal says."""
        kept = {name: getattr(command, name) for name in cls.model_fields if hasattr(command, name)}
        return cls(**kept, at_s=None if command.at_us is None else command.at_us / 1e6)

    def cells(self) -> list[str]:
        """Give it as text, cell by cell."""
        at = "" if self.at_s is None else format_duration(self.at_s)
        return [
            str(self.command_id),
            self.command,
            self.author,
            self.reason,
            f"{self.state}{f' at {at}' if at else ''}",
            self.result,
        ]


class CommandsView(View):
    """Commands to a live run, in the order in which they were sent."""

    schema_: Literal["workbench.live_commands/1"] = Field("workbench.live_commands/1", alias="schema")
    run_id: int
    commands: list[CommandLine]

    @property
    def refused(self) -> bool:
        """Whether the last one was refused."""
        return bool(self.commands) and self.commands[-1].state == "refused"

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", "command", "by", "reason", "state", "result"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [command.cells() for command in self.commands]

    def title(self) -> str:
        """Give the line above the table."""
        return f"commands to live run {self.run_id}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        waiting = [command for command in self.commands if command.state == "waiting"]
        if not waiting:
            return []
        return [f"see what becomes of it with: workbench live log {self.run_id}"]
