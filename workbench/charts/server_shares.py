"""How the load was spread over the servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import pyarrow as pa
from plotly.subplots import make_subplots

from workbench.charts import theme

_NAMED = 30
"""So many servers have room for a name each."""


@dataclass(frozen=True)
class Evenness:
    """How evenly something is spread over servers; 1 is even.

    Args:
        imbalance: the largest by the mean, 1 or more.
        jain: Jain's fairness index, 1 by the number of servers to 1 (Jain, Chiu and Hawe, 1984).
    """

    imbalance: float
    jain: float


@dataclass(frozen=True)
class ServerSharesData:
    """What each server had of the load.

    Args:
        servers: names, in order.
        requests: requests that were sent to each.
        shares: share of the requests, 0 to 1.
        utilisations: share of its slots that was busy, 0 to 1; None where it is not known.
        share_evenness: how evenly the requests are spread; None where there were none.
        utilisation_evenness: how evenly the servers are busy; None where that is not known, or none is.
    """

    servers: tuple[str, ...]
    requests: tuple[int, ...]
    shares: tuple[float, ...]
    utilisations: tuple[float | None, ...]
    share_evenness: Evenness | None
    utilisation_evenness: Evenness | None


def server_shares_data(table: pa.Table, *, names: Sequence[str]) -> ServerSharesData:
    """Lay out shares.

    Args:
        table: `server_id`, `requests`, `share` and `utilisation`, one row a server.
        names: name of each server, by its number.
    """
    rows = {row["server_id"]: row for row in table.to_pylist()}
    found = [rows.get(server, {}) for server in range(len(names))]
    shares = tuple(row.get("share", 0.0) for row in found)
    utilisations = tuple(row.get("utilisation") for row in found)
    return ServerSharesData(
        servers=tuple(names),
        requests=tuple(row.get("requests", 0) for row in found),
        shares=shares,
        utilisations=utilisations,
        share_evenness=evenness(shares),
        utilisation_evenness=evenness(utilisations),
    )


def evenness(values: Sequence[float | None]) -> Evenness | None:
    """Measure how evenly something is spread; None where a value is missing or all are 0.

    >>> evenness([1.0, 3.0])
    Evenness(imbalance=1.5, jain=0.8)
    """
    known = [value for value in values if value is not None]
    total = sum(known)
    if len(known) < len(values) or total <= 0:
        return None
    squares = sum(value**2 for value in known)
    return Evenness(max(known) * len(known) / total, total**2 / (len(known) * squares))


def server_shares_chart(data: ServerSharesData) -> go.Figure:
    """Draw each server's share of the requests above its utilisation."""
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.08)
    figure.add_bar(
        x=data.servers,
        y=[100 * share for share in data.shares],
        customdata=data.requests,
        marker_color=theme.BLUE,
        hovertemplate="%{x}: %{y:.2f} % (%{customdata:,} requests)<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_bar(
        x=data.servers,
        y=[None if one is None else 100 * one for one in data.utilisations],
        marker_color=theme.ORANGE,
        hovertemplate="%{x}: %{y:.1f} % busy<extra></extra>",
        row=2,
        col=1,
    )
    even = {"color": theme.GREY, "dash": "dot", "width": 1.5}
    figure.add_hline(y=100 / len(data.servers), line=even, row=1, col=1)
    figure.update_yaxes(title="requests (%)", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="slots busy (%)", range=[0, 100], row=2, col=1)
    few = len(data.servers) <= _NAMED
    figure.update_xaxes(
        title=None if few else f"{len(data.servers)} servers", showticklabels=few, row=2, col=1
    )
    figure.update_layout(showlegend=False, bargap=0.3 if few else 0.0)
    return theme.styled(figure, height=380)
