"""The text of a haproxy.cfg: sections, lines of words, times, and what sections inherit from `defaults`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import DocumentError, Problem

_SECTIONS = frozenset(
    {
        "acme",
        "backend",
        "cache",
        "crt-store",
        "defaults",
        "fcgi-app",
        "frontend",
        "global",
        "http-errors",
        "listen",
        "log-forward",
        "log-profile",
        "mailers",
        "peers",
        "program",
        "resolvers",
        "ring",
        "traces",
        "userlist",
    }
)
_TIME = re.compile(r"(\d+)(us|ms|s|m|h|d)?")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Line:
    """One line: its number from 1 on and its words, without comments."""

    number: int
    words: tuple[str, ...]

    @property
    def key(self) -> str:
        """What it sets: its first word, or its first two where that is how HAProxy reads them."""
        first = self.words[0]
        several = first in ("option", "timeout", "no", "http-check", "tcp-check", "stick", "http-request")
        return " ".join(self.words[:2]) if several and len(self.words) > 1 else first


@dataclass
class Part:
    """One section with the lines that hold for it, those of its `defaults` first."""

    kind: str
    name: str
    number: int
    lines: list[Line] = field(default_factory=list)
    inherited: list[Line] = field(default_factory=list)

    @property
    def all_lines(self) -> list[Line]:
        """The lines of its defaults, then its own."""
        return [*self.inherited, *self.lines]

    def last(self, key: str) -> Line | None:
        """Give the line that sets a key for good."""
        found = [line for line in self.all_lines if line.key == key]
        return found[-1] if found else None


def read_parts(text: str, file: Path) -> list[Part]:
    """Split a haproxy.cfg into its sections.

    Raises:
        DocumentError: a line before the first section, quotes that do not end, or `from` unknown defaults.
    """
    parts: list[Part] = []
    defaults: Part | None = None
    named: dict[str, Part] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = tuple(shlex.split(line, comments=True))
        except ValueError:
            raise _wrong(file, number, "", repr(line.strip()), "quotes that end on their line") from None
        if not words:
            continue
        if words[0] not in _SECTIONS:
            if not parts:
                raise _wrong(
                    file, number, words[0], "a line before any section", "global, defaults, backend ..."
                )
            parts[-1].lines.append(Line(number, words))
            continue
        name = words[1] if len(words) > 1 and words[1] != "from" else ""
        part = Part(words[0], name, number)
        source = defaults
        if "from" in words[1:]:
            wanted = words[words.index("from") + 1] if words[-1] != "from" else ""
            if wanted not in named:
                raise _wrong(file, number, "from", repr(wanted), f"one of {', '.join(named) or 'none here'}")
            source = named[wanted]
        if part.kind == "defaults":
            # A defaults section inherits only from those that it names.
            part.inherited = [*source.all_lines] if source is not None and "from" in words else []
            defaults = part
            named[part.name] = part
        elif part.kind in ("frontend", "backend", "listen") and source is not None:
            part.inherited = source.all_lines
        parts.append(part)
    return parts


def seconds(word: str) -> float:
    """Read a time, which is in milliseconds where it names no unit.

    Raises:
        ValueError: it is none.

    >>> seconds("500"), seconds("1m")
    (0.5, 60.0)
    """
    match = _TIME.fullmatch(word)
    if match is None:
        raise ValueError("a time such as 500ms or 2s")
    return round(int(match[1]) * _UNITS[match[2] or "ms"], 9)


def argument(words: Sequence[str], place: int) -> str:
    """Give the word at a place.

    Raises:
        ValueError: the line ends before.
    """
    if place >= len(words):
        raise ValueError("a value behind it")
    return words[place]


def _wrong(file: Path, number: int, key: str, given: str, allowed: str) -> DocumentError:
    return DocumentError([Problem(str(file), number, key, given, allowed)])
