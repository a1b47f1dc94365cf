"""Where which decision is best, over two circumstances: what would flip the answer."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.sweep_results import SweepPlace, SweepResults

_OTHERS = "#4B5563"
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "hexagon")


@dataclass(frozen=True)
class BestField:
    """One circumstance; `sure` is whether nothing else is as good as far as is known."""

    x: str
    y: str
    best: str
    sure: bool
    note: str


@dataclass(frozen=True)
class BestMapData:
    """What is drawn.

    Args:
        x: the parameter from left to right, with its values.
        y: the one from bottom to top, with its values.
        fields: the circumstances with an answer.
        here: the values at which the scenario itself stands; None where it is not among them.
    """

    x: tuple[str, tuple[str, ...]]
    y: tuple[str, tuple[str, ...]]
    fields: tuple[BestField, ...]
    here: tuple[str, str] | None


def best_map_data(sweep: SweepResults, *, x: str, y: str, here: tuple[str, str] | None = None) -> BestMapData:
    """Lay out which decision is best.

    Args:
        sweep: results over both circumstances.
        x: one circumstance, by its parameter's name.
        y: the other.
        here: labels at which the scenario itself stands.
    """
    fields = tuple(
        _field(sweep, place, x, y)
        for place in sweep.places
        if place.best is not None and {x, y} <= set(place.options)
    )
    return BestMapData((x, sweep.parameters[x]), (y, sweep.parameters[y]), fields, here)


def _field(sweep: SweepResults, place: SweepPlace, x: str, y: str) -> BestField:
    best = place.best
    close = [one.decision for one in place.decisions if one.verdict in ("same", "not told apart")]
    name = best.decision if best is not None else ""
    value = sweep.figure.shown(best.value if best is not None else None)
    note = f"{name}: {value}" + (f"<br>not told apart: {', '.join(close)}" if close else "")
    return BestField(place.options[x], place.options[y], name, not close, note)


def best_map_chart(data: BestMapData) -> go.Figure:
    """Draw a mark for each circumstance: its colour and shape the best, hollow where others are as good."""
    figure = go.Figure()
    names = sorted({field.best for field in data.fields})
    for place, name in enumerate(names):
        color = theme.SERIES[place] if place < len(theme.SERIES) else _OTHERS
        symbol = _SYMBOLS[place % len(_SYMBOLS)]
        ours = [field for field in data.fields if field.best == name]
        figure.add_scatter(
            x=[field.x for field in ours],
            y=[field.y for field in ours],
            name=name,
            mode="markers",
            marker={
                "color": color,
                "size": 18,
                "symbol": [symbol if field.sure else f"{symbol}-open" for field in ours],
                "line": {"width": 2, "color": color},
            },
            customdata=[field.note for field in ours],
            hovertemplate=f"{data.x[0]} %{{x}}, {data.y[0]} %{{y}}<br>%{{customdata}}<extra></extra>",
        )
    if data.here is not None:
        figure.add_scatter(
            x=[data.here[0]],
            y=[data.here[1]],
            name="the scenario",
            mode="markers",
            marker={"symbol": "circle-open", "size": 32, "color": theme.GREY, "line": {"width": 2}},
            hoverinfo="skip",
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(
        title=data.x[0], type="category", categoryorder="array", categoryarray=list(data.x[1])
    )
    figure.update_yaxes(
        title=data.y[0], type="category", categoryorder="array", categoryarray=list(data.y[1])
    )
    return theme.styled(figure, height=160 + 42 * len(data.y[1]))
