"""What each replication measured: a strip of marks for each strategy."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.standings import MARKS, Standings
from workbench.quantities import format_duration


@dataclass(frozen=True)
class Strip:
    """The replications of one strategy that have a value: their numbers, runs and values in seconds."""

    strategy: str
    verdict: str
    replications: tuple[int, ...]
    run_ids: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class ReplicationsData:
    """What each replication measured.

    Args:
        measure: what was measured, in words.
        resampled: whether replication 0 is a trace as recorded and the others resamples of it.
        strips: one a strategy, in order.
    """

    measure: str
    resampled: bool
    strips: tuple[Strip, ...]


def replications_data(standings: Standings) -> ReplicationsData:
    """Lay out the values of all replications."""
    strips = []
    for row in standings.rows:
        known = [
            (number, run_id, value)
            for number, (run_id, value) in enumerate(zip(row.run_ids, row.values, strict=True))
            if value is not None
        ]
        numbers, run_ids, values = zip(*known, strict=True) if known else ((), (), ())
        strips.append(Strip(row.strategy, row.verdict, numbers, run_ids, values))
    return ReplicationsData(standings.measure, standings.resampled, tuple(strips))


def replications_chart(data: ReplicationsData) -> go.Figure:
    """Draw strips, the first strategy on top; a trace as recorded is a full diamond."""
    figure = go.Figure()
    for strip in data.strips:
        recorded = [data.resampled and number == 0 for number in strip.replications]
        figure.add_scatter(
            x=strip.values,
            y=[strip.strategy] * len(strip.values),
            mode="markers",
            marker={
                "color": MARKS[strip.verdict][0],
                "symbol": ["diamond" if one else "line-ns-open" for one in recorded],
                "size": [11 if one else 14 for one in recorded],
                "line": {"width": 2},
            },
            customdata=[
                f"{'as recorded' if one else f'replication {number}'}, run {run_id}: {format_duration(value)}"
                for one, number, run_id, value in zip(
                    recorded, strip.replications, strip.run_ids, strip.values, strict=True
                )
            ],
            hovertemplate=f"{strip.strategy}, %{{customdata}}<extra></extra>",
        )
    values = [value for strip in data.strips for value in strip.values]
    if values:
        figure.update_xaxes(theme.duration_axis(data.measure, min(values), max(values)))
    return theme.by_strategy(figure, [strip.strategy for strip in data.strips])
