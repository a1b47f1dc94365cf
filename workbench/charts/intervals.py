"""What strategies measured, with intervals: a dot and a line for each."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.standings import MARKS, Standings
from workbench.quantities import format_duration


@dataclass(frozen=True)
class IntervalRow:
    """One strategy; seconds. `low` and `high` are the value itself where there is no interval."""

    strategy: str
    verdict: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class IntervalsData:
    """The measure of each strategy.

    Args:
        measure: what was measured, in words.
        level: probability with which each interval holds.
        strategies: all of them, in order, also those without a value.
        rows: those with a value, in the same order.
    """

    measure: str
    level: float
    strategies: tuple[str, ...]
    rows: tuple[IntervalRow, ...]


def intervals_data(standings: Standings) -> IntervalsData:
    """Lay out the measure of each strategy with its own interval."""
    return IntervalsData(
        standings.measure,
        standings.level,
        standings.strategies,
        tuple(
            IntervalRow(
                row.strategy,
                row.verdict,
                row.value,
                row.value if row.low is None else row.low,
                row.value if row.high is None else row.high,
            )
            for row in standings.rows
            if row.value is not None
        ),
    )


def intervals_chart(data: IntervalsData) -> go.Figure:
    """Draw dots and intervals, the first strategy on top."""
    figure = go.Figure()
    for row in data.rows:
        color, symbol = MARKS[row.verdict]
        figure.add_scatter(
            x=[row.value],
            y=[row.strategy],
            error_x={
                "array": [row.high - row.value],
                "arrayminus": [row.value - row.low],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 11},
            hovertemplate=(
                f"{row.strategy}: {format_duration(row.value)}<br>{100 * data.level:.0f} % interval "
                f"{format_duration(row.low)} to {format_duration(row.high)}<extra>{row.verdict}</extra>"
            ),
        )
    if data.rows:
        ends = [row.low for row in data.rows], [row.high for row in data.rows]
        figure.update_xaxes(theme.duration_axis(data.measure, min(ends[0]), max(ends[1])))
    return theme.by_strategy(figure, data.strategies)
