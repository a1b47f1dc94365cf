"""Who had the load, from moment to moment, and how uneven that was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from workbench.charts import theme

_NAMED = 40
"""So many rows of a heat map have room for a name each."""


@dataclass(frozen=True, eq=False)
class BalanceOverTimeData:
    """Each server's share of the requests, bucket by bucket.

    Args:
        times_s: start of each bucket on the simulated clock.
        width_s: length of a bucket.
        servers: names, in order.
        shares: share of the bucket's requests, 0 to 1, one row a server; NaN where there were none.
        imbalance: the largest share by the mean, bucket by bucket; 1 is even, NaN where there were none.
        length_s: length of the run.
    """

    times_s: tuple[float, ...]
    width_s: float
    servers: tuple[str, ...]
    shares: NDArray[np.float64]
    imbalance: NDArray[np.float64]
    length_s: float


def balance_over_time_data(
    table: pa.Table, *, names: Sequence[str], length_s: float
) -> BalanceOverTimeData | None:
    """Lay out shares over time.

    Args:
        table: `ts_s`, `width_s`, `server_id` and `arrivals`, one row a server and bucket.
        names: name of each server, by its number.
        length_s: length of the run, seconds.

    Returns:
        The shares, or None where there is no sample.
    """
    if table.num_rows == 0:
        return None
    times, columns = np.unique(table.column("ts_s").to_numpy(), return_inverse=True)
    arrivals = np.zeros((len(names), len(times)))
    arrivals[table.column("server_id").to_numpy(), columns] = table.column("arrivals").to_numpy()
    total = arrivals.sum(axis=0)
    with np.errstate(invalid="ignore"):
        shares = arrivals / np.where(total > 0, total, np.nan)
    imbalance = np.where(total > 0, shares.max(axis=0) * len(names), np.nan)
    width = float(table.column("width_s")[0].as_py())
    return BalanceOverTimeData(tuple(times.tolist()), width, tuple(names), shares, imbalance, length_s)


def balance_over_time_chart(data: BalanceOverTimeData) -> go.Figure:
    """Draw each server's share as a heat map above the imbalance."""
    unit = theme.clock_unit(data.length_s)
    edges = unit.scale([*data.times_s, data.times_s[-1] + data.width_s])
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.68, 0.32])
    figure.add_heatmap(
        x=edges,
        y=data.servers,
        z=100 * data.shares,
        colorscale=theme.SCALE,
        zmin=0,
        zmax=100 * float(np.nanmax(data.shares, initial=0.0)) or 1.0,
        hoverongaps=False,
        colorbar={
            "title": {"text": "requests of the moment (%)", "side": "top"},
            "orientation": "h",
            "thickness": 10,
            "y": 1,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "len": 0.6,
        },
        hovertemplate=f"%{{y}}, %{{x:.4g}} {unit.name}: %{{z:.3g}} %<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=edges,
        y=[*data.imbalance, data.imbalance[-1]],
        line={"color": theme.BLUE, "shape": "hv", "width": theme.LINE_WIDTH},
        hovertemplate="the largest is %{y:.3g} times the mean<extra></extra>",
        row=2,
        col=1,
    )
    figure.add_hline(y=1, line={"color": theme.GREY, "dash": "dot", "width": 1.5}, row=2, col=1)
    named = len(data.servers) <= _NAMED
    figure.update_yaxes(
        title=None if named else f"{len(data.servers)} servers",
        autorange="reversed",
        showticklabels=named,
        row=1,
        col=1,
    )
    figure.update_yaxes(title="largest / mean", row=2, col=1)
    figure.update_xaxes(range=[edges[0], edges[-1]])
    figure.update_xaxes(theme.clock_axis(unit), row=2, col=1)
    figure.update_layout(showlegend=False)
    return theme.styled(figure, height=max(400, min(620, 220 + 22 * len(data.servers))))
