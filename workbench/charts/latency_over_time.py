"""How response times and the load went over a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go
import pyarrow as pa
from plotly.subplots import make_subplots

from workbench.charts import theme
from workbench.quantities import format_duration

_PERCENTILES = {"p99": (theme.ORANGE, "dash"), "p95": (theme.GREEN, "dot"), "p50": (theme.BLUE, "solid")}


@dataclass(frozen=True)
class LatencyOverTimeData:
    """Percentiles of response time and the rate of arrival, bucket by bucket.

    Args:
        times_s: start of each bucket on the simulated clock.
        width_s: length of a bucket.
        percentiles_s: for `p50`, `p95` and `p99` the value of each bucket; None where no request
            ended well.
        rates_per_s: arrivals a second in each bucket.
        window_s: from and to of what the page measures.
    """

    times_s: tuple[float, ...]
    width_s: float
    percentiles_s: dict[str, tuple[float | None, ...]]
    rates_per_s: tuple[float, ...]
    window_s: tuple[float, float]


def latency_over_time_data(
    table: pa.Table, *, length_s: float, window_s: tuple[float, float]
) -> LatencyOverTimeData | None:
    """Lay out percentiles over time.

    Args:
        table: `ts_s`, `requests`, `p50_s`, `p95_s` and `p99_s`, one row a bucket of equal length.
        length_s: length of the run until arrivals end; the last bucket may be cut short by it.
        window_s: from and to of what the page measures, seconds.

    Returns:
        The percentiles, or None where there is no bucket.
    """
    rows = table.to_pylist()
    if not rows:
        return None
    times = [float(row["ts_s"]) for row in rows]
    ends = [*times[1:], max(length_s, math.nextafter(times[-1], math.inf))]
    rates = [row["requests"] / (end - start) for row, start, end in zip(rows, times, ends, strict=True)]
    return LatencyOverTimeData(
        times_s=tuple(times),
        width_s=ends[0] - times[0],
        percentiles_s={name: tuple(row[f"{name}_s"] for row in rows) for name in _PERCENTILES},
        rates_per_s=tuple(rates),
        window_s=window_s,
    )


def latency_over_time_chart(data: LatencyOverTimeData) -> go.Figure:
    """Draw percentiles above the rate of arrival."""
    unit = theme.clock_unit(data.times_s[-1] + data.width_s)
    clock = unit.scale(data.times_s)
    edges = (clock[0], clock[-1] + data.width_s / unit.seconds)
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.72, 0.28])
    for name, (color, dash) in _PERCENTILES.items():
        values = data.percentiles_s[name]
        figure.add_scatter(
            x=clock,
            y=values,
            name=name,
            customdata=[_shown(value) for value in values],
            line={"color": color, "dash": dash, "width": theme.LINE_WIDTH},
            hovertemplate=f"{name} %{{customdata}}<extra></extra>",
            row=1,
            col=1,
        )
    figure.add_scatter(
        x=[*clock, edges[1]],
        y=[*data.rates_per_s, data.rates_per_s[-1]],
        name="arrivals",
        showlegend=False,
        line={"color": theme.GREY, "shape": "hv", "width": 1},
        fill="tozeroy",
        fillcolor=theme.SHADE,
        hovertemplate="%{y:.3g} arrivals/s<extra></extra>",
        row=2,
        col=1,
    )
    theme.shade_outside(figure, shown=edges, inside=unit.scale(data.window_s))
    known = [value for values in data.percentiles_s.values() for value in values if value is not None]
    if known:
        figure.update_yaxes(theme.duration_axis("response time", min(known), max(known)), row=1, col=1)
    figure.update_yaxes(title="arrivals (1/s)", rangemode="tozero", row=2, col=1)
    figure.update_xaxes(theme.clock_axis(unit), row=2, col=1)
    figure.update_xaxes(range=list(edges))
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    return theme.styled(figure, height=420)


def _shown(value: float | None) -> str:
    return "-" if value is None else format_duration(value)
