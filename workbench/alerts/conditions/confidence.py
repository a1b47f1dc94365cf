"""How sure a reconciliation is of its matches."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.alerts.conditions._base import CONDITIONS, Condition, Verdicts, judged
from workbench.alerts.courses import Scene
from workbench.alerts.matchers import Matcher
from workbench.alerts.selectors import Matchers, MetricName
from workbench.alerts.signals import Signal
from workbench.quantities import PositiveDuration


@CONDITIONS.register
class Confidence(Condition):
    """Too large a share of the proposed matches has a confidence of at most `at_most`."""

    summary: ClassVar[str] = "confidence: too many proposed matches are not sure"
    kind: Literal["confidence"] = "confidence"
    histogram: MetricName = "workbench_match_confidence"
    """The histogram of the confidence of proposed matches."""
    match: Matchers = ()
    """Which series of it."""
    by: list[str] = Field(default_factory=list, max_length=20)
    """The labels for each of which the share is taken."""
    at_most: float = Field(gt=0, lt=1)
    """The confidence up to which a match counts as not sure, 0 to 1; a bound of the histogram's buckets."""
    share: float = Field(ge=0, lt=1)
    """The share of matches above which the condition holds, 0 to 1."""
    over: PositiveDuration
    """The window, seconds."""

    def _ratio(self) -> Signal:
        shared = {"function": "increase", "over": self.over, "aggregate": "sum", "by": self.by}
        bucket = (*self.match, Matcher("le", "=", f"{self.at_most:g}"))
        below = {"metric": f"{self.histogram}_count", "match": self.match, **shared}
        return Signal.model_validate(
            {"metric": f"{self.histogram}_bucket", "match": bucket, **shared, "divided_by": below}
        )

    def over_time(self, scene: Scene) -> Verdicts:
        """Judge at each time of a scene."""
        course = self._ratio().over_time(scene)
        return judged(course, course.values > self.share)

    def promql(self, firing: str) -> str:
        """Write the condition in PromQL."""
        return f"{self._ratio().promql()} > {self.share!r}"

    def signals(self) -> list[Signal]:
        """List the share."""
        return [self._ratio()]
