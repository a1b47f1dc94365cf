"""Mute times: when people do not want to be told, as Alertmanager's time intervals say it.

From: prometheus.io/docs/alerting/latest/configuration, time_interval.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = tuple(name.lower() for name in calendar.month_name)
_CLOCK = re.compile(r"(\d\d):(\d\d)")


class Range(NamedTuple):
    """Whole numbers from one to another, both included."""

    low: int
    high: int


def _minutes(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1440:
        return value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else 1441
    if minutes > 1440:
        raise PydanticCustomError("clock", "a time of day in quotes, '00:00' to '24:00'")
    return minutes


def _range(value: Any, names: tuple[str, ...], low: int, high: int, allowed: str) -> Range:
    if isinstance(value, Range):
        return value
    first, _, last = str(value).lower().partition(":")
    ends = [_number(part.strip(), names) for part in (first, last or first)]
    if any(end is None or not low <= end <= high or (low < 0 and end == 0) for end in ends):
        raise PydanticCustomError("range", "{allowed}", {"allowed": allowed})
    begin, end = (found for found in ends if found is not None)
    if begin > end and (begin < 0) == (end < 0):
        raise PydanticCustomError("range", "{allowed}, the earlier first", {"allowed": allowed})
    return Range(begin, end)


def _number(text: str, names: tuple[str, ...]) -> int | None:
    if text and text in names:
        return names.index(text)
    return int(text) if re.fullmatch(r"-?\d+", text) else None


def _ranged(names: tuple[str, ...], low: int, high: int, allowed: str) -> Any:
    return (
        BeforeValidator(lambda value: _range(value, names, low, high, allowed)),
        PlainSerializer(lambda found: f"{found.low}:{found.high}"),
        WithJsonSchema({"type": ["string", "integer"], "description": allowed}),
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("zone", "a time zone such as UTC or Europe/Berlin") from None
    return name


Minutes = Annotated[
    int, BeforeValidator(_minutes), WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d$"})
]
Weekdays = Annotated[Range, *_ranged(_DAYS, 0, 6, "a day such as monday, or days such as monday:friday")]
MonthDays = Annotated[
    Range, *_ranged((), -31, 31, "a day 1 to 31, or days such as 1:5 or, from the end, -3:-1")
]
Months = Annotated[Range, *_ranged(_MONTHS, 1, 12, "a month such as may or 5, or months such as may:august")]
Years = Annotated[Range, *_ranged((), 1970, 9999, "a year such as 2027, or years such as 2027:2030")]


class Clock(Section):
    """Part of a day."""

    start_time: Minutes
    """First minute."""
    end_time: Minutes
    """First minute after it, `24:00` at most."""

    @model_validator(mode="after")
    def _check(self) -> Clock:
        if self.start_time >= self.end_time:
            raise PydanticCustomError("clock", "an end after the start; for a night write two parts of a day")
        return self


class Spell(Section):
    """Times that meet all that is given; what is left out does not limit them."""

    times: list[Clock] = Field([], max_length=100)
    weekdays: list[Weekdays] = Field([], max_length=100)
    days_of_month: list[MonthDays] = Field([], max_length=100)
    months: list[Months] = Field([], max_length=100)
    years: list[Years] = Field([], max_length=100)
    location: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Time zone."""

    def contains(self, seconds: float) -> bool:
        """Say whether a time, in seconds since the epoch, is in it."""
        when = datetime.fromtimestamp(seconds, UTC).astimezone(_zone_info(self.location))
        minute = when.hour * 60 + when.minute
        days = calendar.monthrange(when.year, when.month)[1]
        return (
            (not self.times or any(part.start_time <= minute < part.end_time for part in self.times))
            and _within(self.weekdays, when.isoweekday() % 7)
            and (not self.days_of_month or any(_has_day(part, when.day, days) for part in self.days_of_month))
            and _within(self.months, when.month)
            and _within(self.years, when.year)
        )


class TimeInterval(Section):
    """A name for some times."""

    name: str = Field(min_length=1)
    time_intervals: list[Spell] = Field(min_length=1, max_length=100)
    """It is then when any of these is."""

    def contains(self, seconds: float) -> bool:
        """Say whether a time, in seconds since the epoch, is in it."""
        return any(spell.contains(seconds) for spell in self.time_intervals)


@cache
def _zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _within(ranges: list[Range], number: int) -> bool:
    return not ranges or any(part.low <= number <= part.high for part in ranges)


def _has_day(part: Range, day: int, days: int) -> bool:
    """Count negative days from the end of the month; what lies outside it is cut off."""
    low, high = (end if end > 0 else days + 1 + end for end in part)
    return max(low, 1) <= day <= min(high, days)
