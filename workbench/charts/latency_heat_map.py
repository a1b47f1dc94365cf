"""How response times were distributed at each moment: a heat map of time and latency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from numpy.typing import NDArray

from workbench.charts import theme
from workbench.quantities import format_duration

_LEAST_SHOWN = 0.001
"""Times below this quantile are left out of the first view; zooming out shows them."""


@dataclass(frozen=True, eq=False)
class LatencyHeatMapData:
    """Requests by slice of time and by how long they took.

    Args:
        edges_s: edges of the slices on the simulated clock, one more than columns.
        bounds_s: bounds of the latency bins, rising, above 0, one more than rows.
        shares: share of the slice's requests, 0 to 1, one row a bin, one column a slice; NaN for none.
        zero_share: share of all requests that took no time, which a log axis has no place for.
        shown_s: least and most latency of the first view.
        length_s: length of the run, by which its other charts choose their unit.
    """

    edges_s: tuple[float, ...]
    bounds_s: tuple[float, ...]
    shares: NDArray[np.float64]
    zero_share: float
    shown_s: tuple[float, float]
    length_s: float


def latency_heat_map_data(table: pa.Table, *, length_s: float) -> LatencyHeatMapData | None:
    """Lay out a heat map.

    Args:
        table: `ts_s`, `end_s`, `lower_s`, `upper_s` and `count`, one row a slice and bin that is not empty;
            bins are of equal ratio.
        length_s: length of the run, seconds.

    Returns:
        The heat map, or None where no request took any time.
    """
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    timed = columns["upper_s"] > 0 if table.num_rows else np.zeros(0, dtype=np.bool_)
    if not timed.any():
        return None
    starts, column = np.unique(columns["ts_s"], return_inverse=True)
    last = float(columns["end_s"].max())
    least, most = columns["lower_s"][timed].min(), columns["upper_s"].max()
    first = int(np.flatnonzero(timed)[0])
    step = np.log(columns["upper_s"][first] / columns["lower_s"][first])
    rows = round(float(np.log(most / least) / step))
    row = np.rint(np.log(columns["lower_s"][timed] / least) / step).astype(np.int64)
    counts = np.zeros((rows, len(starts)))
    np.add.at(counts, (row, column[timed]), columns["count"][timed])
    totals = np.bincount(column, weights=columns["count"], minlength=len(starts))
    shares = np.where(counts > 0, counts / np.maximum(totals, 1.0), np.nan)
    bounds = least * np.exp(step * np.arange(rows + 1))
    reached = np.cumsum(counts.sum(axis=1)) / counts.sum()
    shown = float(bounds[int(np.argmax(reached > _LEAST_SHOWN))]), float(bounds[-1])
    zero = float(columns["count"][~timed].sum() / totals.sum())
    return LatencyHeatMapData((*starts.tolist(), last), tuple(bounds.tolist()), shares, zero, shown, length_s)


def latency_heat_map_chart(data: LatencyHeatMapData) -> go.Figure:
    """Draw a heat map: the brighter, the larger the share of the slice's requests."""
    unit = theme.clock_unit(data.length_s)
    names = [
        f"{format_duration(low)} to {format_duration(high)}"
        for low, high in zip(data.bounds_s[:-1], data.bounds_s[1:], strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            x=unit.scale(data.edges_s),
            y=data.bounds_s,
            z=100 * data.shares,
            customdata=np.repeat(np.array(names)[:, None], data.shares.shape[1], axis=1),
            colorscale=theme.SCALE,
            zmin=0,
            zmax=100 * float(np.nanmax(data.shares)),
            hoverongaps=False,
            colorbar={
                "title": {"text": "requests of the slice (%)", "side": "top"},
                "orientation": "h",
                "thickness": 10,
                "y": 1,
                "yanchor": "bottom",
                "x": 0,
                "xanchor": "left",
                "len": 0.6,
            },
            hovertemplate=f"%{{x:.4g}} {unit.name}, %{{customdata}}: %{{z:.3g}} %<extra></extra>",
        )
    )
    figure.update_yaxes(theme.duration_axis("response time", *data.shown_s))
    figure.update_xaxes(theme.clock_axis(unit) | {"range": unit.scale((data.edges_s[0], data.edges_s[-1]))})
    return theme.styled(figure, height=420)
