"""Absence of data."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from workbench.alerts.conditions._base import CONDITIONS, Condition, Verdicts
from workbench.alerts.courses import Course, Scene
from workbench.alerts.selectors import Matchers, MetricName, equalities, selector
from workbench.alerts.signals import Signal, promql_duration
from workbench.quantities import PositiveDuration


@CONDITIONS.register
class Absence(Condition):
    """No series of a metric has a sample; the alert has the labels that `match` sets to one value."""

    summary: ClassVar[str] = "absence: no series of a metric has a sample"
    judges_absence: ClassVar[bool] = True
    kind: Literal["absence"] = "absence"
    metric: MetricName
    match: Matchers = ()
    """Which series of the metric."""
    over: PositiveDuration | None = None
    """For how long there must have been none, seconds; 5 minutes, or a marked end, without the key."""

    def _signal(self) -> Signal:
        window = {} if self.over is None else {"function": "count_over_time", "over": self.over}
        return Signal.model_validate({"metric": self.metric, "match": self.match, **window})

    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene."""
        present = np.any(self._signal().over_time(scene).present, axis=0)
        missing = ~present[None, :]
        course = Course((equalities(self.match),), np.ones(missing.shape), np.ones(missing.shape, np.bool_))
        return Verdicts(course, missing, missing, np.ones(len(present), np.bool_))

    def promql(self, firing: str) -> str:
        """Write the condition in PromQL."""
        series = selector(self.metric, self.match)
        if self.over is None:
            return f"absent({series})"
        return f"absent_over_time({series}[{promql_duration(self.over)}])"

    def signals(self) -> list[Signal]:
        """List the signal."""
        return [self._signal()]
