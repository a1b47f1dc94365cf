"""Which strategy is good at which quantile: a table of times, shaded by the ratio to the least."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.standings import Standings
from workbench.quantities import format_duration

_MOST_RATIO = 3.0
"""Ratios above it have the colour of the highest."""
_SHADES = ((0.0, "#F4F7FE"), (1.0, "#A3C0F8"))
"""All so light that the text on it is dark."""


@dataclass(frozen=True)
class QuantileProfileData:
    """Response times, strategies by quantiles.

    Args:
        strategies: labels, in order.
        quantiles: labels such as `p99.9`, rising.
        values_s: one row a strategy, one column a quantile; None where there is none.
        ratios: each by the least of its column, 1 or more; None where there is none.
    """

    strategies: tuple[str, ...]
    quantiles: tuple[str, ...]
    values_s: tuple[tuple[float | None, ...], ...]
    ratios: tuple[tuple[float | None, ...], ...]


def quantile_profile_data(standings: Standings) -> QuantileProfileData | None:
    """Lay out the quantiles of response time; None where no strategy has any."""
    names = list(dict.fromkeys(name for row in standings.rows for name in row.quantiles))
    if not names:
        return None
    values = tuple(tuple(row.quantiles.get(name) for name in names) for row in standings.rows)
    columns = zip(*values, strict=True)
    least = [min((one for one in column if one is not None), default=None) for column in columns]
    return QuantileProfileData(
        standings.strategies,
        tuple(name.replace("_", ".") for name in names),
        values,
        tuple(tuple(_ratio(one, low) for one, low in zip(row, least, strict=True)) for row in values),
    )


def quantile_profile_chart(data: QuantileProfileData) -> go.Figure:
    """Draw the table, the first strategy on top."""
    figure = go.Figure(
        go.Heatmap(
            x=data.quantiles,
            y=data.strategies,
            z=[[None if one is None else min(one, _MOST_RATIO) for one in row] for row in data.ratios],
            zmin=1.0,
            zmax=_MOST_RATIO,
            colorscale=_SHADES,
            xgap=2,
            ygap=2,
            showscale=False,
            text=[["" if one is None else format_duration(one) for one in row] for row in data.values_s],
            texttemplate="%{text}",
            textfont={"size": 13},
            customdata=[["" if one is None else f"{one:.2f}" for one in row] for row in data.ratios],
            hovertemplate="%{y}, %{x}: %{text}, %{customdata} times the least<extra></extra>",
        )
    )
    figure.update_xaxes(title="quantile of response time", type="category")
    return theme.by_strategy(figure, data.strategies)


def _ratio(value: float | None, least: float | None) -> float | None:
    if value is None or least is None:
        return None
    if least == 0:
        return 1.0 if value == 0 else math.inf
    return value / least
