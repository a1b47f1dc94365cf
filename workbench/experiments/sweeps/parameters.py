"""Parameters of a sweep: what is varied, and over which values."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import Section
from workbench.experiments.designs import Option
from workbench.experiments.sweeps.quantities import Quantity, read_quantity, show_quantity, show_value

_MOST_LEVELS = 10_000
_FORMS = "a list of values; `from` and `to` with `step` or `points`; or `options`"


def _listed(value: Any) -> Any:
    return {"values": value} if isinstance(value, list) else value


class Parameter(Section):
    """What is varied: a list of values, a range, or named options.

    A bare list stands for `{values: [...]}`.
    """

    path: str = ""
    """Where in the scenario the value goes, such as `pool.count`; the parameter's name by default.

    `load`, `variability`, `staleness` and `slow_share` are not paths but turn what they say.
    """
    values: list[Any] | None = Field(None, min_length=1, max_length=_MOST_LEVELS)
    """The values, one by one."""
    start: Any = Field(None, alias="from")
    """First value of a range: a number, duration, rate or share."""
    to: Any = None
    """Last value of a range, in the unit of the first."""
    step: Any = None
    """Distance of a range's values, in the same unit."""
    points: int | None = Field(None, ge=2, le=_MOST_LEVELS)
    """Number of a range's values in a grid, in place of `step`."""
    scale: Literal["linear", "log"] = "linear"
    """With `points`, or in a random design: even distances, or even ratios."""
    options: dict[str, dict[str, Any]] | None = Field(None, min_length=1, max_length=_MOST_LEVELS)
    """By name, what is set together: paths with their values."""
    when: dict[str, Any] = Field({}, max_length=50)
    """Other parameters with the values at which this one counts; it is left out at all others."""

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        given = [self.values is not None, self.start is not None or self.to is not None, bool(self.options)]
        if sum(given) != 1:
            raise PydanticCustomError("parameter", f"one of: {_FORMS}")
        if given[1]:
            self._check_range()
        elif self.step is not None or self.points is not None:
            raise PydanticCustomError("parameter", "`step` and `points` with `from` and `to` only")
        if self.values is not None:
            labels = [show_value(value) for value in self.values]
            if len(set(labels)) < len(labels):
                raise PydanticCustomError("parameter", "each value once")
        return self

    def _check_range(self) -> None:
        ends = [read_quantity(value) for value in (self.start, self.to)]
        if ends[0] is None or ends[1] is None or not ends[0].number < ends[1].number:
            raise PydanticCustomError("range", "`from` below `to`, both numbers, durations, rates or shares")
        if self.step is not None and self.points is not None:
            raise PydanticCustomError("range", "one of `step` and `points`")
        step = read_quantity(self.step)
        if self.step is not None and (step is None or step.number <= 0 or self.scale == "log"):
            raise PydanticCustomError(
                "range", "a `step` above 0, and `points` in its place where `scale: log`"
            )
        if step is not None and (ends[1].number - ends[0].number) / step.number > _MOST_LEVELS:
            raise PydanticCustomError("range", f"at most {_MOST_LEVELS:,} values")
        if self.scale == "log" and ends[0].number <= 0:
            raise PydanticCustomError("range", "`from` above 0 where `scale: log`")

    def levels(self, name: str) -> list[Option]:
        """Give the values that a grid tries, in order.

        Raises:
            PydanticCustomError: a range says neither `step` nor `points`.
        """
        if self.options is not None:
            return [Option(label, tuple(settings.items())) for label, settings in self.options.items()]
        if self.values is not None:
            return [self._option(name, value) for value in self.values]
        if self.step is None and self.points is None:
            raise PydanticCustomError("range", "`step` or `points`, which a grid needs")
        found: dict[str, Option] = {}
        count = self.points or self._steps() + 1
        for place in range(count):
            share = place / (count - 1) if self.step is None else 0.0
            option = self._between(name, share, place)
            found.setdefault(option.label, option)
        return list(found.values())

    def at(self, name: str, share: float) -> Option:
        """Give the value at a share of the way, from 0 up to but not 1."""
        if self.start is None:
            levels = self.levels(name)
            return levels[min(int(share * len(levels)), len(levels) - 1)]
        if self.step is not None:
            steps = self._steps() + 1
            return self._between(name, 0.0, min(int(share * steps), steps - 1))
        return self._between(name, share, 0)

    def _range(self) -> tuple[Quantity, Quantity, Quantity | None]:
        first, last, step = (read_quantity(value) for value in (self.start, self.to, self.step))
        if first is None or last is None:
            raise PydanticCustomError("range", "`from` and `to`")
        return first, last, step

    def _steps(self) -> int:
        first, last, step = self._range()
        width = last.number - first.number
        return math.floor(width / (step.number if step else width) * (1 + 1e-12))

    def _between(self, name: str, share: float, place: int) -> Option:
        first, last, step = self._range()
        if step is not None:
            number = first.number + place * step.number
        elif self.scale == "log":
            number = first.number * (last.number / first.number) ** share
        else:
            number = first.number + share * (last.number - first.number)
        whole = first.unit == last.unit == "whole" and (step is None or step.unit == "whole")
        number = float(round(number)) if whole else float(f"{number:.12g}")
        unit = "number" if first.unit == "whole" else first.unit
        return Option(
            show_quantity(number, unit), ((self.path or name, int(number) if whole else number),), number
        )

    def _option(self, name: str, value: Any) -> Option:
        quantity = read_quantity(value)
        plain = quantity.number if quantity is not None and quantity.unit == "share" else value
        number = None if quantity is None else quantity.number
        return Option(show_value(value), ((self.path or name, plain),), number)


_SCHEMA = {
    "anyOf": [
        {"type": "array", "minItems": 1, "description": "the values, one by one"},
        {"type": "object", "description": _FORMS, "properties": {"when": {"type": "object"}}},
    ]
}

Varied = Annotated[Parameter, BeforeValidator(_listed), WithJsonSchema(_SCHEMA)]
"""A parameter, which may be written as the list of its values."""
