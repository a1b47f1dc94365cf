"""JSON schemas: of scenario files, for editors, and of what the command line prints as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from workbench.alerts.receivers import Plan
from workbench.alerts.rules import RuleFile
from workbench.errors import NotFoundError, Problem
from workbench.experiments.sweeps import Sweep
from workbench.monitor.collection import Collection
from workbench.simulate import Scenario
from workbench.workflows.alert_views import AdviceView, AlertCheckView, AlertLintView, BacktestView
from workbench.workflows.application_view import ApplicationView
from workbench.workflows.collection_views import CollectionView, LooksView
from workbench.workflows.configuration_files import ExportedView, ImportedView
from workbench.workflows.configuration_plan_view import ConfigurationPlanView
from workbench.workflows.configuration_views import (
    ConfigurationDifferenceView,
    ConfigurationHistoryView,
    ConfigurationsView,
    ConfigurationView,
)
from workbench.workflows.decision_views import DifferenceView, HistoryView, VersionView
from workbench.workflows.drills import Drill
from workbench.workflows.estimate_views import EstimateView, PlanView, SelectionView
from workbench.workflows.explaining import ExplanationView
from workbench.workflows.handling_views import (
    AlertHistoryView,
    AlertsView,
    LettersView,
    MarkedView,
    SilencesView,
)
from workbench.workflows.live_views import CommandsView, LivesView, LiveView
from workbench.workflows.metric_views import MetricsView, WrittenView
from workbench.workflows.notification_views import AlertsRunView, AlertTestView, ReceiversView
from workbench.workflows.picking import PicksView, StrategiesView
from workbench.workflows.reconciliation_views import EvaluationView, EvidenceView, MatchView, TrainingView
from workbench.workflows.recording import RecordingView
from workbench.workflows.replaying import ReplayView
from workbench.workflows.results import ComparisonView, RunsView, RunView
from workbench.workflows.retraining_view import RetrainingView
from workbench.workflows.review_views import CasesView, CaseView, LabelsView, ReviewStatusView
from workbench.workflows.robustness import RobustnessView
from workbench.workflows.stored import ActionsView, FindingsView, InventoryView, RowsView
from workbench.workflows.sweep_report import SweepReportView
from workbench.workflows.sweep_views import SweepPlanView, SweepsView, SweepView
from workbench.workflows.threshold_views import DecidedView, ThresholdsView
from workbench.workflows.verifying import VerificationView
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
    "estimate": EstimateView,
    "plan": PlanView,
    "selection": SelectionView,
    "runs": RunsView,
    "sweep": Sweep,
    "sweep_plan": SweepPlanView,
    "sweep_result": SweepView,
    "sweeps": SweepsView,
    "sweep_report": SweepReportView,
    "verification": VerificationView,
    "robustness": RobustnessView,
    "picks": PicksView,
    "explanation": ExplanationView,
    "recording": RecordingView,
    "replay": ReplayView,
    "strategies": StrategiesView,
    "training": TrainingView,
    "matches": MatchView,
    "evaluation": EvaluationView,
    "evidence": EvidenceView,
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
    "configuration": ConfigurationView,
    "configurations": ConfigurationsView,
    "configuration_history": ConfigurationHistoryView,
    "configuration_difference": ConfigurationDifferenceView,
    "configuration_import": ImportedView,
    "configuration_export": ExportedView,
    "application": ApplicationView,
    "configuration_plan": ConfigurationPlanView,
    "rows": RowsView,
    "store": InventoryView,
    "findings": FindingsView,
    "actions": ActionsView,
    "demo": DemoView,
    "looks": LooksView,
    "collection": CollectionView,
    "metrics": MetricsView,
    "openmetrics": WrittenView,
    "collect": Collection,
    "rules": RuleFile,
    "drill": Drill,
    "alert_check": AlertCheckView,
    "alert_lint": AlertLintView,
    "backtest": BacktestView,
    "advice": AdviceView,
    "receivers": Plan,
    "alerts_run": AlertsRunView,
    "alert_test": AlertTestView,
    "alert_receivers": ReceiversView,
    "alerts": AlertsView,
    "alert_marks": MarkedView,
    "silences": SilencesView,
    "alert_history": AlertHistoryView,
    "letters": LettersView,
    "live": LiveView,
    "lives": LivesView,
    "live_commands": CommandsView,
    "error": ErrorView,
}
"""The forms by the names that `workbench schema` takes."""

DOCUMENTS = ("scenario", "rules", "drill", "receivers", "collect")
DOCUMENTS = ("scenario", "sweep", "rules", "drill", "receivers")
"""The forms of files that are read; the others are printed."""


def json_schema(form: str) -> dict[str, Any]:
    """Describe a form as JSON schema (draft 2020-12).

    Args:
        form: `scenario`, `sweep`, `rules` or `drill` for files that are read, else what is printed, such
            as `run` or `error`: a key of `FORMS`.

    Raises:
        NotFoundError: there is no such form.
    """
    if form not in FORMS:
        raise NotFoundError(f"schema: given {form!r}; allowed: {', '.join(FORMS)}")
    mode: Literal["validation", "serialization"] = "validation" if form in DOCUMENTS else "serialization"
    schema = TypeAdapter(FORMS[form]).json_schema(mode=mode)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
