"""Reports of sweeps, and making results again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import workbench as wb
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings
from workbench.workflows import report_sweep, sweep, verify_run
from workbench.workflows.sweep_shelf import Shelf


@pytest.fixture
def swept(scenario: dict[str, Any], settings: Settings) -> str:
    document = {
        "name": "two <strategies>",
        "question": "Which is better?",
        "scenario": scenario,
        "parameters": {"load": ["50%", "80%"], "balancers.strategy": ["random", "join_shortest_queue"]},
        "replications": 2,
    }
    return sweep(document, settings=settings, on="serial").sweep_id


def test_a_report_is_one_file_that_loads_nothing(swept: str, settings: Settings, tmp_path: Path):
    view = report_sweep(swept, file=tmp_path / "report.html", settings=settings)
    page = (tmp_path / "report.html").read_text()
    assert view.bytes == len(page.encode()) < 8e6
    without_library = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)\s*=", without_library)
    assert not re.findall(r"<script[^>]*\bsrc=", page)


def test_a_report_has_question_answer_intervals_plots_and_manifest(
    swept: str, settings: Settings, tmp_path: Path
):
    report_sweep(swept, file=tmp_path / "report.html", settings=settings)
    shown = wb.show_sweep(swept, settings=settings)
    page = (tmp_path / "report.html").read_text()
    text = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert "Which is better?" in text
    assert shown.answer in text
    assert f"sha256:{shown.manifest.digest}" in text
    assert "two &lt;strategies&gt;" in text
    assert page.count("Plotly.newPlot(") == 2
    assert text.count("<tr>") >= 2 * 3 + 3 + 14


def test_a_report_that_cannot_be_written_is_said(swept: str, settings: Settings, tmp_path: Path):
    with pytest.raises(InputError, match=r"out: given .*no/report\.html, which cannot be written"):
        report_sweep(swept, file=tmp_path / "no" / "report.html", settings=settings)


def test_cells_made_again_have_the_same_bytes(swept: str, settings: Settings):
    view = verify_run(swept, sample=3, settings=settings)
    assert (len(view.checks), view.of, view.is_same) == (3, 8, True)


@pytest.mark.slow
def test_cells_made_again_by_the_other_engine_have_the_same_bytes(swept: str, settings: Settings):
    assert verify_run(swept, sample=2, engine="compiled", settings=settings).is_same


def test_a_cell_that_was_tampered_with_is_found(swept: str, settings: Settings):
    shelf = Shelf(settings)
    keys = [
        key
        for file in (settings.lake / "cells").glob("*.arrow")
        for key in pa.ipc.open_file(file).read_all()["key"].to_pylist()
    ]
    table = shelf.find(keys)
    for file in (settings.lake / "cells").glob("*.arrow"):
        file.unlink()
    place = table.column_names.index("response_p99_s")
    shelf.keep(table.set_column(place, "response_p99_s", pa.array([9.0] * len(table))))
    view = verify_run(swept, sample=1, settings=settings)
    assert [one.differs for one in view.checks] == [["response_p99_s"]]
    assert not view.is_same


def test_a_run_made_again_has_the_same_bytes_in_every_table(scenario: dict[str, Any], settings: Settings):
    scenario["faults"] = [{"kind": "crash", "servers": "server-0", "at": "5s", "lasts": "2s"}]
    run = wb.run(scenario, settings=settings)
    view = verify_run(run.run_id, settings=settings)
    assert view.is_same
    assert {one.what for one in view.checks} >= {"requests", "attempts", "events", "summaries"}
    assert len(wb.runs(settings=settings).runs) == 1


def test_a_run_whose_trace_has_changed_is_refused(traced: dict[str, Any], settings: Settings):
    run = wb.run(traced, settings=settings)
    file = Path(traced["arrivals"]["file"])
    file.write_text(file.read_text() + "20.1,3\n")
    with pytest.raises(InputError, match="trace, strategy or version has changed"):
        verify_run(run.run_id, settings=settings)


def test_what_does_not_exist_is_not_verified(settings: Settings):
    with pytest.raises(NotFoundError):
        verify_run("nothing", settings=settings)
    with pytest.raises(NotFoundError):
        verify_run(7, settings=settings)
