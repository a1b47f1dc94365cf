"""The page of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.settings import Settings
from workbench.workflows.sweeping import sweep

OpenPage = Callable[..., AppTest]

SWEEP = """
name: strategy by load
question: Which strategy at which load?
scenario:
  name: two servers
  arrivals: {kind: poisson, rate: 100/s}
  service: {kind: exponential, mean: 10ms}
  pool: {count: 2}
  balancers: {strategy: round_robin}
  horizon: 400 requests
parameters:
  load: [50%, 80%]
  balancers.strategy: [random, join_shortest_queue]
measure: response_mean
replications: 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "sweep.yaml"
    written.write_text(SWEEP)
    return written


def test_before_a_sweep_was_run_the_page_says_how_and_makes_no_lake(tmp_path: Path, open_page: OpenPage):
    app = open_page(tmp_path / "lake", "sweeps")
    assert app.info[-1].value.startswith("No sweep was run yet.")
    assert not (tmp_path / "lake").exists()


def test_a_sweep_shows_its_question_its_answer_and_its_charts(
    tmp_path: Path, file: Path, open_page: OpenPage
):
    view = sweep(file, on="serial", settings=Settings(lake=tmp_path / "lake"))
    app = open_page(tmp_path / "lake", "sweeps")
    assert app.subheader[0].value == "Which strategy at which load?"
    assert view.answer
    assert app.success[0].value.replace("\\", "") == view.answer
    assert [chart.proto.alt for chart in app.get("plotly_chart")] == [
        "The measure of each decision at each circumstance",
        "The measure over the parameter",
    ]
    assert "12 cells, complete" in app.caption[-1].value


def test_what_is_wrong_with_a_file_is_said_in_place(tmp_path: Path, file: Path, open_page: OpenPage):
    file.write_text(SWEEP.replace("replications", "replicatoins"))
    app = open_page(tmp_path / "lake", "sweeps")
    app.selectbox(key="sweep_file").set_value("another file").run()
    app.text_input(key="sweep_path").set_value(str(file)).run()
    assert "did you mean replications?" in app.error[0].value.replace("\\", "")
