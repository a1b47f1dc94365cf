"""A threshold over a signal."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.conditions._base import CONDITIONS, Condition, Verdicts, judged
from workbench.alerts.courses import Scene
from workbench.alerts.series import Bools, Floats
from workbench.alerts.signals import Signal


@CONDITIONS.register
class Threshold(Condition):
    """A signal is above or below a value.

    With `clear_at` an alert that fires goes on until the signal is back at that value: hysteresis.
    """

    summary: ClassVar[str] = "threshold: a signal is above or below a value"
    kind: Literal["threshold"] = "threshold"
    of: Signal
    above: float | None = Field(None, allow_inf_nan=False)
    """It holds while the signal is more than this."""
    below: float | None = Field(None, allow_inf_nan=False)
    """It holds while the signal is less than this."""
    clear_at: float | None = Field(None, allow_inf_nan=False)
    """Where an alert that fires ends: at or under this with `above`, at or over it with `below`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise PydanticCustomError("threshold", "exactly one of above and below")
        if self.clear_at is not None and self.beyond(np.array([self.limit]), self.clear_at)[0] == 0:
            raise PydanticCustomError("clear_at", "a value under `above`, or over `below`")
        return self

    @property
    def limit(self) -> float:
        """The threshold."""
        return self.above if self.above is not None else self.below or 0.0

    def beyond(self, values: Floats, limit: float) -> Bools:
        """Tell which values are on the wrong side of a limit."""
        with np.errstate(invalid="ignore"):
            return values > limit if self.above is not None else values < limit

    def at(self, limit: float, *, clear_at: float | None = None) -> Threshold:
        """Give the same condition with another threshold."""
        side = "above" if self.above is not None else "below"
        return self.model_copy(update={side: limit, "clear_at": clear_at})

    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene."""
        course = self.of.over_time(scene)
        trips = self.beyond(course.values, self.limit)
        holds = None if self.clear_at is None else self.beyond(course.values, self.clear_at)
        return judged(course, trips, holds)

    def promql(self, firing: str) -> str:
        """Write the condition in PromQL."""
        operator = ">" if self.above is not None else "<"
        expression = f"{self.of.promql()} {operator} {self.limit!r}"
        if self.clear_at is None:
            return expression
        return f"{expression} or ({self.of.promql()} {operator} {self.clear_at!r}){firing}"

    def signals(self) -> list[Signal]:
        """List the signal."""
        return [self.of]
