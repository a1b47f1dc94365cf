"""Whatever changes something goes through the one place that knows who may."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.dashboard

DASHBOARD = Path(workbench.dashboard.__file__).parent
FILES = sorted(file for part in ("rooms", "sections") for file in (DASHBOARD / part).glob("[!_]*.py"))

READS = {
    *("active_alerts", "alert_history", "list_letters", "list_silences", "show_receivers", "store_info"),
    *("check_rules", "show_metrics", "check_simulated", "watched_servers", "explain", "sql", "write_rows"),
    *("list_jobs", "show_job", "scenario_files", "check_scenario", "estimate", "list_sweeps", "plan_sweep"),
    *("show_sweep", "rule_course", "rule_files", "threshold_rules", "drill_files", "drill_ground"),
    *("run_ground", "edited_rules", "interval_of", "present_threshold", "try_threshold"),
    *("label_files", "plan_files", "proposal_curves", "proposals_file", "explain_match", "list_cases"),
    *("review_status", "find_thresholds", "watch_proposals", "show_configuration", "configuration_text"),
    *("show_present", "newest_watched", "watched_runs", "run_of_job"),
    *("configuration_history", "list_configurations", "read_configuration", "export_configuration"),
}
"""Workflows that change nothing, and so may be called by a section itself."""
CHANGING_ARGUMENTS = {"apply", "send_again"}
"""With these arguments a workflow of those changes something nevertheless."""


def workflows_of(tree: ast.Module) -> tuple[dict[str, str], set[str]]:
    """Name the functions of workflows that a module imports, by what it calls them, and the modules."""
    functions: dict[str, str] = {}
    modules: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        names = {alias.asname or alias.name: alias.name for alias in node.names}
        if node.module == "workbench" and "workflows" in names.values():
            modules |= {called for called, name in names.items() if name == "workflows"}
        elif (node.module or "").startswith("workbench.workflows"):
            inside = Path(workbench.__file__).parent / "workflows"
            modules |= {called for called, name in names.items() if (inside / f"{name}.py").is_file()}
            functions |= {called: name for called, name in names.items() if name[:1].islower()}
    return functions, modules


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Give the calls of workflows with the names of these."""
    functions, modules = workflows_of(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in functions:
                yield functions[name], node
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
                yield name, node


def changing(tree: ast.Module) -> list[str]:
    """List the calls of a module that change something without asking."""
    found = []
    for name, call in calls(tree):
        given = {one.arg for one in call.keywords if not _is_false(one.value)}
        if name not in READS or given & CHANGING_ARGUMENTS:
            found.append(f"line {call.lineno}: {name}")
        voids = next((one.value for one in call.keywords if one.arg == "void"), None)
        if name == "watch_proposals" and not _is_false(voids):
            found.append(f"line {call.lineno}: {name} with void")
    return found


def _is_false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_section_changes_nothing_but_by_asking_who_may(file: Path):
    """A workflow that only reads is added to READS; one that changes is called by `roles.operate`."""
    assert changing(ast.parse(file.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "from workbench.workflows.jobs import start_job\nstart_job([])",
        "from workbench.workflows.jobs import start_job as begin\nbegin([])",
        "from workbench.workflows import jobs\njobs.cancel_job(1)",
        "from workbench import workflows\nworkflows.silence_alerts([], seconds=1)",
        "from workbench import workflows\nworkflows.list_letters(send_again=[])",
        "from workbench.workflows.deciding import find_thresholds\nfind_thresholds(x, apply=True)",
        "from workbench.workflows.watching import watch_proposals\nwatch_proposals(x)",
    ],
)
def test_what_would_change_something_is_found(text: str):
    assert len(changing(ast.parse(text))) == 1
