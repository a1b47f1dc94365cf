"""How the queue of each server went: lines for few servers, a heat map for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from numpy.typing import NDArray

from workbench.charts import theme

FEW = len(theme.SERIES)
"""So many servers have a line each."""
_DASHES = ("solid", "dash", "dot", "dashdot")
_GAP = 3.0
"""Buckets after which nothing is drawn: of that time nothing is known."""
_NAMED = 40
"""So many rows of a heat map have room for a name each."""


class Level(StrEnum):
    """What of a server is shown: a column of the samples."""

    QUEUE_DEPTH = "queue_depth"
    QUEUE_MAX = "queue_max"
    UTILISATION = "utilisation"

    @property
    def label(self) -> str:
        """The name in words, with the unit."""
        return {
            Level.QUEUE_DEPTH: "waiting (requests, mean)",
            Level.QUEUE_MAX: "waiting (requests, most)",
            Level.UTILISATION: "slots busy (%)",
        }[self]


@dataclass(frozen=True, eq=False)
class QueueOverTimeData:
    """One level of each server, bucket by bucket.

    Args:
        times_s: start of each bucket on the simulated clock.
        length_s: end of the last bucket.
        servers: names, in order.
        level: what is shown.
        values: one row a server, one column a bucket; NaN where there is no sample.
        window_s: from and to of what the page measures.
    """

    times_s: tuple[float, ...]
    length_s: float
    servers: tuple[str, ...]
    level: Level
    values: NDArray[np.float64]
    window_s: tuple[float, float]


def queue_over_time_data(
    table: pa.Table, *, names: Sequence[str], level: Level, window_s: tuple[float, float]
) -> QueueOverTimeData | None:
    """Lay out one level over servers and time.

    Args:
        table: `ts_s`, `server_id` and the level's column, one row a server and bucket.
        names: name of each server, by its number.
        level: what is shown.
        window_s: from and to of what the page measures, seconds.

    Returns:
        The level, or None where there is no sample.
    """
    if table.num_rows == 0:
        return None
    times, columns = np.unique(table.column("ts_s").to_numpy(), return_inverse=True)
    servers = table.column("server_id").to_numpy()
    values = np.full((len(names), len(times)), np.nan)
    values[servers, columns] = table.column(level.value).to_numpy()
    if level is Level.UTILISATION:
        values *= 100.0
    width = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    gaps = np.flatnonzero(np.diff(times) > _GAP * width)
    times = np.insert(times, gaps + 1, times[gaps] + width)
    values = np.insert(values, gaps + 1, np.nan, axis=1)
    return QueueOverTimeData(
        tuple(times.tolist()), float(times[-1]) + width, tuple(names), level, values, window_s
    )


def queue_over_time_chart(data: QueueOverTimeData) -> go.Figure:
    """Draw a level: lines for up to four servers, else a heat map."""
    unit = theme.clock_unit(data.length_s)
    figure = _lines(data, unit) if len(data.servers) <= FEW else _heat_map(data, unit)
    edges = (data.times_s[0] / unit.seconds, data.length_s / unit.seconds)
    figure.update_xaxes(theme.clock_axis(unit) | {"range": list(edges)})
    if len(data.servers) <= FEW:
        theme.shade_outside(figure, shown=edges, inside=unit.scale(data.window_s))
        return theme.styled(figure, height=380)
    for edge in unit.scale(data.window_s):
        if edges[0] < edge < edges[1]:
            figure.add_vline(x=edge, line={"color": "white", "dash": "dot", "width": 1.5})
    return theme.styled(figure, height=max(380, min(560, 130 + 22 * len(data.servers))))


def _lines(data: QueueOverTimeData, unit: theme.ClockUnit) -> go.Figure:
    figure = go.Figure()
    for place, (server, values) in enumerate(zip(data.servers, data.values, strict=True)):
        figure.add_scatter(
            x=unit.scale([*data.times_s, data.length_s]),
            y=[*values, values[-1]],
            name=server,
            line={
                "color": theme.SERIES[place],
                "dash": _DASHES[place],
                "shape": "hv",
                "width": theme.LINE_WIDTH,
            },
            hovertemplate=f"{server}: %{{y:.3g}}<extra></extra>",
        )
    figure.update_yaxes(title=data.level.label, rangemode="tozero")
    figure.update_layout(hovermode="x unified", showlegend=len(data.servers) > 1)
    return figure


def _heat_map(data: QueueOverTimeData, unit: theme.ClockUnit) -> go.Figure:
    figure = go.Figure(
        go.Heatmap(
            x=unit.scale(data.times_s),
            y=data.servers,
            z=data.values,
            colorscale=theme.SCALE,
            zmin=0,
            zmax=100 if data.level is Level.UTILISATION else None,
            colorbar={
                "title": {"text": data.level.label, "side": "top"},
                "orientation": "h",
                "thickness": 10,
                "y": 1,
                "yanchor": "bottom",
                "x": 0,
                "xanchor": "left",
                "len": 0.6,
            },
            hovertemplate=f"%{{y}}, from %{{x:.4g}} {unit.name}: %{{z:.3g}}<extra></extra>",
        )
    )
    named = len(data.servers) <= _NAMED
    title = None if named else f"{len(data.servers)} servers"
    figure.update_yaxes(title=title, autorange="reversed", showticklabels=named)
    return figure
