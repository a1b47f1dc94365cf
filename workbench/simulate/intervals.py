"""Intervals at which a balancer does something again and again."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from workbench.quantities import PositiveDuration

LEAST = 0.001
"""Seconds; the clocks of the products know whole milliseconds, and less would be a run that never ends."""


def _not_too_short(seconds: float) -> float:
    if seconds < LEAST:
        raise PydanticCustomError("interval", "an interval of 1ms or more")
    return seconds


Interval = Annotated[PositiveDuration, AfterValidator(_not_too_short)]
"""Seconds, 1 ms or more."""
