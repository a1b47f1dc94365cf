"""Workbench for load-balancing decisions.

    import workbench as wb

    wb.run("simulations/mm1.yaml")
    wb.compare("simulations/azure_conversation.yaml", strategies=["round_robin", "power_of_two"])

What a name needs is imported when the name is first used, so that `import workbench` is quick.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.settings import Settings, load_settings
    from workbench.simulate import STRATEGIES, Scenario, Strategy, load_scenario
    from workbench.store import Store
    from workbench.workflows import (
        advise_rule,
        ask,
        backtest_drill,
        command,
        estimate,
        explain,
        figure,
        live,
        lives,
        plan,
        replay,
        run,
        start_live,
    )
    from workbench.workflows import apply_configuration as apply_configuration
    from workbench.workflows import change_configuration as change_configuration
    from workbench.workflows import collect as collect
    from workbench.workflows import compare_strategies as compare
    from workbench.workflows import list_runs as runs
    from workbench.workflows import list_strategies as strategies
    from workbench.workflows import list_sweeps as sweeps
    from workbench.workflows import plan_configuration as plan_configuration
    from workbench.workflows import select_best as select
    from workbench.workflows import show_configuration as configuration
    from workbench.workflows import show_metrics as metrics
    from workbench.workflows import show_picks as picks
    from workbench.workflows import show_run as show
    from workbench.workflows import show_sweep as show_sweep
    from workbench.workflows import sql as sql
    from workbench.workflows import sweep as sweep
    from workbench.workflows.deciding import find_thresholds
    from workbench.workflows.reconciling import evaluate_reconciliation, match_ledgers, train_reconciliation

__version__ = version("balancer-workbench")

_HOMES = {
    "STRATEGIES": ("workbench.simulate", "STRATEGIES"),
    "Scenario": ("workbench.simulate", "Scenario"),
    "Settings": ("workbench.settings", "Settings"),
    "Store": ("workbench.store", "Store"),
    "Strategy": ("workbench.simulate", "Strategy"),
    "advise_rule": ("workbench.workflows", "advise_rule"),
    "apply_configuration": ("workbench.workflows", "apply_configuration"),
    "ask": ("workbench.workflows", "ask"),
    "backtest_drill": ("workbench.workflows", "backtest_drill"),
    "change_configuration": ("workbench.workflows", "change_configuration"),
    "collect": ("workbench.workflows", "collect"),
    "command": ("workbench.workflows", "command"),
    "compare": ("workbench.workflows", "compare_strategies"),
    "configuration": ("workbench.workflows", "show_configuration"),
    "estimate": ("workbench.workflows", "estimate"),
    "evaluate_reconciliation": ("workbench.workflows.reconciling", "evaluate_reconciliation"),
    "explain": ("workbench.workflows", "explain"),
    "figure": ("workbench.workflows", "figure"),
    "find_thresholds": ("workbench.workflows.deciding", "find_thresholds"),
    "live": ("workbench.workflows", "live"),
    "lives": ("workbench.workflows", "lives"),
    "load_scenario": ("workbench.simulate", "load_scenario"),
    "load_settings": ("workbench.settings", "load_settings"),
    "match_ledgers": ("workbench.workflows.reconciling", "match_ledgers"),
    "metrics": ("workbench.workflows", "show_metrics"),
    "picks": ("workbench.workflows", "show_picks"),
    "plan": ("workbench.workflows", "plan"),
    "plan_configuration": ("workbench.workflows", "plan_configuration"),
    "replay": ("workbench.workflows", "replay"),
    "run": ("workbench.workflows", "run"),
    "runs": ("workbench.workflows", "list_runs"),
    "select": ("workbench.workflows", "select_best"),
    "show": ("workbench.workflows", "show_run"),
    "show_sweep": ("workbench.workflows", "show_sweep"),
    "sql": ("workbench.workflows", "sql"),
    "start_live": ("workbench.workflows", "start_live"),
    "strategies": ("workbench.workflows", "list_strategies"),
    "sweep": ("workbench.workflows", "sweep"),
    "sweeps": ("workbench.workflows", "list_sweeps"),
    "train_reconciliation": ("workbench.workflows.reconciling", "train_reconciliation"),
}

__all__ = [
    "STRATEGIES",
    "Scenario",
    "Settings",
    "Store",
    "Strategy",
    "advise_rule",
    "apply_configuration",
    "ask",
    "backtest_drill",
    "change_configuration",
    "collect",
    "command",
    "compare",
    "configuration",
    "estimate",
    "evaluate_reconciliation",
    "explain",
    "figure",
    "find_thresholds",
    "live",
    "lives",
    "load_scenario",
    "load_settings",
    "match_ledgers",
    "metrics",
    "picks",
    "plan",
    "plan_configuration",
    "replay",
    "run",
    "runs",
    "select",
    "show",
    "show_sweep",
    "sql",
    "start_live",
    "strategies",
    "sweep",
    "sweeps",
    "train_reconciliation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
