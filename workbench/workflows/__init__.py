"""The glue: one function for each thing that a user does."""

from workbench.workflows.alert_views import AdviceView, AlertCheckView, AlertLintView, BacktestView
from workbench.workflows.alerting import check_rules, export_rules, lint_rules
from workbench.workflows.application_view import ApplicationView
from workbench.workflows.applying import apply_configuration, compare_with_target, recover_configuration
from workbench.workflows.asking import ask
from workbench.workflows.backtesting import Wanted, advise_rule, backtest_drill, backtest_runs
from workbench.workflows.collecting import collect, look_once
from workbench.workflows.collection_views import CollectionView, LooksView
from workbench.workflows.comparing import compare_strategies
from workbench.workflows.configuration_files import (
    ExportedView,
    ImportedView,
    export_configuration,
    import_configuration,
    read_configuration,
)
from workbench.workflows.configuration_plan_view import ConfigurationPlanView, EffectView
from workbench.workflows.configuration_plans import plan_configuration
from workbench.workflows.configuration_views import (
    ConfigurationDifferenceView,
    ConfigurationHistoryView,
    ConfigurationsView,
    ConfigurationView,
)
from workbench.workflows.configuring import (
    change_configuration,
    configuration_difference,
    configuration_history,
    configuration_text,
    list_configurations,
    roll_back_configuration,
    show_configuration,
)
from workbench.workflows.demo import demo_scenarios
from workbench.workflows.estimate_views import EstimateView, PlanView, SelectionView
from workbench.workflows.estimating import estimate
from workbench.workflows.explaining import ExplanationView, explain
from workbench.workflows.figures import figure
from workbench.workflows.handling import (
    active_alerts,
    alert_history,
    end_silence,
    list_letters,
    list_silences,
    mark_alerts,
    silence_alerts,
)
from workbench.workflows.handling_views import (
    AlertHistoryView,
    AlertsView,
    LettersView,
    MarkedView,
    SilencesView,
)
from workbench.workflows.live_target import LiveTarget
from workbench.workflows.live_views import CommandsView, LivesView, LiveView
from workbench.workflows.living import command, live, live_commands, lives, resume_live, show_live, start_live
from workbench.workflows.metric_views import MetricsView, WrittenView
from workbench.workflows.metrics import metric_definitions, metrics_text, show_metrics, write_openmetrics
from workbench.workflows.notification_views import AlertsRunView, AlertTestView, ReceiversView
from workbench.workflows.notifying import run_alerts
from workbench.workflows.picking import PicksView, StrategiesView, list_strategies, show_picks
from workbench.workflows.planning import plan
from workbench.workflows.precision import MOST
from workbench.workflows.recording import RecordingView, record
from workbench.workflows.replaying import ReplayView, replay
from workbench.workflows.results import ComparisonView, RunsView, RunView, View
from workbench.workflows.robustness import RobustnessView, robustness
from workbench.workflows.rolling_up import roll_up_samples
from workbench.workflows.running import list_runs, outlook, run, show_run
from workbench.workflows.schemas import FORMS, json_schema
from workbench.workflows.selecting import select_best
from workbench.workflows.serving import serve_dashboard
from workbench.workflows.stored import ActionsView, FindingsView, InventoryView, RowsView
from workbench.workflows.storing import (
    collect_store,
    compact_store,
    export_store,
    import_store,
    migrate_store,
    publish_store,
    sql,
    store_dictionary,
    store_info,
    tune_store,
    verify_store,
    write_rows,
)
from workbench.workflows.sweep_report import SweepReportView, report_sweep
from workbench.workflows.sweep_views import SweepPlanView, SweepsView, SweepView
from workbench.workflows.sweeping import list_sweeps, load_sweep, plan_sweep, show_sweep, sweep
from workbench.workflows.trying import show_receivers, try_channels
from workbench.workflows.verifying import VerificationView, verify_run

__all__ = [
    "FORMS",
    "MOST",
    "ActionsView",
    "AdviceView",
    "AlertCheckView",
    "AlertHistoryView",
    "AlertLintView",
    "AlertTestView",
    "AlertsRunView",
    "AlertsView",
    "ApplicationView",
    "BacktestView",
    "CollectionView",
    "CommandsView",
    "ComparisonView",
    "ConfigurationDifferenceView",
    "ConfigurationHistoryView",
    "ConfigurationPlanView",
    "ConfigurationView",
    "ConfigurationsView",
    "EffectView",
    "EstimateView",
    "ExplanationView",
    "ExportedView",
    "FindingsView",
    "ImportedView",
    "InventoryView",
    "LettersView",
    "LiveTarget",
    "LiveView",
    "LivesView",
    "LooksView",
    "MarkedView",
    "MetricsView",
    "PicksView",
    "PlanView",
    "ReceiversView",
    "RecordingView",
    "ReplayView",
    "RobustnessView",
    "RowsView",
    "RunView",
    "RunsView",
    "SelectionView",
    "SilencesView",
    "StrategiesView",
    "SweepPlanView",
    "SweepReportView",
    "SweepView",
    "SweepsView",
    "VerificationView",
    "View",
    "Wanted",
    "WrittenView",
    "active_alerts",
    "advise_rule",
    "alert_history",
    "apply_configuration",
    "ask",
    "backtest_drill",
    "backtest_runs",
    "change_configuration",
    "check_rules",
    "collect",
    "collect_store",
    "command",
    "compact_store",
    "compare_strategies",
    "compare_with_target",
    "configuration_difference",
    "configuration_history",
    "configuration_text",
    "demo_scenarios",
    "end_silence",
    "estimate",
    "explain",
    "export_configuration",
    "export_rules",
    "export_store",
    "figure",
    "import_configuration",
    "import_store",
    "json_schema",
    "lint_rules",
    "list_configurations",
    "list_letters",
    "list_runs",
    "list_silences",
    "list_strategies",
    "list_sweeps",
    "live",
    "live_commands",
    "lives",
    "load_sweep",
    "look_once",
    "mark_alerts",
    "metric_definitions",
    "metrics_text",
    "migrate_store",
    "outlook",
    "plan",
    "plan_configuration",
    "plan_sweep",
    "publish_store",
    "read_configuration",
    "record",
    "recover_configuration",
    "replay",
    "report_sweep",
    "resume_live",
    "robustness",
    "roll_back_configuration",
    "roll_up_samples",
    "run",
    "run_alerts",
    "select_best",
    "serve_dashboard",
    "show_configuration",
    "show_live",
    "show_metrics",
    "show_picks",
    "show_receivers",
    "show_run",
    "show_sweep",
    "silence_alerts",
    "sql",
    "start_live",
    "store_dictionary",
    "store_info",
    "sweep",
    "try_channels",
    "tune_store",
    "verify_run",
    "verify_store",
    "write_openmetrics",
    "write_rows",
]
