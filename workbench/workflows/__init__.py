"""The glue: one function for each thing that a user does."""

from workbench.workflows.alert_views import AdviceView, AlertCheckView, AlertLintView, BacktestView
from workbench.workflows.alerting import check_rules, export_rules, lint_rules
from workbench.workflows.asking import ask
from workbench.workflows.backtesting import Wanted, advise_rule, backtest_drill, backtest_runs
from workbench.workflows.comparing import compare_strategies
from workbench.workflows.demo import demo_scenarios
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
from workbench.workflows.live_views import CommandsView, LivesView, LiveView
from workbench.workflows.living import command, live, live_commands, lives, resume_live, show_live, start_live
from workbench.workflows.notification_views import AlertsRunView, AlertTestView, ReceiversView
from workbench.workflows.notifying import run_alerts
from workbench.workflows.picking import PicksView, StrategiesView, list_strategies, show_picks
from workbench.workflows.recording import RecordingView, record
from workbench.workflows.replaying import ReplayView, replay
from workbench.workflows.results import ComparisonView, RunsView, RunView, View
from workbench.workflows.running import list_runs, run, show_run
from workbench.workflows.schemas import FORMS, json_schema
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
from workbench.workflows.trying import show_receivers, try_channels

__all__ = [
    "FORMS",
    "ActionsView",
    "AdviceView",
    "AlertCheckView",
    "AlertHistoryView",
    "AlertLintView",
    "AlertTestView",
    "AlertsRunView",
    "AlertsView",
    "BacktestView",
    "CommandsView",
    "ComparisonView",
    "ExplanationView",
    "FindingsView",
    "InventoryView",
    "LettersView",
    "LiveView",
    "LivesView",
    "MarkedView",
    "PicksView",
    "ReceiversView",
    "RecordingView",
    "ReplayView",
    "RowsView",
    "RunView",
    "RunsView",
    "SilencesView",
    "StrategiesView",
    "View",
    "Wanted",
    "active_alerts",
    "advise_rule",
    "alert_history",
    "ask",
    "backtest_drill",
    "backtest_runs",
    "check_rules",
    "collect_store",
    "command",
    "compact_store",
    "compare_strategies",
    "demo_scenarios",
    "end_silence",
    "explain",
    "export_rules",
    "export_store",
    "figure",
    "import_store",
    "json_schema",
    "lint_rules",
    "list_letters",
    "list_runs",
    "list_silences",
    "list_strategies",
    "live",
    "live_commands",
    "lives",
    "mark_alerts",
    "migrate_store",
    "publish_store",
    "record",
    "replay",
    "resume_live",
    "run",
    "run_alerts",
    "serve_dashboard",
    "show_live",
    "show_picks",
    "show_receivers",
    "show_run",
    "silence_alerts",
    "sql",
    "start_live",
    "store_dictionary",
    "store_info",
    "try_channels",
    "tune_store",
    "verify_store",
    "write_rows",
]
