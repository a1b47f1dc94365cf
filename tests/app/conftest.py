"""A lake with runs in every state, and the pages of the dashboard over it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import workbench.dashboard
from workbench import workflows
from workbench.settings import Settings
from workbench.store import NewRun, RunResult, Store, write_parts

APP = Path(workbench.dashboard.__file__).with_name("app.py")

POOL = {
    "name": "pool of four",
    "arrivals": {"kind": "poisson", "rate": "300/s"},
    "service": {"kind": "exponential", "mean": "10ms"},
    "pool": {"name": "web", "count": 4, "queue_limit": 8},
    "balancers": {"strategy": "round_robin"},
    "horizon": "600 requests",
    "warm_up": "0.2s",
}
ALONE = POOL | {
    "name": "one server",
    "pool": {"name": "solo"},
    "arrivals": {"kind": "poisson", "rate": "70/s"},
}
STRATEGIES = ["random", "round_robin", "join_shortest_queue"]

_BEGIN = """
import sys
from workbench.settings import Settings
from workbench.store import NewRun, Store
with Store(Settings(lake=sys.argv[1])) as store:
    run = store.run(1)
    told = ("interrupted", run.scenario, run.scenario_json, "random", 7, 0, "reference", "0.1.0")
    print(store.begin_run(NewRun(*told)))
"""


@dataclass(frozen=True)
class Lake:
    """A lake and the numbers of what is in it."""

    folder: Path
    comparison: int
    alone: int
    another: int
    """A further replication of it, in no comparison."""
    without_requests: int
    failed: int
    running: int
    interrupted: int


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("dashboard") / "lake"
    settings = Settings(lake=folder, jobs=1)
    comparison = workflows.compare_strategies(POOL, strategies=STRATEGIES, replications=3, settings=settings)
    alone = workflows.run(ALONE, settings=settings).run_id
    another = workflows.run(ALONE, replication=2, settings=settings).run_id
    begun = subprocess.run(
        [sys.executable, "-c", _BEGIN, str(folder)], check=True, capture_output=True, text=True, timeout=60
    )
    with Store(settings) as store:
        run = store.run(alone)
        new = NewRun(**{name: getattr(run, name) for name in NewRun.__dataclass_fields__})
        without = store.begin_run(replace(new, key="without requests"))
        kept = {
            name: replace_run_id(store.query(f"select * from {name} where run_id = {alone}"), without)
            for name in ("samples", "summaries")
        }
        result = RunResult(**{name: getattr(run, name) for name in RunResult.__dataclass_fields__})
        store.finish_run(without, result, write_parts(store.lake, without, kept))
        failed = store.begin_run(replace(new, key="failed"))
        store.fail_run(failed, "the strategy named server 9 of 1")
        running = store.begin_run(replace(new, key="running"))
    interrupted = int(begun.stdout)
    return Lake(folder, comparison.comparison_id, alone, another, without, failed, running, interrupted)


def replace_run_id(table: pa.Table, run_id: int) -> pa.Table:
    numbers = pa.array([run_id] * table.num_rows, pa.int32())
    return table.set_column(table.schema.get_field_index("run_id"), "run_id", numbers)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Return a function that opens a page over a lake under an address, and fails on a traceback."""

    def open_it(folder: Path, page: str = "runs", **address: str) -> AppTest:
        monkeypatch.setenv("WORKBENCH_LAKE", str(folder))
        app = AppTest.from_file(APP, default_timeout=30)
        if page != "runs":
            app.run()
            app.switch_page(f"rooms/{page}.py")
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception[0].stack_trace
        return app

    yield open_it
    st.cache_data.clear()
    st.cache_resource.clear()
