"""The glue: one function for each thing that a user does."""

from workbench.workflows.alert_views import AdviceView, AlertCheckView, AlertLintView, BacktestView
from workbench.workflows.alerting import check_rules, export_rules, lint_rules
from workbench.workflows.backtesting import Wanted, advise_rule, backtest_drill, backtest_runs
from workbench.workflows.comparing import compare_strategies
from workbench.workflows.demo import demo_scenarios
from workbench.workflows.explaining import ExplanationView, explain
from workbench.workflows.picking import PicksView, StrategiesView, list_strategies, show_picks
from workbench.workflows.replaying import ReplayView, replay
from workbench.workflows.results import ComparisonView, RunsView, RunView, View
from workbench.workflows.running import list_runs, run, show_run
from workbench.workflows.schemas import FORMS, json_schema
from workbench.workflows.serving import serve_dashboard

__all__ = [
    "FORMS",
    "AdviceView",
    "AlertCheckView",
    "AlertLintView",
    "BacktestView",
    "ComparisonView",
    "ExplanationView",
    "PicksView",
    "ReplayView",
    "RunView",
    "RunsView",
    "StrategiesView",
    "View",
    "Wanted",
    "advise_rule",
    "backtest_drill",
    "backtest_runs",
    "check_rules",
    "compare_strategies",
    "demo_scenarios",
    "explain",
    "export_rules",
    "json_schema",
    "lint_rules",
    "list_runs",
    "list_strategies",
    "replay",
    "run",
    "serve_dashboard",
    "show_picks",
    "show_run",
]
