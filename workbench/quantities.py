"""Durations, rates, shares and extents as people write them.

Inside the workbench time is float seconds and a rate is events per second. A bare number is taken
in these units, so that Python code passes plain floats.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_MULTIPLES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_LEAST = 1e-12
"""Less, and times or their inverses run out of what a float can tell apart."""

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_UNITS = "|".join(sorted(_SECONDS, key=len, reverse=True))
_DURATION = re.compile(rf"({_NUMBER})\s*({_UNITS})")
_DURATIONS = re.compile(rf"(?:{_NUMBER}\s*(?:{_UNITS})\s*)+")
_RATE = re.compile(rf"({_NUMBER})\s*([kMG]?)\s*/\s*({_UNITS})")
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_REQUESTS = re.compile(rf"({_NUMBER})\s*([kMG]?)\s*(?:requests?|req)")


def parse_duration(value: object) -> float:
    """Turn `250ms`, `5min`, `1h 30min` or a number of seconds into seconds (0 or more).

    Raises:
        ValueError: the text is no duration, or is negative or not finite.

    >>> parse_duration("1h 30min")
    5400.0
    """
    if (number := _plain_number(value)) is not None:
        return number
    if isinstance(value, str) and _DURATIONS.fullmatch(text := value.strip()):
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION.findall(text))
        if math.isfinite(seconds):
            return seconds
    raise PydanticCustomError("duration", "a duration of 0 or more, such as 250ms, 5min or 1h 30min")


def parse_rate(value: object) -> float:
    """Turn `340/s`, `20k/min` or a number per second into events per second (0 or more).

    Raises:
        ValueError: the text is no rate, or is negative or not finite.

    >>> parse_rate("20k/min")
    333.3333333333333
    """
    if (number := _plain_number(value)) is not None:
        return number
    if isinstance(value, str) and (match := _RATE.fullmatch(value.strip())):
        amount, multiple, unit = match.groups()
        rate = float(amount) * _MULTIPLES[multiple] / _SECONDS[unit]
        if math.isfinite(rate):
            return rate
    raise PydanticCustomError("rate", "a rate of 0 or more, such as 340/s or 20k/min")


def format_duration(seconds: float) -> str:
    """Write seconds with three significant digits and the unit that suits them.

    >>> format_duration(0.0123456), format_duration(5400)
    ('12.3 ms', '1.5 h')
    """
    if not math.isfinite(seconds):
        return "-"
    size = abs(seconds)
    for unit, scale, limit in (
        ("µs", 1e-6, 1e-3),
        ("ms", 1e-3, 1.0),
        ("s", 1.0, 120.0),
        ("min", 60.0, 7200.0),
    ):
        if size < limit and (size > 0 or unit == "s"):
            return f"{_three_digits(seconds / scale)} {unit}"
    return f"{_three_digits(seconds / 3600.0)} h"


def _three_digits(number: float) -> str:
    digits = max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _above_zero(value: float) -> float:
    if value < _LEAST:
        raise PydanticCustomError("above_zero", "more than 0 (1e-12 or more, in seconds or per second)")
    return value


_DURATION_SCHEMA = {"type": ["string", "number"], "description": "250ms, 5min, 1h 30min, or seconds"}
_RATE_SCHEMA = {"type": ["string", "number"], "description": "340/s, 20k/min, or a number per second"}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, 0 or more."""

PositiveDuration = Annotated[
    float, BeforeValidator(lambda value: _above_zero(parse_duration(value))), WithJsonSchema(_DURATION_SCHEMA)
]
"""Seconds, more than 0."""

Rate = Annotated[float, BeforeValidator(parse_rate), WithJsonSchema(_RATE_SCHEMA)]
"""Events per second, 0 or more."""

PositiveRate = Annotated[
    float, BeforeValidator(lambda value: _above_zero(parse_rate(value))), WithJsonSchema(_RATE_SCHEMA)
]
"""Events per second, more than 0."""


class Extent(BaseModel):
    """A stretch of a run: a number of requests, a duration, or a share of the whole.

    People write `100000 requests`, `2M requests`, `10min` or `10%`; exactly one field is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: int | None = Field(None, ge=0)
    seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    share: float | None = Field(None, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, dict | Extent):
            return value
        text = value.strip() if isinstance(value, str) else ""
        if match := _REQUESTS.fullmatch(text):
            requests = float(match[1]) * _MULTIPLES[match[2]]
            if math.isfinite(requests):
                return {"requests": round(requests)}
        if match := _SHARE.fullmatch(text):
            return {"share": float(match[1]) / 100.0}
        if _DURATIONS.fullmatch(text):
            return {"seconds": parse_duration(text)}
        raise PydanticCustomError(
            "extent", "a number of requests, a duration or a share: 100k requests, 10min, 10%"
        )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.requests, self.seconds, self.share)) != 1:
            raise PydanticCustomError("extent", "exactly one of requests, seconds and share")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        fields = handler.resolve_ref_schema(handler(schema))
        text = {"type": "string", "description": "100k requests, 10min or 10%"}
        return {"anyOf": [text, fields]}

    def __str__(self) -> str:
        if self.requests is not None:
            return f"{self.requests} requests"
        if self.seconds is not None:
            return format_duration(self.seconds)
        return f"{100 * (self.share or 0.0):g} %"
