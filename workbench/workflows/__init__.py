"""The glue: one function for each thing that a user does."""

from workbench.workflows.comparing import compare_strategies
from workbench.workflows.demo import demo_scenarios
from workbench.workflows.explaining import ExplanationView, explain
from workbench.workflows.picking import PicksView, StrategiesView, list_strategies, show_picks
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

__all__ = [
    "FORMS",
    "ActionsView",
    "ComparisonView",
    "ExplanationView",
    "FindingsView",
    "InventoryView",
    "PicksView",
    "ReplayView",
    "RowsView",
    "RunView",
    "RunsView",
    "StrategiesView",
    "View",
    "collect_store",
    "compact_store",
    "compare_strategies",
    "demo_scenarios",
    "explain",
    "export_store",
    "import_store",
    "json_schema",
    "list_runs",
    "list_strategies",
    "migrate_store",
    "publish_store",
    "replay",
    "run",
    "serve_dashboard",
    "show_picks",
    "show_run",
    "sql",
    "store_dictionary",
    "store_info",
    "tune_store",
    "verify_store",
    "write_rows",
]
