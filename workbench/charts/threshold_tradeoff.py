"""What a threshold costs and brings: false alarms a day against the delay until an incident is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.charts import theme
from workbench.quantities import format_duration


@dataclass(frozen=True)
class ThresholdPoint:
    """One threshold.

    Args:
        threshold: what the signal is held against.
        false_per_day: false alarms a day.
        false_high: upper end of its 95 % interval; None where it has none.
        recall: share of the incidents that were detected, 0 to 1; None where there were none.
        delay_s: median delay, seconds; None where most were missed.
    """

    threshold: float
    false_per_day: float | None
    false_high: float | None
    recall: float | None
    delay_s: float | None


@dataclass(frozen=True)
class ThresholdTradeoffData:
    """Thresholds with what each would have done.

    Args:
        points: by rising threshold.
        chosen: the threshold that is being considered.
        present: the one that the rule has.
    """

    points: tuple[ThresholdPoint, ...]
    chosen: float
    present: float


def threshold_tradeoff_data(
    points: Sequence[ThresholdPoint], *, chosen: float, present: float
) -> ThresholdTradeoffData:
    """Lay out thresholds in rising order."""
    return ThresholdTradeoffData(tuple(sorted(points, key=lambda one: one.threshold)), chosen, present)


def threshold_tradeoff_chart(data: ThresholdTradeoffData) -> go.Figure:
    """Draw false alarms, recall and delay over the threshold; the chosen one is a line."""
    figure = make_subplots(rows=3, shared_xaxes=True, vertical_spacing=0.06)
    thresholds = [one.threshold for one in data.points]
    rows: list[tuple[list[float | None], str, str, str]] = [
        ([one.false_per_day for one in data.points], "false alarms a day", theme.ORANGE, "%{y:.3g} a day"),
        (
            [None if one.recall is None else 100 * one.recall for one in data.points],
            "detected (%)",
            theme.GREEN,
            "%{y:.3g} % detected",
        ),
        ([one.delay_s for one in data.points], "delay, median", theme.BLUE, "noticed after %{customdata}"),
    ]
    for place, (values, title, color, hover) in enumerate(rows, start=1):
        figure.add_scatter(
            x=thresholds,
            y=values,
            customdata=["–" if one.delay_s is None else format_duration(one.delay_s) for one in data.points],
            mode="lines+markers",
            line={"color": color, "width": theme.LINE_WIDTH},
            marker={"size": 5},
            hovertemplate=f"threshold %{{x:.4g}}: {hover}<extra></extra>",
            row=place,
            col=1,
        )
        figure.update_yaxes(title=title, rangemode="tozero", row=place, col=1)
    delays = [one.delay_s for one in data.points if one.delay_s is not None]
    if delays:
        ticks = theme.even_ticks(0.0, max(delays))
        figure.update_yaxes(tickvals=ticks, ticktext=[format_duration(tick) for tick in ticks], row=3, col=1)
    figure.add_vline(x=data.present, line={"color": theme.GREY, "dash": "dot", "width": 1.5})
    figure.add_vline(x=data.chosen, line={"color": theme.PURPLE, "width": theme.LINE_WIDTH})
    figure.update_xaxes(title="threshold", row=3, col=1)
    figure.update_layout(showlegend=False)
    return theme.styled(figure, height=460)
