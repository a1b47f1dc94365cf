"""Who may import what, and what a plain import must not cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

PROJECT = Path(__file__).parents[2]

HOMES = {
    "duckdb": ("workbench.store", "workbench.reconcile"),
    "numba": ("workbench.simulate.engines.compiled",),
    "simpy": ("workbench.simulate.engines.reference", "workbench.monitor"),
    "sklearn": ("workbench.reconcile",),
    "streamlit": ("workbench.dashboard",),
}
HEAVY = {"numba", "sklearn", "streamlit"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("workbench", include_external_packages=True, cache_dir=None)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
    )


def test_imports_go_one_way():
    linting = run_python("""
from importlinter.cli import lint_imports
raise SystemExit(lint_imports(no_cache=True, no_logo=True))
""")
    assert linting.returncode == 0, linting.stdout + linting.stderr


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_at_home_only(imports: grimp.ImportGraph, library: str):
    importers = imports.find_modules_that_directly_import(library) if library in imports.modules else set()
    homes = tuple(f"{home}." for home in HOMES[library])
    assert not [importer for importer in importers if not f"{importer}.".startswith(homes)]


@pytest.mark.parametrize("entry", ["import workbench", "from workbench.cli import main; main()"])
def test_a_plain_start_loads_nothing_heavy(entry: str):
    started = run_python(f"""
import atexit, sys
sys.argv = ["workbench", "--help"]
atexit.register(lambda: print("heavy:", *sorted({HEAVY} & sys.modules.keys())))
{entry}
""")
    assert started.returncode == 0, started.stderr
    assert started.stdout.splitlines()[-1].strip() == "heavy:"
