"""How a time is distributed over the requests: a histogram on a log scale, with quantiles marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import pyarrow as pa

from workbench.charts import theme
from workbench.quantities import format_duration

_LEAST_SHOWN = 0.001
"""Bins below this quantile are left out of the first view; zooming out shows them."""


@dataclass(frozen=True)
class DistributionData:
    """A histogram with bins of equal ratio.

    Args:
        measure: what is measured, such as `response time`.
        edges_s: edges of the bins, rising, one more than shares; bins that were empty are there.
        shares: share of the requests in each bin, 0 to 1.
        zero_share: share of the requests that took no time at all, 0 to 1.
        quantiles_s: quantiles by label, seconds; those of 0 are left out.
        shown_s: from and to of the first view.
    """

    measure: str
    edges_s: tuple[float, ...]
    shares: tuple[float, ...]
    zero_share: float
    quantiles_s: Mapping[str, float]
    shown_s: tuple[float, float]


def distribution_data(
    table: pa.Table, *, measure: str, quantiles_s: Mapping[str, float]
) -> DistributionData | None:
    """Lay out a histogram.

    Args:
        table: `lower_s`, `upper_s` and `count` of the bins that are not empty, in rising order.
        measure: what is measured, in words.
        quantiles_s: quantiles to mark, by label, seconds.

    Returns:
        The histogram, or None where no request took any time.
    """
    rows = table.to_pylist()
    total = sum(row["count"] for row in rows)
    zero = sum(row["count"] for row in rows if row["upper_s"] == 0)
    bins = [row for row in rows if row["upper_s"] > 0]
    if not bins:
        return None
    edges: list[float] = [bins[0]["lower_s"]]
    shares: list[float] = []
    for row in bins:
        if row["lower_s"] > edges[-1] * (1 + 1e-9):
            edges.append(row["lower_s"])
            shares.append(0.0)
        edges.append(row["upper_s"])
        shares.append(row["count"] / total)
    marks = {label: value for label, value in quantiles_s.items() if value > 0}
    return DistributionData(
        measure, tuple(edges), tuple(shares), zero / total, marks, _first_view(edges, shares)
    )


def distribution_chart(data: DistributionData) -> go.Figure:
    """Draw a histogram."""
    figure = go.Figure(
        go.Scatter(
            x=data.edges_s,
            y=[100 * share for share in (*data.shares, 0.0)],
            customdata=_intervals(data),
            line={"shape": "hv", "width": 1, "color": theme.BLUE},
            fill="tozeroy",
            hovertemplate="%{customdata}: %{y:.2f} %<extra></extra>",
        )
    )
    theme.mark_durations(figure, data.quantiles_s, shown_s=data.shown_s)
    figure.update_xaxes(theme.duration_axis(data.measure, *data.shown_s))
    figure.update_yaxes(title="share of requests (%)", rangemode="tozero", range=_height(data))
    return theme.styled(figure, height=360)


def _first_view(edges: list[float], shares: list[float]) -> tuple[float, float]:
    reached = 0.0
    for lower, share in zip(edges, shares, strict=False):
        reached += share
        if reached >= _LEAST_SHOWN * sum(shares):
            return lower, edges[-1]
    return edges[0], edges[-1]


def _intervals(data: DistributionData) -> list[str]:
    ends = [format_duration(edge) for edge in data.edges_s]
    return [f"{low} to {high}" for low, high in zip(ends, [*ends[1:], ends[-1]], strict=True)]


def _height(data: DistributionData) -> list[float]:
    # Room above for the labels.
    return [0.0, 100 * max(data.shares) * 1.45]
