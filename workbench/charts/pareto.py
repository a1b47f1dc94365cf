"""Two measures against each other: which decisions are not beaten in both."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.sweep_results import Figure, SweepDecision, SweepResults


@dataclass(frozen=True)
class ParetoPoint:
    """One decision; `front` tells that no other is better in one measure and no worse in the other."""

    decision: str
    x: float
    y: float
    front: bool


@dataclass(frozen=True)
class ParetoData:
    """What is drawn.

    Args:
        place: the circumstance in words.
        x: the measure on the horizontal axis.
        y: the one on the vertical axis.
        points: the decisions that have both.
    """

    place: str
    x: Figure
    y: Figure
    points: tuple[ParetoPoint, ...]


def pareto_data(sweep: SweepResults, *, place: int, x: str, y: str | None = None) -> ParetoData:
    """Lay out the decisions at one circumstance; bounds, which no balancer reaches, are left out.

    Args:
        sweep: the results.
        place: number of the circumstance, from 0.
        x: a measure, or a parameter that was decided and is a number, such as a number of servers.
        y: a measure; by default the one that the sweep is judged by.
    """
    wanted = y or sweep.measure
    known = [
        (one.decision, at, value)
        for one in sweep.places[place].decisions
        if one.verdict != "bound"
        and (at := _of(one, x)) is not None
        and (value := one.figures.get(wanted)) is not None
    ]
    points = tuple(
        ParetoPoint(decision, at, value, not any(_beats(other, (at, value)) for _, *other in known))
        for decision, at, value in known
    )
    figure = sweep.figures.get(x, Figure(x, "number"))
    return ParetoData(sweep.places[place].place, figure, sweep.figures[wanted], points)


def _of(one: SweepDecision, name: str) -> float | None:
    return one.numbers.get(name, one.figures.get(name))


def _beats(one: list[float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and (one[0] < other[0] or one[1] < other[1])


def pareto_chart(data: ParetoData) -> go.Figure:
    """Draw the decisions, those that are not beaten joined by a line."""
    figure = go.Figure()
    front = sorted((point for point in data.points if point.front), key=lambda point: (point.x, point.y))
    figure.add_scatter(
        x=[point.x for point in front],
        y=[point.y for point in front],
        mode="lines",
        line={"color": theme.GREY, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
    )
    for shown, color, symbol, name in (
        (front, theme.BLUE, "diamond", "not beaten in both"),
        ([point for point in data.points if not point.front], theme.ORANGE, "x", "beaten"),
    ):
        figure.add_scatter(
            x=[point.x for point in shown],
            y=[point.y for point in shown],
            mode="markers+text" if len(data.points) <= 20 else "markers",
            text=[point.decision for point in shown],
            textposition="top center",
            cliponaxis=False,
            marker={"color": color, "symbol": symbol, "size": 11},
            customdata=[(data.x.shown(point.x), data.y.shown(point.y)) for point in shown],
            hovertemplate=(
                f"%{{text}}<br>{data.x.label} %{{customdata[0]}}<br>{data.y.label} %{{customdata[1]}}"
                f"<extra>{name}</extra>"
            ),
        )
    for update, measure, values in (
        (figure.update_xaxes, data.x, [point.x for point in data.points]),
        (figure.update_yaxes, data.y, [point.y for point in data.points]),
    ):
        if measure.unit == "duration" and values:
            update(theme.duration_axis(measure.label, min(values), max(values)))
        else:
            update(title=measure.label, tickformat=".3~p" if measure.unit == "share" else None)
    figure.update_layout(showlegend=False)
    return theme.styled(figure, height=420)
