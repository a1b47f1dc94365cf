"""Reading Prometheus's text format and OpenMetrics: the series and their values, nothing of their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from workbench.errors import TargetError

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    rf"({_NAME})\s*(?:\{{((?:\s*{_LABEL}\s*,?)*)\s*\}})?\s+(\S+)(?:\s+[-+.0-9eE]+)?(?:\s+#.*)?"
)
_LABELS = re.compile(_LABEL)
_SELECTOR = re.compile(rf"({_NAME})(?:\{{((?:\s*{_LABEL}\s*,?)*)\s*\}})?")
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}


class Series(NamedTuple):
    """One series of a page, with its value."""

    name: str
    labels: Mapping[str, str]
    value: float


def read_series(page: str, place: str) -> Iterator[Series]:
    """Read the series of a page.

    Raises:
        TargetError: a line is none of such a page.
    """
    for number, line in enumerate(page.splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = _LINE.fullmatch(text)
        value = None if found is None else _value(found[5])
        if found is None or value is None:
            raise TargetError(f"{place}: line {number} is {text[:60]!r}, which is no line of metrics")
        yield Series(found[1], _labels(found[2]), value)


def read_selector(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Read a metric's name with labels that its series must have; None for what is neither."""
    found = _SELECTOR.fullmatch(text.strip())
    return None if found is None else (found[1], _labels(found[2]))


def _labels(text: str | None) -> dict[str, str]:
    return {name: _plain(value) for name, value in _LABELS.findall(text or "")}


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), text)


def _value(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
