"""What happened in a run, for marking charts over time: faults as spans, what balancers did as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import pyarrow as pa

from workbench.charts import theme

_LINES = 40
"""Most lines that a chart is marked with; beyond it the timeline alone tells."""
_FAULT = "rgba(214, 128, 9, 0.22)"
_SYMBOLS = {
    "down": (theme.ORANGE, "triangle-down"),
    "up": (theme.GREEN, "triangle-up"),
    "ejected": (theme.PURPLE, "x"),
    "returned": (theme.GREEN, "circle"),
    "panic_begins": (theme.ORANGE, "star"),
    "panic_ends": (theme.GREEN, "star-open"),
    "weight": (theme.BLUE, "diamond"),
    "command": (theme.BLUE, "arrow-up"),
}
"""Colour and shape of what balancers notice and do, and of what people tell a live run."""
_DRAWN = ("down", "ejected", "panic_begins", "weight", "command")
"""Those that mark other charts."""


@dataclass(frozen=True)
class Span:
    """A fault of one server, or of none."""

    what: str
    server: str
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Moment:
    """Something that a balancer noticed or did."""

    kind: str
    server: str
    at_s: float
    detail: str


@dataclass(frozen=True)
class HappeningsData:
    """What happened in a run.

    Args:
        spans: its faults, by their begin.
        moments: the rest, by their time.
        length_s: length of the run.
    """

    spans: tuple[Span, ...]
    moments: tuple[Moment, ...]
    length_s: float


def happenings_data(
    outages: pa.Table, events: pa.Table, *, names: Sequence[str], length_s: float
) -> HappeningsData | None:
    """Lay out what happened.

    Args:
        outages: `fault`, `server_id`, `begin_s` and `end_s` (null where it lasts).
        events: `at_s`, `kind`, `server_id` and `detail`.
        names: name of each server, by its number.
        length_s: length of the run, seconds.

    Returns:
        What happened, or None where nothing did.
    """

    def name(server: int | None) -> str:
        return "all" if server is None or server < 0 else names[server]

    spans = tuple(
        Span(
            row["fault"],
            name(row["server_id"]),
            row["begin_s"],
            length_s if row["end_s"] is None else row["end_s"],
        )
        for row in outages.to_pylist()
    )
    moments = tuple(
        Moment(row["kind"], name(row["server_id"]), row["at_s"], row["detail"])
        for row in events.to_pylist()
        if row["kind"] in _SYMBOLS
    )
    return HappeningsData(spans, moments, length_s) if spans or moments else None


def happenings_chart(data: HappeningsData) -> go.Figure:
    """Draw a timeline: a row for each fault and for each kind of what balancers did."""
    unit = theme.clock_unit(data.length_s)
    figure = go.Figure()
    for what in dict.fromkeys(one.what for one in data.spans):
        found = [one for one in data.spans if one.what == what]
        figure.add_bar(
            base=unit.scale(one.begin_s for one in found),
            x=unit.scale(max(one.end_s - one.begin_s, data.length_s / 400) for one in found),
            y=[what] * len(found),
            customdata=[one.server for one in found],
            orientation="h",
            marker={"color": theme.ORANGE, "opacity": 0.7},
            hovertemplate=f"{what} of %{{customdata}}, from %{{base:.4g}} {unit.name}<extra></extra>",
        )
    for kind, (color, symbol) in _SYMBOLS.items():
        moments = [one for one in data.moments if one.kind == kind]
        if moments:
            figure.add_scatter(
                x=unit.scale(one.at_s for one in moments),
                y=[_worded(kind)] * len(moments),
                customdata=[f"{one.server} {one.detail}".strip() for one in moments],
                mode="markers",
                marker={"color": color, "symbol": symbol, "size": 9},
                hovertemplate=f"{_worded(kind)}: %{{customdata}}, %{{x:.4g}} {unit.name}<extra></extra>",
            )
    rows = len({one.what for one in data.spans} | {one.kind for one in data.moments})
    figure.update_xaxes(theme.clock_axis(unit) | {"range": [0, data.length_s / unit.seconds]})
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_layout(showlegend=False, barmode="overlay")
    return theme.styled(figure, height=90 + 30 * rows)


def marked(figure: go.Figure, data: HappeningsData | None, *, length_s: float) -> go.Figure:
    """Mark what happened on a chart whose x axes are the simulated clock of a run of this length."""
    if data is None:
        return figure
    unit = theme.clock_unit(length_s)
    for begin, end in sorted({(one.begin_s, one.end_s) for one in data.spans})[:_LINES]:
        x0, x1 = unit.scale((begin, end))
        figure.add_vrect(x0=x0, x1=x1, fillcolor=_FAULT, line_width=0, layer="below")
        for edge in (x0, x1):  # a heat map hides what lies below it
            figure.add_vline(x=edge, line={"color": theme.ORANGE, "width": 1})
    moments = [one for one in data.moments if one.kind in _DRAWN]
    for one in moments if len(moments) <= _LINES else []:
        line = {"color": _SYMBOLS[one.kind][0], "dash": "dot", "width": 1}
        figure.add_vline(x=one.at_s / unit.seconds, line=line)
    return figure


def _worded(kind: str) -> str:
    return kind.replace("_", " ")
