"""The text of an nginx.conf: directives with their words, and blocks of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import DocumentError, Problem

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<mark>[;{}])|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
    r"""|(?:\\.|\$\{[^}]*\}|[^\s;{}"'])+"""
)
_TIME = re.compile(r"(\d+)(ms|s|m|h|d)?")
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass
class Directive:
    """One directive; a block has directives of its own."""

    line: int
    words: list[str]
    block: list[Directive] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its name."""
        return self.words[0]


def read_directives(text: str, file: Path) -> list[Directive]:
    """Read all directives of a file.

    Raises:
        DocumentError: a quote, a block or a directive does not end.
    """
    top: list[Directive] = []
    open_blocks = [Directive(0, [""], top)]
    words: list[str] = []
    line = begun = 1
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _wrong(file, line, "", "a quote without its end", "quotes that end")
        token = match.group()
        place = match.end()
        if match["mark"] is None and not token.isspace() and token[0] != "#":
            begun = begun if words else line
            words.append(token[1:-1] if token[0] in "\"'" else token)
        elif match["mark"]:
            _close(match["mark"], words, open_blocks, begun if words else line, file)
            words = []
        line += token.count("\n")
    if words or len(open_blocks) > 1:
        key = words[0] if words else open_blocks[-1].key
        raise _wrong(file, begun if words else open_blocks[-1].line, key, "no end", "; or }")
    return top


def _close(mark: str, words: list[str], open_blocks: list[Directive], line: int, file: Path) -> None:
    """End a directive, begin its block, or end one."""
    if mark == "}":
        if words or len(open_blocks) == 1:
            raise _wrong(file, line, words[0] if words else "", "}", "; after a directive, and } after {")
        open_blocks.pop()
        return
    if not words:
        raise _wrong(file, line, "", mark, f"a directive before {mark}")
    directive = Directive(line, words)
    open_blocks[-1].block.append(directive)
    if mark == "{":
        open_blocks.append(directive)


def walk(
    directives: Sequence[Directive], above: tuple[Directive, ...] = ()
) -> Iterator[tuple[Directive, ...]]:
    """Give each directive after the blocks that it stands in."""
    for directive in directives:
        yield (*above, directive)
        yield from walk(directive.block, (*above, directive))


def seconds(word: str) -> float:
    """Read a time, in seconds where it names no unit; several parts add up.

    Raises:
        ValueError: it is none.

    >>> seconds("10"), seconds("1m30s"), seconds("500ms")
    (10.0, 90.0, 0.5)
    """
    parts = _TIME.findall(word)
    if not parts or "".join(number + unit for number, unit in parts) != word:
        raise ValueError(f"a time such as 500ms or 10s, not {word}")
    return round(sum(int(number) * _UNITS[unit or "s"] for number, unit in parts), 9)


def _wrong(file: Path, line: int, key: str, given: str, allowed: str) -> DocumentError:
    return DocumentError([Problem(str(file), line, key, given, allowed)])
