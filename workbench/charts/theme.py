"""The look that all charts share.

Durations stand on axes as people read them (20 ms, 5 min) and, where none of them is zero, on a log
scale, because percentiles and strategies differ by factors. Colours are told apart by colour-blind
people and have a contrast of 3 or more on the light and the dark background; where colour carries
meaning, a shape carries it too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from workbench.quantities import format_duration

BLUE, ORANGE, GREEN, PURPLE = SERIES = ("#2563EB", "#D68009", "#00AA63", "#A55AA9")
"""Colours of series: of those that stand out on light and on dark, four that are far apart for every eye."""
GREY = "#808080"
"""What is beside the point: references, bounds of a window."""
SHADE = "rgba(128, 128, 128, 0.15)"
SCALE = "Cividis"
"""Colour scale of heat maps: from dark blue to yellow, rising in lightness for every eye."""
LINE_WIDTH = 2

_LADDER = [
    *(digit * 10.0**power for power in range(-6, 1) for digit in (1, 2, 5)),
    *(10.0, 20.0, 30.0),
    *(minutes * 60.0 for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * 3600.0 for hours in (1, 2, 5, 10, 12, 24)),
]
"""Durations for ticks, in threes of which the first, or first and last, stand where room is short."""
_MOST_TICKS = 7
_LABEL_ROOM = 0.85
"""Beyond this part of an axis a label stands to the left of its line."""


@dataclass(frozen=True)
class ClockUnit:
    """The unit of an axis that shows the simulated clock."""

    name: str
    seconds: float

    def scale(self, seconds: Iterable[float]) -> list[float]:
        """Express seconds in this unit."""
        return [value / self.seconds for value in seconds]


def clock_unit(length_s: float) -> ClockUnit:
    """Choose the unit for a run of this length.

    >>> clock_unit(3500).name
    'min'
    """
    for name, seconds, most in (("ms", 1e-3, 1.0), ("s", 1.0, 300.0), ("min", 60.0, 4 * 3600.0)):
        if length_s < most:
            return ClockUnit(name, seconds)
    return ClockUnit("h", 3600.0)


def clock_axis(unit: ClockUnit) -> dict[str, Any]:
    """Lay out an axis of the simulated clock."""
    return {"title": {"text": f"simulated clock ({unit.name})"}, "zeroline": False}


def duration_axis(title: str, low: float, high: float) -> dict[str, Any]:
    """Lay out an axis of durations: logarithmic where `low` is above 0, else linear.

    Args:
        title: what is measured.
        low: the smallest shown, seconds.
        high: the largest shown, seconds; not below `low`.
    """
    log = low > 0
    ticks = duration_ticks(low, high)
    axis: dict[str, Any] = {
        "title": {"text": f"{title} (log scale)" if log else title},
        "type": "log" if log else "linear",
        "tickvals": ticks,
        "ticktext": [format_duration(tick) for tick in ticks],
        "zeroline": not log,
    }
    if log:
        room = max(0.02, 0.03 * math.log10(high / low))
        axis["range"] = [math.log10(low) - room, math.log10(high) + room]
    return axis


def duration_ticks(low: float, high: float) -> list[float]:
    """Choose where an axis of durations has its ticks, seconds.

    >>> duration_ticks(0.0015, 0.3)
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
    """
    if low > 0:
        rungs = [(place, rung) for place, rung in enumerate(_LADDER) if low <= rung <= high]
        for places, period in (({0, 1, 2}, 3), ({0, 2}, 3), ({0}, 3), ({0}, 6), ({0}, 9)):
            ticks = [rung for place, rung in rungs if place % period in places]
            if 3 <= len(ticks) <= _MOST_TICKS:
                return ticks
    return even_ticks(low, high, unit=clock_unit(high).seconds)


def even_ticks(low: float, high: float, *, unit: float = 1.0) -> list[float]:
    """Choose ticks at even, round distances, counted in a unit.

    >>> even_ticks(0, 9)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    low, high = low / unit, high / unit
    if not high > low * (1 + 1e-9):
        return [low * unit]
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * digit for digit in (1, 2, 5, 10) if (high - low) / (power * digit) <= 5)
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [float(f"{place * step:.12g}") * unit for place in places]


def mark_durations(figure: go.Figure, marks: Mapping[str, float], *, shown_s: tuple[float, float]) -> None:
    """Draw a line with a label at each of some durations.

    Args:
        figure: a chart whose x axis is a log axis of durations.
        marks: durations above 0 by their labels, seconds, rising.
        shown_s: from and to of the axis, seconds.
    """
    left, right = shown_s
    for place, (label, value) in enumerate(marks.items()):
        at_the_end = value > left * (right / left) ** _LABEL_ROOM
        figure.add_vline(x=value, line={"color": GREY, "dash": "dot", "width": 1.5})
        # Neighbours are close on a log scale, so each label stands lower than the one before. Notes
        # on a log axis are placed by the logarithm, lines are not.
        figure.add_annotation(
            x=math.log10(value),
            y=1.0 - 0.08 * place,
            yref="paper",
            text=label,
            showarrow=False,
            xanchor="right" if at_the_end else "left",
            yanchor="top",
            xshift=-2 if at_the_end else 2,
        )


def styled(figure: go.Figure, *, height: int) -> go.Figure:
    """Give a figure the shared margins and legend; `height` in pixels."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "title": {"text": ""}},
        hoverlabel={"align": "left"},
        dragmode="zoom",
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def shade_outside(figure: go.Figure, *, shown: Sequence[float], inside: Sequence[float]) -> None:
    """Shade what lies outside a window.

    Args:
        figure: where.
        shown: from and to of the whole axis, in its unit.
        inside: from and to of the window, in the same unit.
    """
    for left, right in ((shown[0], inside[0]), (inside[1], shown[1])):
        if right > left:
            figure.add_vrect(x0=left, x1=right, fillcolor=SHADE, line_width=0, layer="below")


def by_strategy(figure: go.Figure, strategies: Sequence[str]) -> go.Figure:
    """Give a figure one row a strategy, the first on top, and the shared look."""
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(strategies),
        range=[len(strategies) - 0.5, -0.5],
    )
    figure.update_layout(showlegend=False)
    return styled(figure, height=100 + 34 * len(strategies))
