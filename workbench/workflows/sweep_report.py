"""A sweep as one HTML file that needs nothing else: the question, the answer, plots, tables, manifest."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from workbench.charts import (
    best_map_chart,
    best_map_data,
    read_sweep,
    sweep_lines_chart,
    sweep_lines_data,
    sweep_map_chart,
    sweep_map_data,
)
from workbench.errors import InputError
from workbench.experiments.sweeps import Sweep, SweepMeasure
from workbench.settings import Settings, load_settings
from workbench.workflows.results import View
from workbench.workflows.sweep_views import SweepPlaceView, SweepView
from workbench.workflows.sweeping import open_sweep, show_sweep

_MOST_PLACES = 60
"""Circumstances whose decisions are all listed; of the others the best stands in the first table."""
_MOST_ROWS = 2000
_MOST_FIELDS = 3000
"""Fields of a map beyond which it is not drawn."""
_MOST_LINES = 30

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 70rem; margin: 2rem auto;
padding: 0 1rem }}
h1 {{ font-size: 1.5rem }} h2 {{ font-size: 1.15rem; margin-top: 2.2rem }} h3 {{ font-size: 1rem }}
.answer {{ border-left: 4px solid #2563EB; padding: .4rem 1rem; background: #f3f4f6 }}
table {{ border-collapse: collapse; font-size: 13px }} th, td {{ padding: .25rem .7rem; text-align: left;
border-bottom: 1px solid #e5e7eb; vertical-align: top }} td.n {{ text-align: right; white-space: nowrap }}
pre {{ background: #f3f4f6; padding: .7rem; overflow-x: auto; font-size: 12px }} .note {{ color: #92400e }}
</style></head><body>
{body}
</body></html>
"""


class SweepReportView(View):
    """A report that was written."""

    schema_: Literal["workbench.sweep_report/1"] = Field("workbench.sweep_report/1", alias="schema")
    sweep_id: str
    file: str
    bytes: int

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["file", "size"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[self.file, f"{self.bytes / 1e6:.1f} MB"]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"report of sweep {self.sweep_id}: open it in a browser, or send it"


def report_sweep(name: str, *, file: Path | None = None, settings: Settings | None = None) -> SweepReportView:
    """Write the report of a sweep as one HTML file, below 8 MB, that loads nothing from elsewhere.

    Args:
        name: the sweep's name, its `sweep_id` or the path of its file.
        file: where to; `SWEEP_ID.html` in the working folder by default.
        settings: where the lake is.

    Raises:
        NotFoundError: no such sweep was run.
        InputError: the file cannot be written.
    """
    settings = settings or load_settings()
    view = show_sweep(name, settings=settings)
    whole, _ = open_sweep(name, settings)
    page = sweep_page(view, whole.sweep)
    file = file or Path(f"{view.sweep_id}.html")
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"out: given {file}, which cannot be written ({error.strerror})") from None
    return SweepReportView(sweep_id=view.sweep_id, file=str(file), bytes=len(page.encode()))


def sweep_page(view: SweepView, sweep: Sweep) -> str:
    """Make the HTML page of a sweep."""
    body = "\n".join(_body(view, sweep))
    return _PAGE.format(title=html.escape(view.question or view.name), body=body)


