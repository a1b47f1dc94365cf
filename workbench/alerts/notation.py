"""Series as promtool's unit tests write them: `queue{server="a"}` with values `0+1x20 _x3 stale`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic_core import PydanticCustomError

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import Matcher
from workbench.alerts.selectors import parse_matchers, selector
from workbench.alerts.series import STALE, Floats
from workbench.alerts.templates import go_number

_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[iI]nf|NaN)"
_ITEM = re.compile(
    rf"(?P<gap>_)(?:x(?P<gaps>\d+))?|(?P<stale>stale)"
    rf"|(?P<start>{_NUMBER})(?:(?P<step>[-+](?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))?(?:x(?P<times>\d+))?"
)
_SERIES = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(?:\{(.*)\})?\s*", re.DOTALL)
_MOST = 1_000_000


def parse_series(text: str) -> tuple[str, Labels]:
    """Read the name and labels of a series; the name may be missing, and may be the label `__name__`.

    Raises:
        ValueError: the text is no series.
    """
    match = _SERIES.fullmatch(text)
    matchers = parse_matchers(match[2] or "") if match else ()
    if match is None or any(one.operator != "=" for one in matchers):
        raise PydanticCustomError("series", 'a series such as queue{server="a"}')
    pairs = {one.name: one.value for one in matchers}
    name = match[1] or pairs.get("__name__", "")
    return name, Labels({key: value for key, value in pairs.items() if key != "__name__"})


def parse_values(text: str) -> list[float | None]:
    """Spell the values of a series out; None is a gap.

    Raises:
        ValueError: the text is no list of values, or one of more than a million.

    >>> parse_values("1 0+2x2 _x2 stale")[:6]
    [1.0, 0.0, 2.0, 4.0, None, None]
    """
    values: list[float | None] = []
    for part in text.split():
        match = _ITEM.fullmatch(part)
        if match is None or (match["step"] and not match["times"]):
            allowed = "values such as 1 2.5 0+1x20 5x3 _ _x3 stale"
            raise PydanticCustomError("values", allowed)
        values += _spelled(match)
        if len(values) > _MOST:
            raise PydanticCustomError("values", "at most a million values")
    return values


def _spelled(match: re.Match[str]) -> Iterator[float | None]:
    if match["gap"]:
        return iter([None] * min(int(match["gaps"] or 1), _MOST + 1))
    if match["stale"]:
        return iter([STALE])
    start, step, times = float(match["start"]), float(match["step"] or 0.0), int(match["times"] or 0)
    # Added up one by one, as promtool does, not multiplied.
    values, value = [start], start
    for _ in range(min(times, _MOST + 1)):
        value += step
        values.append(value)
    return iter(values)


def samples(values: Sequence[float | None], interval: float) -> tuple[Floats, Floats]:
    """Give the times and values of those that are no gaps, the first at 0."""
    pairs = [(place * interval, value) for place, value in enumerate(values) if value is not None]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def write_series(metric: str, labels: Labels) -> str:
    """Write the name and labels of a series."""
    return selector(metric, tuple(Matcher(name, "=", value) for name, value in labels.items()))


def write_values(values: Sequence[float | None]) -> str:
    """Write values, equal neighbours once."""
    texts = [_text(value) for value in values]
    parts, place = [], 0
    while place < len(texts):
        end = place
        while end < len(texts) and texts[end] == texts[place]:
            end += 1
        parts.append(_repeated(texts[place], end - place))
        place = end
    return " ".join(parts)


def _text(value: float | None) -> str:
    if value is None:
        return "_"
    if math.isnan(value):
        return "stale" if np.float64(value).view(np.int64) == np.float64(STALE).view(np.int64) else "NaN"
    return go_number(value)


def _repeated(text: str, count: int) -> str:
    if count == 1 or text in ("stale", "NaN", "+Inf", "-Inf"):
        return " ".join([text] * count)
    return f"_x{count}" if text == "_" else f"{text}x{count - 1}"
