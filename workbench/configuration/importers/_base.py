"""What all importers have in common: they read a file of a proxy and say what they could not carry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from workbench.configuration.document import BalancerConfiguration
from workbench.documents import Family, Member
from workbench.errors import InputError

V = TypeVar("V")


@dataclass(frozen=True)
class Note:
    """Something that a file says and a configuration does not, or the other way round."""

    key: str
    """The directive or key."""
    reason: str
    line: int = 0
    """Where it stands, from 1 on; 0 where it stands nowhere."""

    def __str__(self) -> str:
        return f"{f'line {self.line}: ' if self.line else ''}{self.key}: {self.reason}"


@dataclass(frozen=True)
class Imported:
    """A configuration that a file stands for."""

    configuration: BalancerConfiguration
    part: str
    """The backend, upstream or cluster that it is of."""
    notes: tuple[Note, ...]


class Importer(Member):
    """Reads a kind of file."""

    summary: ClassVar[str] = ""
    part_noun: ClassVar[str] = ""
    """What a part of such a file is called, such as `backend`; empty where there are no parts."""
    unsaid: ClassVar[frozenset[str]] = frozenset()
    """Keys of a server that such a file has no words for."""

    @abstractmethod
    def fits(self, file: Path, text: str) -> bool:
        """Tell whether a file looks like one of this kind."""

    @abstractmethod
    def read(self, text: str, *, file: Path, part: str | None) -> Imported:
        """Make the configuration that a file stands for.

        Args:
            text: the content of the file.
            file: its name, for messages, and to find files that it names.
            part: the backend, upstream or cluster; the only one by default.

        Raises:
            DocumentError: the file cannot be understood, with every problem.
            InputError: there is no such part, or there are several and none is given.
        """

    def keep(self, read: BalancerConfiguration, known: BalancerConfiguration | None) -> BalancerConfiguration:
        """Give what was read with what such a file cannot say taken from the version that holds.

        A server that is not known by its name is by its address, for files that have no names.
        """
        if known is None:
            return read
        content = read.content()
        names = {one.address: name for name, one in known.servers.items() if name not in read.servers}
        content["servers"] = {
            name if name in known.servers else names.get(one["address"], name): one
            for name, one in content["servers"].items()
        }
        content["target"] = known.content()["target"]
        content["load"] = known.load if not read.load else read.load
        for name, server in content["servers"].items():
            if name in known.servers:
                old = known.servers[name].model_dump(mode="json")
                server |= {key: old[key] for key in self.unsaid}
        return BalancerConfiguration.model_validate(content)


IMPORTERS: Family[Importer] = Family("importer", Importer)  # type: ignore[type-abstract]


def chosen_part(parts: Collection[str], given: str | None, *, noun: str, file: Path) -> str:
    """Find which part of a file is meant: the one given, or the only one.

    Raises:
        InputError: there is none, there is no such, or there are several and none is given.
    """
    known = ", ".join(parts) or "none in this file"
    if given is None and len(parts) == 1:
        return next(iter(parts))
    if given is None or given not in parts:
        told = "none" if given is None else repr(given)
        raise InputError(f"{file}: {noun}: given {told}; allowed: {known}")
    return given


def most_common(values: Sequence[V]) -> V:
    """Give the value that most servers have; of several the first."""
    return max(values, key=values.count)
