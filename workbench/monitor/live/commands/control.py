"""Commands to the one who runs it: how fast, whether to stand still, and when to end."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self

from workbench.errors import InputError
from workbench.monitor.live.commands._base import COMMANDS, Command


class Control(Command):
    """A command that changes nothing about what is simulated."""

    kind: str

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read nothing more."""
        kind = cls.model_fields["kind"].default
        if rest.strip():
            raise InputError(f"{kind}: given {rest.strip()!r}; allowed: nothing more")
        return cls(kind=kind)

    @property
    def text(self) -> str:
        """The line."""
        return self.kind


@COMMANDS.register
class Pause(Control):
    """Stand still until told to resume."""

    summary: ClassVar[str] = "stand still"
    usage: ClassVar[str] = "pause"
    kind: Literal["pause"] = "pause"


@COMMANDS.register
class Resume(Control):
    """Go on."""

    summary: ClassVar[str] = "go on"
    usage: ClassVar[str] = "resume"
    kind: Literal["resume"] = "resume"


@COMMANDS.register
class Stop(Control):
    """Let no more requests come, answer those that are there, and end."""

    summary: ClassVar[str] = "end: no more requests come, those that are there are answered"
    usage: ClassVar[str] = "stop"
    kind: Literal["stop"] = "stop"


@COMMANDS.register
class SetSpeed(Control):
    """Run faster or slower against the wall clock."""

    summary: ClassVar[str] = "run so many simulated seconds in a second"
    usage: ClassVar[str] = "speed 10|max"
    kind: Literal["speed"] = "speed"
    speed: float | None
    """Simulated seconds in a second; None for as fast as it goes."""

    @classmethod
    def parse(cls, rest: str) -> Self:
        """Read a speed."""
        return cls(speed=read_speed(rest.strip()))

    @property
    def text(self) -> str:
        """The line."""
        return f"speed {'max' if self.speed is None else f'{self.speed:g}'}"


def read_speed(text: str) -> float | None:
    """Read a speed: a number above 0, or `max` for as fast as it goes, which is None.

    Raises:
        InputError: it is neither.

    >>> read_speed("10"), read_speed("max")
    (10.0, None)
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise InputError(f"speed: given {text!r}; allowed: a number above 0, or max")
    return speed
