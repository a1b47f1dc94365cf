"""What all commands to a live run have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import ValidationError

from workbench.documents import Family, Member
from workbench.errors import InputError
from workbench.simulate.engines.reference import Steering


class Command(Member):
    """Something that a live run is told to do.

    It is written as one line, which the journal keeps: `read_command(command.text)` gives it back.
    """

    usage: ClassVar[str]
    """How it is written."""

    @classmethod
    @abstractmethod
    def parse(cls, rest: str) -> Self:
        """Make it of what stands after its name.

        Raises:
            InputError: that is not how it is written.
        """

    @property
    @abstractmethod
    def text(self) -> str:
        """The line."""

    def apply(self, steering: Steering, now: float, *, forced: bool = False) -> str:
        """Do it, and say what was done.

        Args:
            steering: the run.
            now: simulated time, seconds.
            forced: whether it is done even where it leaves no usable server.

        Raises:
            InputError: it cannot be done, or leaves no usable server; nothing has changed then.
        """
        raise NotImplementedError

    @property
    def server(self) -> str | None:
        """The server that it is about, by number or name, if it is about one."""
        return None


COMMANDS: Family[Command] = Family("command", Command)  # type: ignore[type-abstract]


def server_number(given: str, steering: Steering) -> int:
    """Find a server by its number or name.

    Raises:
        InputError: there is none.
    """
    names = steering.run.scenario.servers().names
    if given in names:
        return names.index(given)
    if given.isdigit() and int(given) < len(names):
        return int(given)
    known = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise InputError(f"server: given {given!r}; allowed: 0 to {len(names) - 1}, or a name: {known}")


def refuse_unusable(steering: Steering, without: Sequence[int], *, forced: bool) -> None:
    """Refuse what would take the last servers that can be used.

    Raises:
        InputError: no server would be left, and it is not forced.
    """
    if not forced and not steering.usable(without=without):
        names = steering.run.scenario.servers().names
        taken = ", ".join(names[one] for one in without)
        raise InputError(f"server: given {taken}, after which none could be used; allowed: with --force")


def said(error: ValidationError) -> str:
    """Say what is wrong with values, all in one line."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc']))}: given {item['input']!r}; allowed: "
        f"{item['msg'].removeprefix('Value error, ').removeprefix('Input should be ')}"
        for item in error.errors()
    )
