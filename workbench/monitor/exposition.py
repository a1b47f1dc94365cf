"""Metrics as text, in the formats that Prometheus reads.

`prometheus` is the text format 0.0.4, which every Prometheus and `promtool check metrics` read.
`openmetrics` is OpenMetrics 1.0, in which a counter's family has no `_total`, units have lines of their
own, and several moments of a series follow each other: `promtool tsdb create-blocks-from openmetrics`
loads such a file into a Prometheus.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from workbench.monitor.metrics import METRICS, PARTS, MetricKind, QueueMetric, family
from workbench.monitor.points import Point

Form = Literal["prometheus", "openmetrics"]

CONTENT_TYPES: Mapping[Form, str] = {
    "prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
"""What each format is called in HTTP."""

_END = "# EOF\n"
_UNITS = {"s": "seconds"}


def exposition(
    points: Iterable[Point],
    *,
    form: Form = "prometheus",
    metrics: Mapping[str, QueueMetric] = METRICS,
) -> str:
    """Write points as text, metric by metric in the order of their definitions.

    Args:
        points: in any order; those of one series at several moments only as OpenMetrics.
        form: the format.
        metrics: the definitions.

    Raises:
        KeyError: a point is of no metric that is defined.

    >>> print(exposition([Point("workbench_queue_depth", {"server": "web-1"}, 3.0)]), end="")
    # HELP workbench_queue_depth requests waiting at the server
    # TYPE workbench_queue_depth gauge
    workbench_queue_depth{server="web-1"} 3
    """
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(family(point.series, metrics), []).append(point)
    lines: list[str] = []
    for name in sorted(groups, key=list(metrics).index):
        lines += _head(name, metrics[name], form)
        lines += [_line(point, form) for point in sorted(groups[name], key=_order)]
    return "".join(f"{line}\n" for line in lines) + (_END if form == "openmetrics" else "")


def form_of(text: str) -> Form:
    """Tell in which format a text is."""
    return "openmetrics" if text.endswith(_END) else "prometheus"


def _head(name: str, metric: QueueMetric, form: Form) -> Iterator[str]:
    plain = name
    if form == "openmetrics" and metric.kind is MetricKind.COUNTER:
        plain = name.removesuffix("_total")
    yield f"# HELP {plain} {_escaped(metric.meaning, quotes=form == 'openmetrics')}"
    yield f"# TYPE {plain} {metric.kind}"
    if form == "openmetrics" and (unit := _UNITS.get(metric.unit)) and plain.endswith(unit):
        yield f"# UNIT {plain} {unit}"


def _order(point: Point) -> tuple[object, ...]:
    """Series one after the other, moments of each in order, a histogram's buckets first."""
    part = point.series.rpartition("_")[2]
    labels = sorted((name, value) for name, value in point.labels.items() if name != "le")
    bound = float(point.labels.get("le", "inf"))
    return labels, point.at or 0.0, PARTS.index(part) if part in PARTS else -1, bound


def _line(point: Point, form: Form) -> str:
    labels = ",".join(f'{name}="{_escaped(text, quotes=True)}"' for name, text in point.labels.items())
    series = f"{point.series}{{{labels}}}" if labels else point.series
    if point.at is None:
        return f"{series} {_number(point.value)}"
    time = f"{point.at:.6f}" if form == "openmetrics" else str(round(point.at * 1000.0))
    return f"{series} {_number(point.value)} {time}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _escaped(text: str, *, quotes: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text
