"""Sweeps end to end: what is reused, what is run, and that the results do not depend on how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import InputError, NotFoundError, PartError
from workbench.settings import Settings
from workbench.workflows import SweepPlanView, plan_sweep, show_sweep, sweep


@pytest.fixture
def document(scenario: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "Which of two?",
        "question": "Which?",
        "scenario": scenario,
        "parameters": {"load": ["50%", "80%"], "balancers.strategy": ["random", "join_shortest_queue"]},
        "replications": 3,
    }


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each cell be a chunk of its own."""
    monkeypatch.setattr("workbench.workflows.sweep_plan.LEAST_CHUNK_S", 0.0)
    monkeypatch.setattr("workbench.workflows.sweep_plan.CHUNK_S", 0.0)


def announced(document: dict[str, Any], settings: Settings, **more: Any) -> tuple[int, int]:
    told: list[SweepPlanView] = []
    sweep(document, settings=settings, on="serial", announce=told.append, **more)
    return told[0].reused, told[0].to_run


def test_a_sweep_answers_its_question(document: dict[str, Any], settings: Settings):
    view = sweep(document, settings=settings, on="serial")
    assert [place.best for place in view.places] == ["join_shortest_queue"] * 2
    assert view.answer.startswith("join_shortest_queue is best")
    assert (view.cells, view.reused, view.simulated) == (12, 0, 12)


def test_its_figures_are_those_of_single_runs(document: dict[str, Any], settings: Settings):
    view = sweep(document, settings=settings, on="serial")
    base = document["scenario"] | {"arrivals": {"kind": "poisson", "rate": 0.5 * 4 / 0.02}}
    one = view.places[0].decisions[-1]
    runs = [wb.run(base, strategy=one.decision, replication=number, settings=settings) for number in range(3)]
    assert one.values == [run.response.p99 for run in runs]
    assert one.figures["utilisation"] == pytest.approx(sum(run.utilisation for run in runs) / 3)


def test_a_rerun_reuses_every_cell_and_says_the_same(document: dict[str, Any], settings: Settings):
    first = sweep(document, settings=settings, on="serial")
    assert announced(document, settings) == (12, 0)
    again = sweep(document, settings=settings, on="serial")
    assert again.manifest.digest == first.manifest.digest
    assert again.places == first.places


def test_an_edited_sweep_runs_only_what_changed_under_whatever_name(
    document: dict[str, Any], settings: Settings
):
    sweep(document, settings=settings, on="serial")
    document["parameters"]["load"] = ["50%", "80%", "90%"]
    assert announced(document | {"name": "another", "question": "New?"}, settings) == (12, 6)
    assert announced(document, settings, replications=4) == (18, 6)


def test_another_seed_is_another_sweep(document: dict[str, Any], settings: Settings):
    first = sweep(document, settings=settings, on="serial")
    document["scenario"]["seed"] = 2
    other = sweep(document, settings=settings, on="serial")
    assert other.simulated == 12
    assert other.manifest.digest != first.manifest.digest


def test_a_dry_run_runs_nothing(document: dict[str, Any], settings: Settings):
    view = plan_sweep(document, settings=settings)
    assert (view.cells, view.to_run) == (12, 12)
    assert view.seconds > 0
    assert wb.sweeps(settings=settings).sweeps == []


def test_what_was_finished_before_an_interruption_is_kept_and_shown(
    document: dict[str, Any], settings: Settings, small_chunks: None
):
    def stop(done: float, total: float | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(document, settings=settings, on="serial", report=stop)
    half = show_sweep("which-of-two", settings=settings)
    assert 0 < half.reused < 12
    assert any("cells are missing" in note for note in half.notes)
    assert wb.sweeps(settings=settings).sweeps[0].state == "not complete"
    resumed = sweep(document, settings=settings, on="serial")
    assert resumed.reused == half.reused
    whole = sweep(document, settings=Settings(lake=settings.lake.parent / "other", jobs=1), on="serial")
    assert resumed.manifest.digest == whole.manifest.digest


def test_a_sweep_is_found_by_name_id_and_file(document: dict[str, Any], settings: Settings):
    sweep(document, settings=settings, on="serial")
    assert show_sweep("Which of two?", settings=settings) == show_sweep("which-of-two", settings=settings)
    with pytest.raises(NotFoundError, match="given 'nothing'; allowed: which-of-two"):
        show_sweep("nothing", settings=settings)


def test_what_an_earlier_engine_made_is_not_shown_as_todays(
    document: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workbench.simulate.scenario.ENGINE_VERSION", "0")
    monkeypatch.setattr("workbench.experiments.manifest.ENGINE_VERSION", "0")
    sweep(document, settings=settings, on="serial")
    monkeypatch.undo()
    view = show_sweep("which-of-two", settings=settings)
    assert view.reused == 0
    assert view.notes[0].startswith("it was simulated by engine version 0; this is version ")


def test_a_damaged_file_is_named_with_what_to_do(document: dict[str, Any], settings: Settings):
    sweep(document, settings=settings, on="serial")
    (file,) = (settings.lake / "cells").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PartError, match=r"is damaged .*; remove it, and its cells are simulated again"):
        sweep(document, settings=settings, on="serial")
    file.unlink()
    assert announced(document, settings) == (0, 12)


def test_an_executor_that_does_not_exist_is_refused(document: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match=r"on: given 'cloud'; allowed: .*processes.*serial"):
        sweep(document, settings=settings, on="cloud")


def test_many_files_of_a_sweep_become_one(
    document: dict[str, Any], settings: Settings, small_chunks: None, monkeypatch
):
    monkeypatch.setattr("workbench.workflows.sweep_shelf._MANY", 2)
    sweep(document, settings=settings, on="serial")
    assert len(list((settings.lake / "cells").glob("*.arrow"))) == 1
    assert announced(document, settings) == (12, 0)


def test_the_manifest_says_what_was_read_and_used(
    document: dict[str, Any], settings: Settings, traced: dict[str, Any]
):
    document["scenario"] = traced
    manifest = sweep(document, settings=settings, on="serial").manifest
    assert list(manifest.inputs) == ["trace.csv"]
    assert {"python", "numpy", "pyarrow"} <= manifest.versions.keys()
    assert manifest.ended is not None


def test_two_processes_give_the_same_bytes_as_one(document: dict[str, Any], tmp_path: Path):
    alone = sweep(document, settings=Settings(lake=tmp_path / "a"), on="serial")
    both = sweep(document, settings=Settings(lake=tmp_path / "b"), on="processes", workers=2)
    assert both.manifest.executor == "processes"
    assert both.manifest.digest == alone.manifest.digest
