"""What all exporters have in common: they write a file for a proxy and say what it cannot carry."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from workbench.configuration.document import BalancerConfiguration, ServerSettings
from workbench.configuration.importers import Note
from workbench.documents import Family, Member
from workbench.errors import InputError

_SIMULATED = ("slots", "speed", "discipline", "queue_limit", "gives_up", "delay")
"""What only simulations know of a server."""


@dataclass(frozen=True)
class Exported:
    """A file, and what of the configuration does not stand in it."""

    text: str
    notes: tuple[Note, ...]


class Exporter(Member):
    """Writes a kind of file."""

    summary: ClassVar[str] = ""

    @abstractmethod
    def write(self, configuration: BalancerConfiguration, *, name: str) -> Exported:
        """Write the file.

        Args:
            configuration: what to write.
            name: what the backend, upstream or cluster is called.

        Raises:
            InputError: a server has no address, or a name or weight that the proxy does not take.
        """


EXPORTERS: Family[Exporter] = Family("exporter", Exporter)  # type: ignore[type-abstract]


def check_addresses(configuration: BalancerConfiguration) -> None:
    """Refuse servers without an address.

    Raises:
        InputError: naming those servers.
    """
    if without := [name for name, one in configuration.servers.items() if not one.address]:
        raise InputError(
            f"servers: given no address of {shown(without)}; allowed: an address of each, such as "
            f"servers.{without[0]}.address=10.0.0.1:8080"
        )


def shown(names: Sequence[str]) -> str:
    """Write a list of names, the first of many."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def server_notes(configuration: BalancerConfiguration, *, more: Iterable[str] = ()) -> list[Note]:
    """Note what of the servers does not stand in a file: what only simulations know, and more keys."""
    notes = []
    for key in (*_SIMULATED, *more):
        default = ServerSettings.model_fields[key].get_default(call_default_factory=True)
        if names := [name for name, one in configuration.servers.items() if getattr(one, key) != default]:
            said = "only simulations know it" if key in _SIMULATED else "there is no such thing"
            notes.append(Note(key, f"{said}; left out, of {shown(names)}"))
    return notes


def part_note(key: str, part: BaseModel | None, carried: str, *, allowed: Sequence[str] = ()) -> list[Note]:
    """Note a part of the balancers that is of another product; `none` is what every proxy can do without."""
    kind = getattr(part, "kind", "")
    if part is None or kind in (carried, "none", *allowed):
        return []
    return [Note(key, f"{kind or 'it'} is not carried")]


def other_notes(configuration: BalancerConfiguration, *, keys: Iterable[str]) -> list[Note]:
    """Note what of the balancers and clients is set and has no place in the file."""
    notes = []
    for key in keys:
        value = getattr(configuration.balancers, key)
        if value != type(configuration.balancers).model_fields[key].get_default(call_default_factory=True):
            notes.append(Note(key, "is not part of such a file; left out"))
    if configuration.clients != type(configuration).model_fields["clients"].default:
        notes.append(Note("clients", "are not the balancer's; left out"))
    return notes


def milliseconds(seconds: float) -> str:
    """Write a time as proxies read it, in whole milliseconds, or microseconds where it has them.

    >>> milliseconds(0.5), milliseconds(2.0), milliseconds(0.0005)
    ('500ms', '2s', '500us')
    """
    micro = round(seconds * 1e6)
    if micro % 1_000_000 == 0 and micro:
        return f"{micro // 1_000_000}s"
    return f"{micro // 1000}ms" if micro % 1000 == 0 else f"{micro}us"
