"""Pages stay thin: no SQL, no DuckDB, and few lines."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import workbench.dashboard
from workbench.dashboard import addresses

DASHBOARD = Path(workbench.dashboard.__file__).parent
PROJECT = DASHBOARD.parents[1]
ROOMS = sorted((DASHBOARD / "rooms").glob("[!_]*.py"))
MODULES = sorted(DASHBOARD.rglob("*.py"))
SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\b.+\bset|delete\s+from|create\s+(table|view))\b", re.I | re.S
)


def names(files: list[Path]) -> list[str]:
    return [str(file.relative_to(DASHBOARD)) for file in files]


@pytest.mark.parametrize("file", MODULES, ids=names(MODULES))
def test_no_module_imports_duckdb(file: Path):
    imported = {
        name
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name for name in imported if name.split(".")[0] in ("duckdb", "sqlite3")}


@pytest.mark.parametrize("file", MODULES, ids=names(MODULES))
def test_no_module_holds_sql(file: Path):
    tree = ast.parse(file.read_text())
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in texts if SQL.search(text)]
    asked = [
        node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ("query", "sql")
    ]
    assert not asked


@pytest.mark.parametrize("file", ROOMS, ids=names(ROOMS))
def test_a_page_is_short(file: Path):
    assert len(file.read_text().splitlines()) <= 120


def test_every_page_is_one_of_the_rooms():
    assert {one for one in vars(addresses).values() if isinstance(one, Path) and one.suffix} == set(ROOMS)


def test_one_configuration_serves_both_ways_to_start():
    config = PROJECT / ".streamlit" / "config.toml"
    assert config.resolve() == DASHBOARD / ".streamlit" / "config.toml"


def test_the_dashboard_listens_on_this_machine_alone_and_tells_nobody():
    config = tomllib.loads((DASHBOARD / ".streamlit" / "config.toml").read_text())
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
