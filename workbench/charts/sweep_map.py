"""A sweep as a map: decisions by circumstances, coloured by how far each is from the best there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import theme
from workbench.charts.sweep_results import SweepResults

_SIGNS = {"best": "◆", "same": "◇", "not told apart": "≈", "bound": "◁", "no answer": "–"}
_MOST_RATIO = 10.0
"""Ratio to the best from which the colour does not change any more."""


@dataclass(frozen=True)
class SweepMapData:
    """What is drawn.

    Args:
        measure: in words.
        places: circumstances, from left to right.
        decisions: from top to bottom.
        ratios: of each decision's row the ratio to the best of each circumstance; None where there is none.
        texts: what stands in each field: the value and a sign of the verdict.
        notes: what is told of each field where the pointer is.
    """

    measure: str
    places: tuple[str, ...]
    decisions: tuple[str, ...]
    ratios: tuple[tuple[float | None, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    notes: tuple[tuple[str, ...], ...]


def sweep_map_data(sweep: SweepResults) -> SweepMapData:
    """Lay out a sweep as a map."""
    fields = {(place.place, one.decision): one for place in sweep.places for one in place.decisions}
    best = {place.place: place.best for place in sweep.places}
    ratios, texts, notes = [], [], []
    for decision in sweep.decisions:
        row_ratios: list[float | None] = []
        row_texts, row_notes = [], []
        for place in sweep.places:
            one, least = fields.get((place.place, decision)), best[place.place]
            value = None if one is None else one.value
            first = None if least is None else least.value
            row_ratios.append(value / first if value is not None and first else None)
            shown = sweep.figure.shown(value)
            sign = "" if one is None else _SIGNS.get(one.verdict, "")
            row_texts.append(f"{shown} {sign}".strip())
            row_notes.append("not tried here" if one is None else f"{shown}: {one.verdict}")
        ratios.append(tuple(row_ratios))
        texts.append(tuple(row_texts))
        notes.append(tuple(row_notes))
    places = tuple(place.place or "all" for place in sweep.places)
    return SweepMapData(
        sweep.figure.label, places, sweep.decisions, tuple(ratios), tuple(texts), tuple(notes)
    )


def sweep_map_chart(data: SweepMapData) -> go.Figure:
    """Draw the map; dark is the best, and signs say what is best or not told apart from it."""
    shown = [[None if ratio is None else _shade(ratio) for ratio in row] for row in data.ratios]
    ticks = [1.0, 1.5, 2.0, 5.0, _MOST_RATIO]
    few = len(data.places) * len(data.decisions) <= 300
    figure = go.Figure(
        go.Heatmap(
            x=list(data.places),
            y=list(data.decisions),
            z=shown,
            text=data.texts if few else None,
            texttemplate="%{text}" if few else None,
            customdata=data.notes,
            colorscale=theme.SCALE,
            zmin=0.0,
            zmax=_shade(_MOST_RATIO),
            xgap=1,
            ygap=1,
            hovertemplate=f"%{{y}} at %{{x}}<br>{data.measure} %{{customdata}}<extra></extra>",
            colorbar={
                "title": {"text": "by the best"},
                "tickvals": [_shade(tick) for tick in ticks],
                "ticktext": [f"× {tick:g}" for tick in ticks[:-1]] + [f"× {_MOST_RATIO:g} and more"],
            },
        )
    )
    figure.update_xaxes(type="category", side="top")
    figure.update_yaxes(type="category", autorange="reversed")
    return theme.styled(figure, height=120 + 34 * len(data.decisions))


def _shade(ratio: float) -> float:
    return math.log10(min(max(ratio, 1.0), _MOST_RATIO))
