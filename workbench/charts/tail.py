"""How rare long times are: the share of requests above each, both on log scales (the CCDF)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import plotly.graph_objects as go
import pyarrow as pa

from workbench.charts import theme
from workbench.quantities import format_duration


@dataclass(frozen=True)
class TailData:
    """The share of requests that took longer, for rising times.

    Args:
        measure: what is measured, such as `response time`.
        times_s: times above 0, rising.
        shares: share of the requests that took longer, above 0, falling.
        quantiles_s: quantiles by label, seconds; those of 0 are left out.
    """

    measure: str
    times_s: tuple[float, ...]
    shares: tuple[float, ...]
    quantiles_s: Mapping[str, float]


def tail_data(table: pa.Table, *, measure: str, quantiles_s: Mapping[str, float]) -> TailData | None:
    """Count what lies above the upper edge of each bin.

    Args:
        table: `lower_s`, `upper_s` and `count` of the bins that are not empty, in rising order.
        measure: what is measured, in words.
        quantiles_s: quantiles to mark, by label, seconds.

    Returns:
        The tail, or None where fewer than two bins hold requests that took any time.
    """
    rows = table.to_pylist()
    reached = list(accumulate(row["count"] for row in rows))
    points = [
        (row["upper_s"], 1 - below / reached[-1])
        for row, below in zip(rows, reached, strict=True)
        if row["upper_s"] > 0 and below < reached[-1]
    ]
    if not points:
        return None
    times, shares = zip(*points, strict=True)
    marks = {label: value for label, value in quantiles_s.items() if value > 0}
    return TailData(measure, times, shares, marks)


def tail_chart(data: TailData) -> go.Figure:
    """Draw a tail."""
    figure = go.Figure(
        go.Scatter(
            x=data.times_s,
            y=[100 * share for share in data.shares],
            customdata=[format_duration(time) for time in data.times_s],
            line={"color": theme.BLUE, "width": theme.LINE_WIDTH},
            hovertemplate="%{y:.3g} % took longer than %{customdata}<extra></extra>",
        )
    )
    shown = _shown(data)
    theme.mark_durations(figure, data.quantiles_s, shown_s=shown)
    figure.update_xaxes(theme.duration_axis(data.measure, *shown))
    figure.update_yaxes(title="requests that took longer (%, log scale)", **_share_axis(data))
    return theme.styled(figure, height=360)


def _shown(data: TailData) -> tuple[float, float]:
    # Where everybody took longer there is nothing to see yet.
    inside = [time for time, share in zip(data.times_s, data.shares, strict=True) if share < 0.999]
    return (inside or data.times_s)[0], data.times_s[-1]


def _share_axis(data: TailData) -> dict[str, object]:
    ticks = [10.0**power for power in range(-8, 3) if 10.0**power >= 50 * data.shares[-1]]
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:.10g}" for tick in ticks]}
