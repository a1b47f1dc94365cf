"""How much can be accepted unseen at which precision, and where labels certify it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme


@dataclass(frozen=True)
class PrecisionPoint:
    """What accepting from a threshold on would do; shares 0 to 1, precision None without labels."""

    threshold: float
    accepted: float
    precision: float | None
    low: float | None
    high: float | None
    expected: float
    labels: int


@dataclass(frozen=True)
class AcceptedPrecisionData:
    """Share accepted against precision.

    Args:
        points: by rising share accepted.
        target: the precision that is promised; None where nothing is.
        certified: share accepted at the certified threshold; None where there is none.
        chosen: share accepted at the threshold that is being considered; None for none.
    """

    points: tuple[PrecisionPoint, ...]
    target: float | None
    certified: float | None
    chosen: float | None


def accepted_precision_data(
    points: Sequence[PrecisionPoint],
    *,
    target: float | None = None,
    certified: float | None = None,
    chosen: float | None = None,
) -> AcceptedPrecisionData:
    """Lay out a curve.

    Args:
        points: one a threshold.
        target: the precision that is promised.
        certified: the certified threshold.
        chosen: the threshold that is being considered.
    """
    ordered = tuple(sorted(points, key=lambda one: one.accepted))

    def share(threshold: float | None) -> float | None:
        if threshold is None:
            return None
        return max((one.accepted for one in ordered if one.threshold >= threshold), default=0.0)

    return AcceptedPrecisionData(ordered, target, share(certified), share(chosen))


def accepted_precision_chart(data: AcceptedPrecisionData) -> go.Figure:
    """Draw precision over the share accepted, with its band, what is promised and what is certified."""
    known = [one for one in data.points if one.precision is not None]
    figure = go.Figure()
    if known:
        shares = [100 * one.accepted for one in known]
        figure.add_scatter(
            x=[*shares, *reversed(shares)],
            y=[*(one.high for one in known), *(one.low for one in reversed(known))],
            fill="toself",
            fillcolor=theme.SHADE,
            line={"width": 0},
            hoverinfo="skip",
            name="95 % interval",
        )
        figure.add_scatter(
            x=shares,
            y=[one.precision for one in known],
            customdata=[[one.threshold, one.labels] for one in known],
            name="by labels",
            line={"color": theme.BLUE, "width": theme.LINE_WIDTH},
            hovertemplate=(
                "from %{customdata[0]:.5g} on: %{x:.2f} % accepted, precision %{y:.5f} by "
                "%{customdata[1]:,} labels<extra></extra>"
            ),
        )
    figure.add_scatter(
        x=[100 * one.accepted for one in data.points],
        y=[one.expected for one in data.points],
        name="by confidences",
        line={"color": theme.ORANGE, "dash": "dash", "width": theme.LINE_WIDTH},
        hovertemplate="%{x:.2f} % accepted: %{y:.5f} expected<extra></extra>",
    )
    grey = {"color": theme.GREY, "dash": "dot", "width": 1.5}
    if data.target is not None:
        figure.add_hline(y=data.target, line=grey, annotation_text=f"promised {data.target:g}")
    if data.certified is not None:
        line = {"color": theme.GREEN, "width": theme.LINE_WIDTH}
        figure.add_vline(x=100 * data.certified, line=line, annotation_text="certified up to here")
    if data.chosen is not None:
        figure.add_vline(x=100 * data.chosen, line={"color": theme.PURPLE, "width": theme.LINE_WIDTH})
    figure.update_xaxes(title="accepted unseen (%)", range=[0, 101])
    figure.update_yaxes(title="precision")
    return theme.styled(figure, height=400)
