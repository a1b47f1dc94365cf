"""A sweep as lines: the measure over one parameter that is a number, a line for each other choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.sweep_results import Figure, SweepResults

_DASHES = ("solid", "dash", "dot", "dashdot")
_WIDE = 30.0
"""Ratio of the largest to the least value from which a range is wide."""
_MOST_TICKS = 12
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")


@dataclass(frozen=True)
class SweepLine:
    """One line, from left to right; `low` and `high` are the ends of each interval."""

    name: str
    at: tuple[float, ...]
    labels: tuple[str, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class SweepLinesData:
    """What is drawn.

    Args:
        parameter: what lies on the axis.
        figure: what is measured.
        target: what it may be at most; None without one.
        lines: one for each combination of the other parameters.
    """

    parameter: str
    figure: Figure
    target: float | None
    lines: tuple[SweepLine, ...]


def sweep_lines_data(sweep: SweepResults, *, parameter: str | None = None) -> SweepLinesData | None:
    """Lay out the measure over a parameter.

    Args:
        sweep: the results.
        parameter: which; by default the one with the most values that are numbers.

    Returns:
        The lines; None where no parameter is a number with two values or more.
    """
    numbers: dict[str, set[float]] = {}
    for place in sweep.places:
        for one in place.decisions:
            for name, number in (*place.numbers.items(), *one.numbers.items()):
                numbers.setdefault(name, set()).add(number)
    wanted = parameter or max(numbers, key=lambda name: len(numbers[name]), default=None)
    if wanted is None or len(numbers.get(wanted, ())) < 2:
        return None
    found: dict[str, list[tuple[float, str, float, float, float]]] = {}
    for place in sweep.places:
        for one in place.decisions:
            at = place.numbers.get(wanted, one.numbers.get(wanted))
            if at is None or one.value is None:
                continue
            others = {name: label for name, label in place.options.items() if name != wanted}
            label = place.options.get(wanted, f"{at:g}")
            told = [*others.values(), *([one.decision] if sweep.decide != (wanted,) else [])]
            low, high = (one.value if end is None else end for end in (one.low, one.high))
            found.setdefault(", ".join(told) or sweep.figure.label, []).append(
                (at, label, one.value, low, high)
            )
    lines = (SweepLine(name, *map(tuple, zip(*sorted(rows), strict=True))) for name, rows in found.items())
    return SweepLinesData(wanted, sweep.figure, sweep.target, tuple(lines))


def sweep_lines_chart(data: SweepLinesData) -> go.Figure:
    """Draw the lines with their intervals, and the target."""
    figure = go.Figure()
    for place, line in enumerate(data.lines):
        color = theme.SERIES[place % len(theme.SERIES)]
        figure.add_scatter(
            x=line.at,
            y=line.values,
            name=line.name,
            error_y={
                "array": [high - value for high, value in zip(line.high, line.values, strict=True)],
                "arrayminus": [value - low for low, value in zip(line.low, line.values, strict=True)],
                "thickness": 1.5,
                "width": 4,
            },
            mode="lines+markers",
            line={
                "color": color,
                "width": theme.LINE_WIDTH,
                "dash": _DASHES[place // len(theme.SERIES) % len(_DASHES)],
            },
            marker={"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 8},
            customdata=[
                (label, data.figure.shown(value))
                for label, value in zip(line.labels, line.values, strict=True)
            ],
            hovertemplate="%{customdata[0]}: %{customdata[1]}" + f"<extra>{line.name}</extra>",
        )
    values = [value for line in data.lines for value in line.values]
    if data.figure.unit == "duration" and values:
        figure.update_yaxes(theme.duration_axis(data.figure.label, min(values), max(values)))
    else:
        figure.update_yaxes(
            title=data.figure.label, tickformat=".3~p" if data.figure.unit == "share" else None
        )
    if data.target is not None:
        text = f"target {data.figure.shown(data.target)}"
        figure.add_hline(y=data.target, line={"color": theme.GREY, "dash": "dot"}, annotation_text=text)
    _lay_out_parameter(figure, data)
    return theme.styled(figure, height=420)


def _lay_out_parameter(figure: go.Figure, data: SweepLinesData) -> None:
    """Choose the axis: logarithmic over a wide range, and one step a value where that has a 0 in it."""
    labels = dict(pair for line in data.lines for pair in zip(line.at, line.labels, strict=True))
    values = sorted(labels)
    above = [value for value in values if value > 0] or [1.0]
    wide = above[-1] / above[0] > _WIDE
    few = values if len(values) <= _MOST_TICKS else None
    if wide and values[0] <= 0 and few:
        for trace, line in zip(figure.data, data.lines, strict=True):
            trace.x = [values.index(at) for at in line.at]
        ticks: dict[str, Any] = {"tickvals": list(range(len(values))), "type": "linear"}
    else:
        ticks = {"tickvals": few, "type": "log" if wide and values[0] > 0 else "linear"}
    figure.update_xaxes(title=data.parameter, ticktext=[labels[at] for at in few] if few else None, **ticks)
