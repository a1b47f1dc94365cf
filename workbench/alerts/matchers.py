"""Matchers: conditions on an alert's labels, written as Alertmanager writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from workbench.alerts.labels import escaped

_TEXT = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ALLOWED = 'a condition on a label, such as severity="page", pool=~"web|api" or zone!="b"'


@dataclass(frozen=True)
class Matcher:
    """A condition on one label; a label that is missing counts as empty."""

    name: str
    operator: str
    """`=`, `!=`, `=~` or `!~`; the last two match a regular expression against the whole value."""
    value: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value, re.DOTALL)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels meet the condition."""
        given = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (given == self.value) == (self.operator == "=")
        return (self._pattern.fullmatch(given) is not None) == (self.operator == "=~")

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{escaped(self.value)}"'


def parse_matcher(value: Any) -> Matcher:
    """Read `severity="page"`; the quotes may be left out.

    Raises:
        ValueError: the text is no condition on a label.

    >>> str(parse_matcher("pool =~ web|api"))
    'pool=~"web|api"'
    """
    if isinstance(value, Matcher):
        return value
    if not isinstance(value, str) or (found := _TEXT.fullmatch(value)) is None:
        raise PydanticCustomError("matcher", _ALLOWED)
    name, operator, text = found.groups()
    if text.startswith('"') or text.endswith('"'):
        if (quoted := _QUOTED.fullmatch(text)) is None:
            raise PydanticCustomError("matcher", _ALLOWED)
        text = _unescaped(quoted[1])
    if operator in ("=~", "!~"):
        try:
            re.compile(text)
        except re.error as error:
            reason = {"reason": str(error)}
            raise PydanticCustomError("matcher", "a regular expression ({reason})", reason) from None
    return Matcher(name, operator, text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text, flags=re.DOTALL)


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Say whether the labels meet every condition, as they do when there is none."""
    return all(matcher.matches(labels) for matcher in matchers)


Condition = Annotated[
    Matcher,
    BeforeValidator(parse_matcher),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "description": _ALLOWED}),
]
"""A matcher in a document."""
