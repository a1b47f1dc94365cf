"""Selectors: which series of a metric a rule is about."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from workbench.alerts.labels import NAME, Labels
from workbench.alerts.matchers import Matcher, parse_matcher

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ONE = re.compile(r'\s*([a-zA-Z_]\w*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*")\s*')
_ALLOWED = 'labels with texts as values, or a text such as pool="web", server=~"a.*"'


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Read `pool="web", server=~"a.*"`.

    Raises:
        ValueError: the text is no list of matchers, or a regular expression is none.
    """
    found, place, text = [], 0, text.strip().removesuffix(",")
    while place < len(text):
        match = _ONE.match(text, place)
        if match is None or text[match.end() : match.end() + 1] not in ("", ","):
            raise PydanticCustomError("matchers", _ALLOWED)
        found.append(parse_matcher(match[1]))
        place = match.end() + 1
    return tuple(found)


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return parse_matchers(value)
    if isinstance(value, dict):
        texts = all(isinstance(part, str) for pair in value.items() for part in pair)
        if not texts or not all(NAME.fullmatch(name) for name in value):
            raise PydanticCustomError("matchers", _ALLOWED)
        return tuple(Matcher(name, "=", text) for name, text in value.items())
    if isinstance(value, tuple) and all(isinstance(one, Matcher) for one in value):
        return value
    raise PydanticCustomError("matchers", _ALLOWED)


def selector(metric: str, matchers: tuple[Matcher, ...]) -> str:
    """Write a selector of PromQL."""
    return metric + (f"{{{', '.join(str(one) for one in matchers)}}}" if matchers else "")


def equalities(matchers: tuple[Matcher, ...]) -> Labels:
    """Give the labels that `absent` gives its result: those that one matcher alone sets to a value."""
    names = [one.name for one in matchers]
    alone = [one for one in matchers if one.operator == "=" and names.count(one.name) == 1]
    return Labels({one.name: one.value for one in alone})


def _metric(name: str) -> str:
    if not _METRIC.fullmatch(name):
        raise PydanticCustomError("metric", "a metric's name of letters, digits, _ and :")
    return name


MetricName = Annotated[str, AfterValidator(_metric)]
"""The name of a metric."""

Matchers = Annotated[
    tuple[Matcher, ...],
    BeforeValidator(_read),
    PlainSerializer(lambda matchers: ", ".join(str(one) for one in matchers)),
    WithJsonSchema(
        {
            "anyOf": [{"type": "object", "additionalProperties": {"type": "string"}}, {"type": "string"}],
            "description": _ALLOWED,
        }
    ),
]
"""Written as labels with values, or as a text with the operators of PromQL."""