def _body(view: SweepView, sweep: Sweep) -> Iterator[str]:
    text = html.escape
    yield f"<h1>{text(view.question or view.name)}</h1>"
    if view.description:
        yield f"<p>{text(view.description)}</p>"
    yield f'<p class="answer"><b>Answer.</b> {text(view.answer)}</p>'
    yield from (f'<p class="note">Note: {text(note)}</p>' for note in view.notes)
    yield "<h2>Plots</h2>"
    yield from _plots(view)
    yield "<h2>Circumstances</h2>"
    if len(view.places) > 1:
        rows = view.rows()
        yield _table(view.columns(), rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            yield f"<p>The first {_MOST_ROWS:,} of {len(rows):,}.</p>"
    for place in view.places[:_MOST_PLACES]:
        if place.place:
            yield f"<h3>{text(place.place)}</h3>"
        if place.decisions:
            yield _decisions(view, place)
        if place.missing:
            yield f"<p>{place.missing:,} cells are missing.</p>"
    if len(view.places) > _MOST_PLACES:
        yield f"<p>The decisions of the first {_MOST_PLACES} circumstances of {len(view.places):,}.</p>"
    yield "<h2>How it was found</h2>"
    yield f"<p>{text(_method(view))}</p>"
    yield _table(["", ""], _manifest_rows(view))
    yield "<h2>The sweep</h2>"
    yield f"<pre>{text(json.dumps(_document(sweep), indent=2))}</pre>"


def _plots(view: SweepView) -> Iterator[str]:
    results = read_sweep(view.model_dump(mode="json", by_alias=True))
    figures: list[Any] = []
    if len(results.places) * len(results.decisions) <= _MOST_FIELDS and results.decisions:
        figures.append(sweep_map_chart(sweep_map_data(results)))
    circumstances = [name for name in results.parameters if name not in results.decide]
    if (
        len(circumstances) == 2
        and max(len(results.parameters[name]) for name in circumstances) <= _MOST_LINES
    ):
        figures.append(best_map_chart(best_map_data(results, x=circumstances[0], y=circumstances[1])))
    lines = sweep_lines_data(results)
    if lines is not None and len(lines.lines) <= _MOST_LINES:
        figures.append(sweep_lines_chart(lines))
    for number, figure in enumerate(figures):
        yield figure.to_html(full_html=False, include_plotlyjs=number == 0, div_id=f"plot-{number}")
    if not figures:
        yield "<p>There is too much, or too little, to draw.</p>"


def _decisions(view: SweepView, place: SweepPlaceView) -> str:
    measure = SweepMeasure(view.measure)
    more = [one for one in SweepMeasure if one is not measure and one in _ALONGSIDE]
    headings = ["decision", view.measure_label, "interval", "difference to the best", "verdict"]
    rows = []
    for one in place.decisions:
        ends = [measure.shown(end) for end in (one.low, one.high, one.difference_low, one.difference_high)]
        apart = f"{measure.shown(one.difference)} ({ends[2]} to {ends[3]})"
        told = [one.decision, measure.shown(one.value), f"{ends[0]} to {ends[1]}"]
        told += ["" if one.verdict == "best" else apart, one.verdict]
        rows.append([*told, *(other.shown(one.figures[other.value]) for other in more)])
    return _table([*headings, *(other.label for other in more)], rows)


_ALONGSIDE = (
    SweepMeasure.RESPONSE_MEAN,
    SweepMeasure.RESPONSE_P99,
    SweepMeasure.FAILED,
    SweepMeasure.ATTEMPTS,
    SweepMeasure.UTILISATION,
)


def _method(view: SweepView) -> str:
    return (
        f"{view.cells:,} simulations: {view.replications} replications of each point, and all decisions at a "
        f"circumstance met the same requests (common random numbers). Less is better. Intervals hold with a "
        f"probability of {view.level:.0%}: those of a value by themselves, those of the differences to the "
        "best together at each circumstance (paired, Bonferroni). There is no correction over circumstances."
    )


def _manifest_rows(view: SweepView) -> list[list[str]]:
    ours = view.manifest
    git = "none" if ours.git is None else f"{ours.git.commit}{', with changes' if ours.git.changed else ''}"
    rows = {
        "sweep": view.sweep_id,
        "scenario": view.scenario,
        "begun": f"{ours.started:%Y-%m-%d %H:%M:%S} UTC",
        "ended": "not complete" if ours.ended is None else f"{ours.ended:%Y-%m-%d %H:%M:%S} UTC",
        "cells": f"{ours.cells:,}: {ours.reused:,} reused, {ours.simulated:,} simulated",
        "simulated by": f"{ours.executor}, {ours.workers} at once, {ours.elapsed_s:.1f} s",
        "machine": f"{ours.system}, {ours.processor}, {ours.processors} processors",
        "seed": str(ours.seed),
        "engine version": ours.engine_version,
        "versions": ", ".join(f"{name} {version}" for name, version in ours.versions.items()),
        "git": git,
        "inputs": ", ".join(f"{name} sha256:{value}" for name, value in ours.inputs.items()) or "none",
        "results": f"sha256:{ours.digest}" if ours.digest else "not complete",
        "check it": f"workbench verify {view.sweep_id}",
    }
    return [[name, value] for name, value in rows.items()]


def _document(sweep: Sweep) -> dict[str, Any]:
    return sweep.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(one)}</th>" for one in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
