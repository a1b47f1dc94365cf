"""Guards: what must not happen to a balancer while a change of it is watched.

A guard is a short text: `errors > 2 %`, `usable < 2`, `queued > 50 for 5s`, `response > 150 %`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from workbench.configuration.targets import Observation
from workbench.errors import InputError
from workbench.quantities import format_duration, parse_duration

FEWEST_REQUESTS = 20
"""Requests since the change without which their share of errors says nothing."""

_TEXT = re.compile(
    r"(?P<measure>[a-z_]+)\s*(?P<sign>[<>])\s*(?P<value>[\d.]+)\s*(?P<unit>[a-zµ%]*)(?:\s+for\s+(?P<lasts>.+))?"
)
_MEASURES = ("usable", "queued", "in_flight", "errors", "response")
_ALLOWED = (
    "usable, queued or in_flight with a number, errors with a share such as 2 %, response with a time or, of "
    "what it was before, a percentage; < or > between; and `for 5s` if it must last"
)


@dataclass(frozen=True)
class Guard:
    """A bound on what is observed."""

    text: str
    measure: str
    """`usable` servers, requests `queued` or `in_flight`, share of `errors`, mean `response` time."""
    above: bool
    """Whether it fires above the value, or below it."""
    value: float
    relative: bool
    """Whether the value is a multiple of what was before the change."""
    lasts: float
    """How long it must hold until it fires, seconds."""

    def measured(self, before: Observation, now: Observation) -> float | None:
        """Give what the guard looks at; None where nothing is known."""
        if self.measure == "errors":
            requests, errors = now.requests - before.requests, now.errors - before.errors
            return errors / requests if requests >= FEWEST_REQUESTS else None
        if self.measure == "response":
            if now.response_s is None or (self.relative and not before.response_s):
                return None
            return (
                now.response_s / before.response_s if self.relative and before.response_s else now.response_s
            )
        return float(getattr(now, self.measure))

    def broken(self, before: Observation, now: Observation) -> bool:
        """Tell whether the bound is passed."""
        found = self.measured(before, now)
        return found is not None and (found > self.value if self.above else found < self.value)

    def said(self, before: Observation, now: Observation) -> str:
        """Tell what was found."""
        found = self.measured(before, now)
        if found is None:
            return "unknown"
        if self.measure == "errors" or self.relative:
            return f"{100 * found:.3g} %"
        return format_duration(found) if self.measure == "response" else f"{found:.0f}"


def parse_guard(text: str) -> Guard:
    """Read a guard.

    Raises:
        InputError: it is none.

    >>> parse_guard("errors > 2 % for 5s").value
    0.02
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None or match["measure"] not in _MEASURES:
        raise _no_guard(text)
    measure, unit = match["measure"], match["unit"]
    try:
        value = float(match["value"])
        lasts = parse_duration(match["lasts"]) if match["lasts"] else 0.0
        if unit == "%" and measure in ("errors", "response"):
            value /= 100
        elif measure == "response":
            value = parse_duration(f"{match['value']}{unit}")
        elif unit or measure == "errors":
            raise _no_guard(text)
    except ValueError:
        raise _no_guard(text) from None
    relative = measure == "response" and unit == "%"
    return Guard(text.strip(), measure, match["sign"] == ">", value, relative, lasts)


def _no_guard(text: str) -> InputError:
    return InputError(f"guard: given {text!r}; allowed: {_ALLOWED}")


def _check(text: str) -> str:
    try:
        return parse_guard(text).text
    except InputError:
        raise PydanticCustomError("guard", _ALLOWED) from None


GuardText = Annotated[str, AfterValidator(_check)]
"""A guard, as a document has it."""


class Watch:
    """Guards that are looked at again and again after a change.

    Args:
        guards: the bounds.
        before: what was observed before the change.
    """

    def __init__(self, guards: Sequence[Guard], before: Observation) -> None:
        self._guards = guards
        self._before = before
        self._since: dict[Guard, float] = {}

    def fired(self, now: Observation, at: float) -> str | None:
        """Look once, `at` so many seconds after the change; give why the first guard fires, if any does."""
        for guard in self._guards:
            if not guard.broken(self._before, now):
                self._since.pop(guard, None)
            elif at - self._since.setdefault(guard, at) >= guard.lasts:
                found = guard.said(self._before, now)
                return f"guard {guard.text} fired {format_duration(at)} after the change: {found}"
        return None
