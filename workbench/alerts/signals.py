"""Signals: a number, or one for each series, that rules hold against a threshold."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.courses import AGGREGATES, Course, Scene, distinct
from workbench.alerts.histograms import histogram_quantile
from workbench.alerts.labels import NAME, Labels
from workbench.alerts.selectors import Matchers, MetricName, equalities, selector
from workbench.alerts.series import is_stale
from workbench.alerts.windows import FUNCTIONS, Windows, compute
from workbench.documents import Section
from workbench.quantities import PositiveDuration


def promql_duration(seconds: float) -> str:
    """Write a duration as PromQL does, to the millisecond.

    >>> promql_duration(5400), promql_duration(0.25)
    ('1h30m', '250ms')
    """
    left, parts = round(seconds * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        if left >= size:
            parts.append(f"{left // size}{unit}")
            left %= size
    return "".join(parts) or "0s"


class Signal(Section):
    """A metric, over a window where one is named, brought together by labels, divided by another signal.

    A bare text stands for `{metric: text}`: the last sample of each series, if not older than 5 minutes.
    """

    metric: MetricName
    match: Matchers = ()
    """Which series of the metric."""
    function: str | None = None
    """A window function, such as `avg_over_time` or `rate`."""
    over: PositiveDuration | None = None
    """Length of the window, seconds."""
    quantile: float | None = Field(None, ge=0, le=1)
    """Of `quantile_over_time`, 0 to 1."""
    ahead: PositiveDuration | None = None
    """How far `predict_linear` looks ahead, seconds."""
    aggregate: str | None = None
    """How series are brought together: sum, avg, min, max or count."""
    by: list[str] = Field(default_factory=list, max_length=20)
    """The labels that are kept apart when series are brought together."""
    histogram_quantile: float | None = Field(None, ge=0, le=1)
    """Quantile of the histogram whose buckets (`..._bucket`, label `le`) the metric is, 0 to 1."""
    divided_by: Signal | None = None
    """Another signal, by whose value of the same labels this one's is divided."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"metric": value} if isinstance(value, str) else value

    @field_validator("function", "aggregate")
    @classmethod
    def _known(cls, value: str | None, info: Any) -> str | None:
        allowed = FUNCTIONS if info.field_name == "function" else AGGREGATES
        if value is not None and value not in allowed:
            raise PydanticCustomError("name", "one of {names}", {"names": ", ".join(sorted(allowed))})
        return value

    @field_validator("by")
    @classmethod
    def _labels(cls, names: list[str]) -> list[str]:
        if not all(NAME.fullmatch(name) for name in names):
            raise PydanticCustomError("labels", "names of labels")
        return names

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.function is None) != (self.over is None):
            raise PydanticCustomError("window", "`function` and `over` together, or neither")
        needed = FUNCTIONS[self.function].parameter if self.function else ""
        for key in ("quantile", "ahead"):
            if (getattr(self, key) is not None) != (key == needed):
                raise PydanticCustomError(
                    "parameter", "`quantile` with quantile_over_time, `ahead` with predict_linear, only there"
                )
        if self.by and self.aggregate is None:
            raise PydanticCustomError("by", "`by` with `aggregate`, and only then")
        if self.histogram_quantile is not None and self.aggregate not in (None, "sum"):
            raise PydanticCustomError("histogram", "`aggregate: sum`, or none, with `histogram_quantile`")
        return self

    def over_time(self, scene: Scene) -> Course:
        """Compute the signal at each time of a scene.

        Raises:
            WorkbenchError: the data cannot be read, or two results have the same labels.
        """
        return scene.once(self._key, lambda: self._compute(scene))

    @property
    def _key(self) -> str:
        key = self.__dict__.get("_text")
        if key is None:
            key = self.__dict__["_text"] = self.promql()
        return str(key)

    def _compute(self, scene: Scene) -> Course:
        course = self._windowed(scene)
        if self.aggregate is not None:
            course = course.aggregated(self.aggregate, frozenset(self._kept))
        if self.histogram_quantile is not None:
            course = histogram_quantile(course, self.histogram_quantile)
        course = distinct(course, self.metric)
        return course if self.divided_by is None else course.divided_by(self.divided_by.over_time(scene))

    @property
    def _kept(self) -> list[str]:
        """The labels that are kept apart, with that of the buckets until their quantile is taken."""
        return [*self.by, "le"] if self.histogram_quantile is not None else self.by

    def _windowed(self, scene: Scene) -> Course:
        over = scene.look_back if self.over is None else self.over
        start, end = float(scene.times[0]) - over, float(scene.times[-1])
        found = scene.source.series(self.metric, self.match, start=start, end=end)
        used = found if self.function is None else found.fresh
        low, high = used.locate(scene.times, over=over, left_open=scene.left_open and self.over is not None)
        shape, present = low.shape, (high > low).ravel()
        if self.function is None:
            last = np.maximum(high.ravel() - 1, 0)
            values = used.values[last] if len(used.values) else np.zeros(len(last))
            return Course(found.labels, values.reshape(shape), (present & ~is_stale(values)).reshape(shape))
        parameter = self.quantile if self.quantile is not None else self.ahead or 0.0
        ends = np.broadcast_to(used.elapsed(scene.times), shape).ravel()
        windows = Windows(used.ages, used.values, low.ravel(), high.ravel(), ends, over, parameter)
        values = compute(self.function, windows, present)
        return Course(found.labels, values.reshape(shape), present.reshape(shape))

    def changed(self, **changes: Any) -> Signal:
        """Give the same signal with some keys changed."""
        # model_copy would take along what was computed of the signal as it is.
        return Signal.model_validate({name: getattr(self, name) for name in Signal.model_fields} | changes)

    def metrics(self) -> list[Signal]:
        """List this signal and those that it is divided by."""
        return [self, *(self.divided_by.metrics() if self.divided_by else [])]

    @property
    def longest(self) -> float:
        """The longest window, seconds."""
        return max(one.over or 0.0 for one in self.metrics())

    def absent_labels(self) -> Labels:
        """Give the labels that PromQL's `absent` gives its result for this signal."""
        plain = self.function is None and self.aggregate is None and self.divided_by is None
        return equalities(self.match) if plain and self.histogram_quantile is None else Labels()

    def promql(self) -> str:
        """Write the signal in PromQL."""
        text = selector(self.metric, self.match)
        if self.function is not None and self.over is not None:
            window = f"{text}[{promql_duration(self.over)}]"
            arguments = {"quantile": f"{self.quantile!r}, {window}", "ahead": f"{window}, {self.ahead!r}"}
            text = f"{self.function}({arguments.get(FUNCTIONS[self.function].parameter, window)})"
        if self.aggregate is not None:
            by = f" by ({', '.join(self._kept)})" if self._kept else ""
            text = f"{self.aggregate}{by} ({text})"
        if self.histogram_quantile is not None:
            text = f"histogram_quantile({self.histogram_quantile!r}, {text})"
        return text if self.divided_by is None else f"{text} / {_grouped(self.divided_by)}"


def _grouped(signal: Signal) -> str:
    return f"({signal.promql()})" if signal.divided_by else signal.promql()
