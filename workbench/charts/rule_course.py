"""What an alert rule saw: its signal over time, its threshold, and when it fired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.charts import theme

_FIRING = "rgba(214, 128, 9, 0.22)"
_DASHES = ("solid", "dash", "dot", "dashdot")
_MOST = 8
"""Series that are drawn; of more, those that come closest to firing."""


@dataclass(frozen=True, eq=False)
class RuleCourseData:
    """A rule over a run.

    Args:
        times_s: of the evaluations, seconds on the simulated clock.
        series: values by the series' labels, NaN where there are none; those nearest to firing.
        left_out: how many further series there are.
        threshold: what the signal is held against.
        clear_at: where the alert ends; None where that is the threshold.
        above: whether values above the threshold fire, or those below.
        firings: spans, from and to in seconds, in which an alert of the rule fired.
        signal: what is held against the threshold, in PromQL.
        length_s: length of the run.
    """

    times_s: tuple[float, ...]
    series: Mapping[str, NDArray[np.float64]]
    left_out: int
    threshold: float
    clear_at: float | None
    above: bool
    firings: tuple[tuple[float, float], ...]
    signal: str
    length_s: float


def rule_course_data(
    *,
    times_s: Sequence[float],
    series: Mapping[str, NDArray[np.float64]],
    threshold: float,
    clear_at: float | None,
    above: bool,
    firings: Sequence[tuple[float, float]],
    signal: str,
    length_s: float,
) -> RuleCourseData:
    """Lay out a rule's course, with the series that come closest to firing, or went furthest beyond."""

    def extreme(values: NDArray[np.float64]) -> float:
        known = values[~np.isnan(values)]
        if not len(known):
            return -np.inf
        return float(known.max()) if above else -float(known.min())

    order = sorted(series, key=lambda name: -extreme(series[name]))
    kept = {name: series[name] for name in order[:_MOST]}
    left_out = len(series) - len(kept)
    return RuleCourseData(
        tuple(times_s), kept, left_out, threshold, clear_at, above, tuple(firings), signal, length_s
    )


def rule_course_chart(data: RuleCourseData) -> go.Figure:
    """Draw the signal with its threshold; shaded where the rule fired."""
    unit = theme.clock_unit(data.length_s)
    figure = go.Figure()
    for place, (name, values) in enumerate(data.series.items()):
        figure.add_scatter(
            x=unit.scale(data.times_s),
            y=values,
            name=name or "all",
            line={
                "color": theme.SERIES[place % len(theme.SERIES)],
                "dash": _DASHES[(place // len(theme.SERIES)) % len(_DASHES)],
                "width": theme.LINE_WIDTH,
            },
            hovertemplate=f"{name or 'all'}: %{{y:.4g}}<extra></extra>",
        )
    for begin, end in data.firings:
        x0, x1 = unit.scale((begin, end))
        figure.add_vrect(x0=x0, x1=x1, fillcolor=_FIRING, line_width=0, layer="below")
    lines = {"threshold": data.threshold} | ({"clears": data.clear_at} if data.clear_at is not None else {})
    for label, value in lines.items():
        figure.add_hline(
            y=value,
            line={"color": theme.GREY, "dash": "dash" if label == "threshold" else "dot", "width": 1.5},
            annotation_text=f"{label} {value:.4g}",
            annotation_position="top left",
        )
    figure.update_xaxes(theme.clock_axis(unit) | {"range": [0, data.length_s / unit.seconds]})
    figure.update_yaxes(title="signal", rangemode="tozero")
    figure.update_layout(hovermode="x unified", showlegend=len(data.series) > 1)
    return theme.styled(figure, height=340)
