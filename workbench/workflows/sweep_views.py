"""What sweeps say, in the form that every face of the workbench shows."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.experiments.manifest import Manifest
from workbench.experiments.sweeps import SweepMeasure
from workbench.quantities import format_duration
from workbench.workflows.results import Number, View


class SweepDecisionView(BaseModel):
    """How one decision stands at one circumstance; in the unit of the measure."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    decision: str
    options: dict[str, str]
    """What was decided, by parameter."""
    numbers: dict[str, Number]
    """The same as numbers, where they are."""
    value: Number
    low: Number
    high: Number
    difference: Number
    difference_low: Number
    difference_high: Number
    verdict: str
    holds: bool | None
    """Whether its whole interval lies below the target; null without one."""
    values: list[Number]
    """The measure in each replication."""
    figures: dict[str, Number]
    """Every measure, mean over the replications."""


class SweepPlaceView(BaseModel):
    """One circumstance with the decisions tried there, the best first."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    place: str
    options: dict[str, str]
    """The circumstances, by parameter."""
    numbers: dict[str, Number]
    """The same as numbers, where they are."""
    best: str | None
    not_told_apart: list[str]
    least: str | None
    """With a target: the first decision, in the order of the document, that surely holds it."""
    decisions: list[SweepDecisionView]
    missing: int
    """Cells that are not there yet."""


class MeasureView(BaseModel):
    """What a figure of a sweep is."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    label: str
    unit: Literal["duration", "share", "number"]
    """`duration` is in seconds."""


class SweepView(View):
    """What a sweep says."""

    schema_: Literal["workbench.sweep_result/1"] = Field("workbench.sweep_result/1", alias="schema")
    name: str
    sweep_id: str
    """Its name as files and commands have it."""
    question: str
    description: str
    lake: str
    scenario: str
    parameters: dict[str, list[str]]
    """What was varied, with the values that were tried, in order."""
    decide: list[str]
    """Parameters that are ours to choose."""
    measure: str
    measure_label: str
    measures: dict[str, MeasureView]
    """What every figure is."""
    target: Number
    level: float
    replications: int
    places: list[SweepPlaceView]
    cells: int
    reused: int
    """Cells that were there already."""
    simulated: int
    """Cells that were simulated for this."""
    answer: str
    notes: list[str]
    manifest: Manifest

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        measure = self.measure.replace("_", " ", 1).replace("_", ".")
        if len(self.places) == 1:
            return ["decision", measure, "vs best", *self._target_heading(), "verdict"]
        return ["circumstance", "best", measure, *self._target_heading(), "not told apart"]

    def _target_heading(self) -> list[str]:
        if self.target is None:
            return []
        limit = SweepMeasure(self.measure).shown(self.target)
        return [f"holds {limit}" if len(self.places) == 1 else f"first with {limit}"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        if len(self.places) == 1:
            return [self._decision_row(one) for one in self.places[0].decisions]
        return [self._place_row(place) for place in self.places]

    def _decision_row(self, one: SweepDecisionView) -> list[str]:
        apart = (
            "" if one.verdict in ("best", "same", "no answer") else self._shown(one.difference, signed=True)
        )
        holds = [] if self.target is None else ["yes" if one.holds else "no"]
        return [one.decision, self._interval(one), apart, *holds, one.verdict]

    def _place_row(self, place: SweepPlaceView) -> list[str]:
        best = next((one for one in place.decisions if one.verdict == "best"), None)
        least = [] if self.target is None else [place.least or "none"]
        value = self._interval(best) if best is not None else f"{place.missing} cells missing"
        close = place.not_told_apart
        also = ", ".join(close) if len(close) <= 3 else f"{', '.join(close[:2])} and {len(close) - 2} more"
        return [place.place, place.best or "-", value, *least, also]

    def _interval(self, one: SweepDecisionView) -> str:
        return f"{self._shown(one.value)} ({self._shown(one.low)} – {self._shown(one.high)})"

    def _shown(self, value: float | None, *, signed: bool = False) -> str:
        text = SweepMeasure(self.measure).shown(value)
        return f"+{text}" if signed and value is not None and value >= 0 else text

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"sweep {self.sweep_id}: {self.question or self.name} ({self.measure_label}; in brackets "
            f"{100 * self.level:.0f} % intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        ours = self.manifest
        run = f"; {format_duration(ours.elapsed_s)} on {ours.executor}" if self.simulated else ""
        return [
            f"answer: {self.answer}",
            f"{self.cells:,} cells: {self.reused:,} reused, {self.simulated:,} simulated{run}",
            f"less is better; {self.replications} replications, the same requests for all; intervals of the "
            f"differences hold together at each circumstance at {self.level:.0%} (Bonferroni)",
            *([f"results {ours.digest[:16]}"] if ours.digest else []),
            *(f"note: {note}" for note in self.notes),
        ]


class SweepPlanView(View):
    """What a sweep would do."""

    schema_: Literal["workbench.sweep_plan/1"] = Field("workbench.sweep_plan/1", alias="schema")
    name: str
    sweep_id: str
    question: str
    lake: str
    points: int
    replications: int
    cells: int
    reused: int
    """Cells that are there already."""
    to_run: int
    requests: Number
    """Requests to simulate, about; null where that is not known."""
    seconds: float
    """How long it will take, about."""
    executor: str
    workers: int

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["points", "replications", "cells", "reused", "to run", "about"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        counts = (self.points, self.replications, self.cells, self.reused, self.to_run)
        return [[*(f"{count:,}" for count in counts), format_duration(self.seconds)]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"sweep {self.sweep_id}: {self.question or self.name}"

    def line(self) -> str:
        """Say it in a line, before it begins."""
        much = f", {self.requests:,.0f} requests" if self.requests is not None else ""
        return (
            f"{self.reused:,} reused, {self.to_run:,} to run{much}, about {format_duration(self.seconds)} "
            f"on {self.executor} ({self.workers} at once)"
        )


class SweepLine(BaseModel):
    """One sweep in a list."""

    model_config = ConfigDict(frozen=True)

    sweep_id: str
    name: str
    question: str
    state: str
    cells: int
    started: datetime
    answer: str


class SweepsView(View):
    """The sweeps of a lake, the newest first."""

    schema_: Literal["workbench.sweeps/1"] = Field("workbench.sweeps/1", alias="schema")
    lake: str
    sweeps: list[SweepLine]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["sweep", "state", "cells", "started", "answer"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [one.sweep_id, one.state, f"{one.cells:,}", f"{one.started:%Y-%m-%d %H:%M}", one.answer]
            for one in self.sweeps
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.sweeps)} sweeps in {self.lake}"
