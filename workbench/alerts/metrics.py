"""The metrics that rules may name: what each means, its unit, its kind and the values it can have.

A mapping of this form is given to the linter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric's values do over time."""

    GAUGE = "gauge"
    """They go up and down."""
    COUNTER = "counter"
    """They only grow, but for restarts."""
    HISTOGRAM = "histogram"
    """Counters `_bucket`, `_count` and `_sum`."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    Args:
        meaning: what it says.
        kind: what its values do over time.
        unit: of its values; a count without one.
        labels: by which its series differ; None where that is not known.
        least: no value is less.
        most: no value is more.
    """

    meaning: str
    kind: MetricKind = MetricKind.GAUGE
    unit: str = ""
    labels: tuple[str, ...] | None = ("server",)
    least: float = 0.0
    most: float = math.inf


def find_metric(name: str, metrics: Mapping[str, Metric]) -> Metric | None:
    """Find the metric that a series' name belongs to; those of a histogram have counters of their own."""
    if name in metrics and metrics[name].kind is not MetricKind.HISTOGRAM:
        return metrics[name]
    base, _, suffix = name.rpartition("_")
    if suffix in ("bucket", "count", "sum") and base in metrics:
        found = metrics[base]
        bucket = suffix == "bucket" and found.labels is not None
        labels = (*(found.labels or ()), "le") if bucket else found.labels
        return Metric(found.meaning, MetricKind.COUNTER, found.unit if suffix == "sum" else "", labels)
    return None


def series_names(metrics: Mapping[str, Metric]) -> list[str]:
    """List the names that series have."""
    return sorted(
        name + suffix
        for name, metric in metrics.items()
        for suffix in (("_bucket", "_count", "_sum") if metric.kind is MetricKind.HISTOGRAM else ("",))
    )
