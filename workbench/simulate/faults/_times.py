"""Times of faults as people write them: one or several, always the same or random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from numpy.random import Generator
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from workbench.quantities import Duration, parse_duration
from workbench.simulate.services import SERVICES, Deterministic, ServiceDemand

_DRAWS = 8
"""Draws at once: few, since a pool may have thousands of servers of which each fails rarely."""
_TIME: JsonSchemaValue = {"type": ["string", "number"], "description": "30s, 5min, or seconds"}


class _OrDuration:
    """Annotation of a distribution that may be written as a duration, which is then always the same."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_distribution, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [_TIME, handler(schema)]}


def _as_distribution(value: Any) -> Any:
    if isinstance(value, dict | ServiceDemand) or (isinstance(value, str) and value in SERVICES):
        return value
    try:
        return Deterministic(value=parse_duration(value))
    except ValueError:
        allowed = f"a duration, such as 30s, or a distribution with its kind: one of {', '.join(SERVICES)}"
        raise PydanticCustomError("time_span", allowed) from None


def _takes_time(distribution: ServiceDemand) -> ServiceDemand:
    if distribution.moments().mean <= 0:
        raise PydanticCustomError("time_span", "a time whose mean is above 0")
    return distribution


TimeSpan = Annotated[ServiceDemand, SERVICES, _OrDuration()]
"""A random time: any distribution of service demand, or a duration that is always the same."""

PositiveTimeSpan = Annotated[ServiceDemand, SERVICES, _OrDuration(), AfterValidator(_takes_time)]
"""A random time whose mean is above 0, so that what comes again and again takes time."""

Times = Annotated[
    list[Duration],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else [value]),
    Field(max_length=100_000),
    WithJsonSchema({"anyOf": [_TIME, {"type": "array", "items": _TIME}]}),
]
"""One time from the start of the run, seconds, or a list of them in any order."""


def draws(distribution: ServiceDemand, rng: Generator) -> Iterator[float]:
    """Draw from a distribution without end, seconds."""
    source = distribution.start(rng)
    while True:
        yield from source(_DRAWS, None).tolist()
