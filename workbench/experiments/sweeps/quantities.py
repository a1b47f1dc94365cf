"""Values of parameters, as people write them, and the numbers that they are."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from workbench.quantities import format_duration, parse_duration, parse_rate

_SHARE = re.compile(r"(\d+(?:\.\d*)?)\s*%")


class Quantity(NamedTuple):
    """A number and the unit in which it is shown."""

    number: float
    """Seconds, per second, a share, or a plain number."""
    unit: str
    """`duration`, `rate`, `share`, `whole` or `number`."""


def read_quantity(value: Any) -> Quantity | None:
    """Tell the number in `250ms`, `340/s`, `80%` or a plain number; None where there is none.

    >>> read_quantity("80%")
    Quantity(number=0.8, unit='share')
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Quantity(float(value), "whole" if isinstance(value, int) else "number")
    if not isinstance(value, str):
        return None
    if match := _SHARE.fullmatch(value.strip()):
        return Quantity(float(match[1]) / 100.0, "share")
    for parse, unit in ((parse_duration, "duration"), (parse_rate, "rate")):
        try:
            return Quantity(parse(value), unit)
        except ValueError:
            continue
    return None


def show_quantity(number: float, unit: str) -> str:
    """Write a number in its unit.

    >>> show_quantity(0.25, "duration"), show_quantity(0.8, "share")
    ('250 ms', '80 %')
    """
    if unit == "duration":
        return format_duration(number)
    if unit == "rate":
        return f"{number:.6g}/s"
    return f"{100 * number:.6g} %" if unit == "share" else f"{number:.6g}"


def show_value(value: Any) -> str:
    """Write any value of a document on a line.

    >>> show_value({"kind": "power_of_two", "choices": 3}), show_value(None)
    ('power_of_two(choices=3)', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, dict):
        inside = ", ".join(f"{key}={show_value(item)}" for key, item in value.items() if key != "kind")
        return f"{value.get('kind', '')}({inside})" if inside else str(value.get("kind", "{}"))
    if isinstance(value, list):
        return "[" + ", ".join(show_value(item) for item in value) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
