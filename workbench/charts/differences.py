"""How far each strategy is from the best, with intervals that hold together.

The axis shows the ratio to the best on a log scale, labelled as the difference in percent. Where some
strategies are close to the best, the first view is of those, and an arrow says how far the others are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.standings import MARKS, Standing, Standings
from workbench.quantities import format_duration

_LEAST_RATIO = 0.1
"""Ends of intervals below it are drawn at it: a paired t interval may reach below a time of zero."""
_CLOSE = 1.5
"""Strategies that take less than so many times as long as the best are close to it."""
_PERCENTS = (
    *(-80, -50, -30, -20, -10, -5, -2, -1, 0, 1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(1000, 2000, 5000),
)
_APART = 0.13
"""Labels of ticks stand at least this part of the axis apart."""


@dataclass(frozen=True)
class DifferenceRow:
    """One strategy: its ratio to the best with its interval, and the difference in seconds."""

    strategy: str
    verdict: str
    ratio: float
    low: float
    high: float
    difference_s: float


@dataclass(frozen=True)
class DifferencesData:
    """The difference of each strategy to the best.

    Args:
        measure: what was measured, in words.
        level: probability with which all intervals hold together.
        best: the best strategy.
        strategies: all of them, in order, also those without a value.
        rows: those with a value, in the same order.
        shown: from and to of the first view, as ratios.
    """

    measure: str
    level: float
    best: str
    strategies: tuple[str, ...]
    rows: tuple[DifferenceRow, ...]
    shown: tuple[float, float]


def differences_data(standings: Standings) -> DifferencesData | None:
    """Lay out differences to the best.

    Returns:
        The differences, or None where no strategy is the best or the best measured 0.
    """
    best = standings.best
    if best is None or not best.value:
        return None
    found = (_row(row, best.value) for row in standings.rows)
    rows = tuple(row for row in found if row is not None)
    return DifferencesData(
        standings.measure, standings.level, best.strategy, standings.strategies, rows, _first_view(rows)
    )


def differences_chart(data: DifferencesData) -> go.Figure:
    """Draw dots and intervals around the line of no difference."""
    figure = go.Figure()
    for row in data.rows:
        color, symbol = MARKS[row.verdict]
        figure.add_scatter(
            x=[row.ratio],
            y=[row.strategy],
            error_x={
                "array": [row.high - row.ratio],
                "arrayminus": [row.ratio - row.low],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 11},
            hovertemplate=_hover(row, data),
        )
        if row.ratio > data.shown[1]:
            figure.add_annotation(
                x=1,
                xref="paper",
                y=row.strategy,
                text=f"{_percent(row.ratio)} ▸",
                showarrow=False,
                xanchor="right",
                yshift=9,
            )
    figure.add_vline(x=1.0, line={"color": theme.GREY, "dash": "dot", "width": 1.5})
    low, high = data.shown
    ticks = percent_ticks(low, high)
    room = max(0.002, 0.04 * math.log10(high / low))
    figure.update_xaxes(
        title="difference to the best (%, log scale of the ratio)",
        type="log",
        tickvals=[1 + tick / 100 for tick in ticks],
        ticktext=[f"{tick:+d} %" if tick else "0" for tick in ticks],
        tickangle=0,
        range=[math.log10(low) - room, math.log10(high) + room],
    )
    return theme.by_strategy(figure, data.strategies)


def percent_ticks(low: float, high: float) -> list[int]:
    """Choose differences in percent for the ticks between two ratios, 0 first and no two too close.

    >>> percent_ticks(0.9, 1.25)
    [-10, -5, 0, 5, 10, 20]
    """
    length = math.log10(high / low) or 1.0
    chosen: list[int] = [0]
    for tick in sorted(_PERCENTS, key=lambda one: (one % 10 != 0, one % 50 != 0, abs(one))):
        place = math.log10(1 + tick / 100)
        inside = low <= 1 + tick / 100 <= high
        if inside and all(abs(place - math.log10(1 + one / 100)) >= _APART * length for one in chosen):
            chosen.append(tick)
    return sorted(chosen)


def _row(row: Standing, best: float) -> DifferenceRow | None:
    if row.difference is None:
        return None
    low = row.difference if row.difference_low is None else row.difference_low
    high = row.difference if row.difference_high is None else row.difference_high
    ratios = [max(_LEAST_RATIO, 1 + one / best) for one in (row.difference, low, high)]
    return DifferenceRow(row.strategy, row.verdict, ratios[0], ratios[1], ratios[2], row.difference)


def _first_view(rows: tuple[DifferenceRow, ...]) -> tuple[float, float]:
    close = [row for row in rows if row.ratio < _CLOSE]
    shown = close if len(close) > 1 else rows
    return min(row.low for row in shown), max(row.high for row in shown)


def _hover(row: DifferenceRow, data: DifferencesData) -> str:
    if row.strategy == data.best:
        return f"{row.strategy} is the best<extra></extra>"
    sign = "-" if row.difference_s < 0 else "+"
    return (
        f"{row.strategy}: {sign}{format_duration(abs(row.difference_s))} ({_percent(row.ratio)})"
        f"<br>{100 * data.level:.0f} % interval {_percent(row.low)} to {_percent(row.high)}"
        f"<extra>{row.verdict}</extra>"
    )


def _percent(ratio: float) -> str:
    percent = 100 * (ratio - 1)
    return f"{percent:+.1f} %" if abs(percent) < 99.5 else f"{percent:+,.0f} %"
