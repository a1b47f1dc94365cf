"""JSON schemas: of scenario files, for editors, and of what the command line prints as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from workbench.errors import NotFoundError, Problem
from workbench.simulate import Scenario
from workbench.workflows.decision_views import DifferenceView, HistoryView, VersionView
from workbench.workflows.explaining import ExplanationView
from workbench.workflows.picking import PicksView, StrategiesView
from workbench.workflows.recording import RecordingView
from workbench.workflows.replaying import ReplayView
from workbench.workflows.results import ComparisonView, RunsView, RunView
from workbench.workflows.retraining_view import RetrainingView
from workbench.workflows.review_views import CasesView, CaseView, LabelsView, ReviewStatusView
from workbench.workflows.threshold_views import DecidedView, ThresholdsView
from workbench.workflows.watch_view import WatchView


class DemoView(BaseModel):
    """What `workbench demo --json` prints."""

    model_config = ConfigDict(serialize_by_alias=True)

    schema_: Literal["workbench.demo/1"] = Field("workbench.demo/1", alias="schema")
    comparisons: list[ComparisonView]


class ErrorView(BaseModel):
    """What every command prints with `--json` when it cannot do what was asked."""

    model_config = ConfigDict(serialize_by_alias=True)

    schema_: Literal["workbench.error/1"] = Field("workbench.error/1", alias="schema")
    error: str
    problems: list[Problem]
    """The problems of a document, one by one."""


FORMS: Mapping[str, type[BaseModel]] = {
    "scenario": Scenario,
    "run": RunView,
    "comparison": ComparisonView,
    "runs": RunsView,
    "picks": PicksView,
    "explanation": ExplanationView,
    "recording": RecordingView,
    "replay": ReplayView,
    "strategies": StrategiesView,
    "thresholds": ThresholdsView,
    "decided": DecidedView,
    "watch": WatchView,
    "review_status": ReviewStatusView,
    "review_case": CaseView,
    "review_cases": CasesView,
    "review_labels": LabelsView,
    "retraining": RetrainingView,
    "decision_configuration": VersionView,
    "decision_history": HistoryView,
    "decision_difference": DifferenceView,
    "demo": DemoView,
    "error": ErrorView,
}
"""The forms by the names that `workbench schema` takes."""


def json_schema(form: str) -> dict[str, Any]:
    """Describe a form as JSON schema (draft 2020-12).

    Args:
        form: `scenario` for the files that are read, else what is printed: `run`, `comparison`,
            `runs`, `picks`, `explanation`, `replay`, `strategies`, `demo` or `error`.

    Raises:
        NotFoundError: there is no such form.
    """
    if form not in FORMS:
        raise NotFoundError(f"schema: given {form!r}; allowed: {', '.join(FORMS)}")
    mode: Literal["validation", "serialization"] = "validation" if form == "scenario" else "serialization"
    schema = TypeAdapter(FORMS[form]).json_schema(mode=mode)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
