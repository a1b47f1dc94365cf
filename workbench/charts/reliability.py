"""Whether confidences mean what they say: the reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme


@dataclass(frozen=True)
class ReliabilityPoint:
    """Proposals of like confidence: their mean confidence, the share right with its interval, how many."""

    confidence: float
    right: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class ReliabilityData:
    """A reliability diagram, by rising confidence."""

    points: tuple[ReliabilityPoint, ...]


def reliability_data(points: Sequence[ReliabilityPoint]) -> ReliabilityData | None:
    """Lay out a diagram; None where nothing is labelled."""
    return ReliabilityData(tuple(sorted(points, key=lambda one: one.confidence))) if points else None


def reliability_chart(data: ReliabilityData) -> go.Figure:
    """Draw the share right over the confidence; on the dotted line the two are the same."""
    points = data.points
    figure = go.Figure()
    line = {"color": theme.GREY, "dash": "dot", "width": 1.5}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=[one.confidence for one in points],
        y=[one.right for one in points],
        error_y={
            "array": [one.high - one.right for one in points],
            "arrayminus": [one.right - one.low for one in points],
            "color": theme.BLUE,
            "thickness": 1,
        },
        customdata=[[one.count, one.low, one.high] for one in points],
        mode="markers",
        marker={"color": theme.BLUE, "size": 9},
        hovertemplate=(
            "confidence %{x:.4f}: %{y:.4f} right (%{customdata[1]:.4f} to %{customdata[2]:.4f}), "
            "%{customdata[0]:,} proposals<extra></extra>"
        ),
    )
    figure.update_xaxes(title="confidence", range=[-0.02, 1.02])
    figure.update_yaxes(title="share right", range=[-0.02, 1.02])
    figure.update_layout(showlegend=False)
    return theme.styled(figure, height=400)
