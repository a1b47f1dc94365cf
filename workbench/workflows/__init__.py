"""The glue: one function for each thing that a user does."""

from workbench.workflows.comparing import compare_strategies
from workbench.workflows.demo import demo_scenarios
from workbench.workflows.explaining import ExplanationView, explain
from workbench.workflows.picking import PicksView, StrategiesView, list_strategies, show_picks
from workbench.workflows.recording import RecordingView, record
from workbench.workflows.replaying import ReplayView, replay
from workbench.workflows.results import ComparisonView, RunsView, RunView, View
from workbench.workflows.running import list_runs, run, show_run
from workbench.workflows.schemas import FORMS, json_schema
from workbench.workflows.serving import serve_dashboard

__all__ = [
    "FORMS",
    "ComparisonView",
    "ExplanationView",
    "PicksView",
    "RecordingView",
    "ReplayView",
    "RunView",
    "RunsView",
    "StrategiesView",
    "View",
    "compare_strategies",
    "demo_scenarios",
    "explain",
    "json_schema",
    "list_runs",
    "list_strategies",
    "record",
    "replay",
    "run",
    "serve_dashboard",
    "show_picks",
    "show_run",
]
