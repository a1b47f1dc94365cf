"""Making the views of sweeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from workbench.experiments import LEVEL
from workbench.experiments.designs import Option
from workbench.experiments.manifest import Manifest
from workbench.experiments.sweeps import Place, Point, Sweep, SweepMeasure, judge
from workbench.experiments.sweeps.answers import Judged
from workbench.settings import Settings
from workbench.workflows.sweep_plan import Plan
from workbench.workflows.sweep_views import (
    MeasureView,
    SweepDecisionView,
    SweepPlaceView,
    SweepPlanView,
    SweepView,
)


def slug_of(name: str) -> str:
    """Give a name as files and commands have it.

    >>> slug_of("How many servers?")
    'how-many-servers'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def plan_view(whole: Plan, settings: Settings, *, executor: str, workers: int) -> SweepPlanView:
    """Say what a sweep would do."""
    return SweepPlanView(
        name=whole.sweep.name,
        sweep_id=slug_of(whole.sweep.name),
        question=whole.sweep.question,
        lake=str(settings.lake.absolute()),
        points=len(whole.points),
        replications=whole.sweep.replications,
        cells=len(whole.cells),
        reused=len(whole.cells) - len(whole.missing),
        to_run=len(whole.missing),
        requests=whole.expected_requests(),
        seconds=whole.remaining(workers=workers) if whole.missing else 0.0,
        executor=executor,
        workers=workers,
    )


def sweep_view(whole: Plan, found: pa.Table, manifest: Manifest, settings: Settings) -> SweepView:
    """Say what the rows of the cells show."""
    wanted = whole.sweep
    rows: dict[int, list[dict[str, Any] | None]] = {}
    there = {row["key"]: row for row in found.to_pylist()}
    for cell in whole.cells:
        rows.setdefault(cell.point, []).append(there.get(cell.key))
    verdicts = judge(wanted, whole.points, rows)
    return SweepView(
        name=wanted.name,
        sweep_id=slug_of(wanted.name),
        question=wanted.question,
        description=wanted.description,
        lake=str(settings.lake.absolute()),
        scenario=wanted.scenario.name,
        parameters=_tried(wanted, whole.points),
        decide=wanted.decisions(),
        measure=wanted.measure.value,
        measure_label=wanted.measure.label,
        measures={one.value: MeasureView(label=one.label, unit=one.unit) for one in SweepMeasure},
        target=wanted.target,
        level=LEVEL,
        replications=wanted.replications,
        places=[_place_view(place) for place in verdicts.places],
        cells=len(whole.cells),
        reused=len(whole.cells) - len(whole.missing),
        simulated=len(whole.missing),
        answer=verdicts.answer,
        notes=list(verdicts.notes),
        manifest=manifest,
    )


def _tried(wanted: Sweep, places: Sequence[Point]) -> dict[str, list[str]]:
    found: dict[str, dict[str, float | None]] = {name: {} for name in wanted.parameters}
    for point in places:
        for name, option in point.options:
            found[name].setdefault(option.label, option.number)
    return {
        name: sorted(labels, key=lambda label: labels[label] or 0.0)
        if all(number is not None for number in labels.values())
        else list(labels)
        for name, labels in found.items()
    }


def _place_view(place: Place) -> SweepPlaceView:
    best, least = place.best, place.least
    return SweepPlaceView(
        place=place.label,
        options=_labels(place.options),
        numbers=_numbers(place.options),
        best=best.standing.strategy if best else None,
        not_told_apart=place.close,
        least=least.standing.strategy if least else None,
        decisions=[_decision_view(one) for one in place.judged],
        missing=place.missing,
    )


def _decision_view(one: Judged) -> SweepDecisionView:
    standing = one.standing
    return SweepDecisionView(
        decision=standing.strategy,
        options=_labels(one.options),
        numbers=_numbers(one.options),
        value=standing.measure.value,
        low=standing.measure.low,
        high=standing.measure.high,
        difference=standing.difference.value,
        difference_low=standing.difference.low,
        difference_high=standing.difference.high,
        verdict=standing.verdict.value,
        holds=one.holds,
        values=list(standing.values),
        figures={measure.value: value for measure, value in one.figures.items()},
    )


def _labels(options: Mapping[str, Option]) -> dict[str, str]:
    return {name: option.label for name, option in options.items()}


def _numbers(options: Mapping[str, Option]) -> dict[str, Any]:
    return {name: option.number for name, option in options.items() if option.number is not None}
