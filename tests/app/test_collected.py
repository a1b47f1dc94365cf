"""The page of a run that was collected from real systems."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench import workflows
from workbench.settings import Settings

OpenPage = Callable[..., AppTest]
RECORDED = Path(__file__).parents[2] / "data" / "collections" / "nginx_plus.yaml"


def alts(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the shipped recording, and a collection whose target never answered."""
    tmp_path = tmp_path_factory.mktemp("collected")
    settings = Settings(lake=tmp_path / "lake")
    workflows.collect(RECORDED, settings=settings)
    target = {"name": "gone", "kind": "nginx_stub", "url": "http://127.0.0.1:1/"}
    file = tmp_path / "gone.yaml"
    file.write_text(json.dumps({"name": "gone", "step": "50ms", "targets": target}))
    workflows.collect(file, seconds=0.2, settings=settings)
    return settings.lake


def test_the_recorded_balancer_shows_its_servers_and_what_they_had(folder: Path, open_page: OpenPage):
    app = open_page(folder, "run", run="1")
    assert app.title[0].value == "collected on nginx.org in 2015"
    assert alts(app) == [
        "slots busy (%) of each server over time",
        "Share of the requests that each server was sent",
    ]
    metrics = app.dataframe[0].value
    (arrivals,) = metrics[metrics.metric == "workbench_arrivals_total"]["sum"]
    assert arrivals == "390"


def test_a_target_that_never_answered_is_said(folder: Path, open_page: OpenPage):
    app = open_page(folder, "run", run="2")
    assert "gone did not answer at the end" in app.warning[0].value
    assert "has answered yet" in app.info[0].value
    assert alts(app) == []


@pytest.mark.parametrize("page", ["runs", "history"])
def test_other_pages_bear_collected_runs(folder: Path, open_page: OpenPage, page: str):
    app = open_page(folder, page, run="1")
    assert page == "runs" or "workbench metrics 1 shows" in app.error[0].value
