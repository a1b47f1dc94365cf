"""What the catalogue records of live runs: how far each has come, and the journal of its commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LiveState = Literal["running", "paused", "stopped", "failed", "crashed"]
"""`stopped` is a run that has ended well, `crashed` one whose process is gone before that."""

CommandState = Literal["waiting", "applied", "refused"]


@dataclass(frozen=True)
class Snapshot:
    """How far a live run has come; everything until then is stored.

    Args:
        at_us: simulated time, microseconds.
        requests: that have arrived.
        answered: of these, that have their answer.
        behind_s: how far the simulation is behind its pace, seconds of wall-clock time.
        paused: whether it stands still until it is told to go on.
        speed: simulated seconds in a second; None for as fast as it goes.
    """

    at_us: int
    requests: int
    answered: int
    behind_s: float
    paused: bool
    speed: float | None


@dataclass(frozen=True)
class LiveRun:
    """A live run as the catalogue knows it.

    Args:
        run_id: number of the run.
        scenario: name of the scenario.
        strategy: that it began with, as the user typed it.
        state: how it stands.
        reason: why it failed, or how it ended.
        speed: simulated seconds in a second; None for as fast as it goes.
        sample_us: length of a sample, microseconds.
        until_us: when arrivals end at the latest, microseconds; None for the scenario's horizon.
        at_us: simulated time until which everything is stored, microseconds.
        requests: that had arrived then.
        answered: of these, that had their answer.
        behind_s: how far it was behind its pace then, seconds.
        started: when its process began, in UTC.
        committed: when it last stored something, in UTC.
        commands: how many it was sent.
    """

    run_id: int
    scenario: str
    strategy: str
    state: LiveState
    reason: str | None
    speed: float | None
    sample_us: int
    until_us: int | None
    at_us: int
    requests: int
    answered: int
    behind_s: float
    started: datetime
    committed: datetime
    commands: int


@dataclass(frozen=True)
class NewCommand:
    """A command before it is sent.

    Args:
        command: as text, such as `weight 2=5`.
        author: who says so.
        reason: why; may be empty.
        forced: whether it is to be done even where it leaves no usable server.
    """

    command: str
    author: str
    reason: str = ""
    forced: bool = False


@dataclass(frozen=True)
class LiveCommand:
    """A command in the journal.

    Args:
        command_id: its number, from 1.
        run_id: the run that it was sent to.
        command: as text, such as `weight 2=5`.
        author: who said so.
        reason: why; may be empty.
        forced: whether it is to be done even where it leaves no usable server.
        sent: when it was sent, in UTC.
        state: what became of it.
        at_us: simulated time at which it was applied or refused, microseconds.
        done: when that was, in UTC.
        result: what it did, or why it was refused.
    """

    command_id: int
    run_id: int
    command: str
    author: str
    reason: str
    forced: bool
    sent: datetime
    state: CommandState
    at_us: int | None
    done: datetime | None
    result: str


@dataclass(frozen=True)
class CommandResult:
    """What became of a command.

    Args:
        command_id: its number.
        applied: whether it was done; else it was refused.
        at_us: simulated time, microseconds.
        result: what it did, or why it was refused.
    """

    command_id: int
    applied: bool
    at_us: int
    result: str
