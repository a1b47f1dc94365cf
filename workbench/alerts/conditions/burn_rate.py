"""How fast the error budget of an objective burns."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.conditions._base import CONDITIONS, Condition, Verdicts, judged
from workbench.alerts.courses import Course, Scene
from workbench.alerts.selectors import Matchers, MetricName
from workbench.alerts.signals import Signal
from workbench.quantities import PositiveDuration


@CONDITIONS.register
class BurnRate(Condition):
    """The error budget burns faster than `factor` over a long and over a short window.

    A burn rate of 1 uses up the budget exactly at the end of the objective's period. The short window
    ends the alert soon after the errors end. The value of the alert is the burn rate over the long window.

    From: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
    """

    summary: ClassVar[str] = "burn_rate: an objective's error budget burns too fast over two windows"
    kind: Literal["burn_rate"] = "burn_rate"
    errors: MetricName
    """The counter of bad events."""
    total: MetricName
    """The counter of all events."""
    match: Matchers = ()
    """Which series of both."""
    by: list[str] = Field(default_factory=list, max_length=20)
    """The labels for each of which there is a budget of its own."""
    objective: float = Field(gt=0, lt=1)
    """Share of good events that is aimed at, such as 0.999."""
    factor: float = Field(gt=0, allow_inf_nan=False)
    """The burn rate above which the condition holds."""
    long: PositiveDuration
    """The window that shows that it matters, seconds."""
    short: PositiveDuration
    """The window that shows that it still goes on, seconds."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.short >= self.long:
            raise PydanticCustomError("windows", "a short window that is shorter than the long one")
        return self

    @property
    def budget(self) -> float:
        """Share of bad events that the objective leaves."""
        return round(1.0 - self.objective, 12)  # 0.1 of 0.9, not 0.09999999999999998

    def ratio(self, over: float) -> Signal:
        """Give the share of bad events over a window, as a signal."""
        shared = {"match": self.match, "function": "rate", "over": over, "aggregate": "sum", "by": self.by}
        below = {"metric": self.total, **shared}
        return Signal.model_validate({"metric": self.errors, **shared, "divided_by": below})

    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene."""
        long, short = (self._burning(scene, over) for over in (self.long, self.short))
        places = {labels: row for row, labels in enumerate(short.labels)}
        kept = [row for row, labels in enumerate(long.labels) if labels in places]
        other = [places[long.labels[row]] for row in kept]
        course = Course(tuple(long.labels[row] for row in kept), long.values[kept], long.present[kept])
        trips = (course.values > self.factor) & (short.values[other] > self.factor) & short.present[other]
        return judged(course, trips)

    def _burning(self, scene: Scene, over: float) -> Course:
        course = self.ratio(over).over_time(scene)
        return Course(course.labels, course.values / self.budget, course.present)

    def promql(self, firing: str) -> str:
        """Write the condition in PromQL."""
        parts = (
            f"(({self.ratio(over).promql()}) / {self.budget!r} > {self.factor!r})"
            for over in (self.long, self.short)
        )
        return " and ".join(parts)

    def signals(self) -> list[Signal]:
        """List the shares of bad events over both windows."""
        return [self.ratio(self.long), self.ratio(self.short)]
