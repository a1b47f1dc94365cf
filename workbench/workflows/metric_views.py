"""The queue metrics of a run, in the form that every face of the workbench shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.monitor import METRICS, MetricKind, Point
from workbench.monitor.metrics import family
from workbench.quantities import format_duration
from workbench.workflows.results import Number, View, shown


class SeriesView(BaseModel):
    """One series at the end of the run."""

    model_config = ConfigDict(frozen=True)

    series: str
    labels: dict[str, str]
    value: Number


class MetricView(BaseModel):
    """One metric of a run: over its series, at the end of the run."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    metric: str
    kind: str
    unit: str
    meaning: str
    series: int
    lowest: Number
    mean: Number
    highest: Number
    sum: Number
    """Of counters; null of what cannot be added up."""


class MetricsView(View):
    """The metrics of a run, as a scrape at its end would have seen them."""

    schema_: Literal["workbench.metrics/1"] = Field("workbench.metrics/1", alias="schema")
    run_id: int
    scenario: str
    at_s: float
    """The end of the last interval on the run's clock, seconds."""
    exact: bool
    """Whether percentiles are exact: all requests are stored; else they are at most 0.99 % off."""
    metrics: list[MetricView]
    values: list[SeriesView]
    """Every series."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["metric", "series", "lowest", "mean", "highest", "sum"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [one.metric, f"{one.series:,}", *(_figure(getattr(one, name), one.unit) for name in _FIGURES)]
            for one in self.metrics
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"run {self.run_id}: {self.scenario}, at {format_duration(self.at_s)}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        how = "exact" if self.exact else "from histograms, at most 0.99 % off"
        lines = [f"percentiles: {how}"] if any(one.metric.endswith(_RANKED) for one in self.metrics) else []
        return [*lines, "what they mean: workbench metrics --definitions; every series: --json or --text"]


_FIGURES = ("lowest", "mean", "highest", "sum")
_RANKED = "_percentile_seconds"


class WrittenView(View):
    """A file that was written."""

    schema_: Literal["workbench.openmetrics/1"] = Field("workbench.openmetrics/1", alias="schema")
    run_id: int
    file: str
    points: int
    begins: float
    """The first moment, seconds since 1970."""
    ends: float

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["file", "values", "time"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[self.file, f"{self.points:,}", format_duration(self.ends - self.begins)]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"run {self.run_id}: every sample as OpenMetrics"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"next: promtool tsdb create-blocks-from openmetrics {self.file} DATA"]


def summed(points: Sequence[Point]) -> Iterator[MetricView]:
    """Bring the series of each metric together; of a histogram its count."""
    groups: dict[str, list[float]] = {}
    for point in points:
        name = family(point.series)
        if METRICS[name].kind is not MetricKind.HISTOGRAM or point.series.endswith("_count"):
            groups.setdefault(name, []).append(point.value)
    for name in METRICS:
        if name in groups:
            yield _metric(name, groups[name])


def _metric(name: str, values: Sequence[float]) -> MetricView:
    one, adds_up = METRICS[name], METRICS[name].kind is not MetricKind.GAUGE
    return MetricView(
        metric=name,
        kind=one.kind,
        unit=one.unit if one.kind is not MetricKind.HISTOGRAM else "",
        meaning=one.meaning,
        series=len(values),
        lowest=min(values),
        mean=math.fsum(values) / len(values),
        highest=max(values),
        sum=math.fsum(values) if adds_up else None,
    )


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "s":
        return shown(value)
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"
