"""Running one scenario into the store and showing it from there."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import InputError, NotFoundError
from workbench.settings import Settings
from workbench.simulate import ReferenceEngine, Workload, load_scenario
from workbench.simulate.strategies import STRATEGIES, Strategy, View
from workbench.store import Store


def test_a_run_shows_what_its_records_say(scenario: dict[str, Any], settings: Settings):
    view = wb.run(scenario, settings=settings)
    loaded = load_scenario(scenario)
    records = ReferenceEngine().run(Workload(loaded))
    measured = records.response[records.arrival >= 0.1 * records.until]
    assert view.requests == len(measured)
    assert view.response.mean == pytest.approx(measured.mean(), abs=1e-6)
    assert view.response.p99 == pytest.approx(np.quantile(measured, 0.99), abs=1e-6)
    assert view.little_residual == pytest.approx(0, abs=1e-9)
    assert sum(server.requests for server in view.servers) == view.requests


def test_a_run_that_is_stored_is_shown_from_there(scenario: dict[str, Any], settings: Settings):
    first = wb.run(scenario, settings=settings)
    again = wb.run(scenario, settings=settings)
    assert (first.reused, again.reused) == (False, True)
    assert again.model_copy(update={"reused": False}) == first


@pytest.mark.parametrize("change", [{"seed": 2}, {"strategy": "random"}, {"replication": 1}])
def test_another_seed_strategy_or_replication_is_another_run(
    scenario: dict[str, Any], settings: Settings, change: dict[str, Any]
):
    first = wb.run(scenario, settings=settings)
    other = wb.run(scenario, settings=settings, **change)
    assert other.run_id != first.run_id
    assert other.response != first.response


def test_the_same_seed_gives_the_same_bytes(scenario: dict[str, Any], tmp_path):
    digests = []
    for name in ("one", "two"):
        settings = Settings(lake=tmp_path / name)
        view = wb.run(scenario, settings=settings)
        with Store(settings) as store:
            files = [store.lake / part.path for part in store.parts(run_ids=[view.run_id])]
        digests.append(sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files))
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4


def test_the_stored_tables_hold_every_request(scenario: dict[str, Any], settings: Settings):
    view = wb.run(scenario, settings=settings)
    with Store(settings) as store:
        rows = store.query("select count(*) n, sum(response_us) total from requests").to_pylist()[0]
        samples = store.query("select sum(completions) done from samples").to_pylist()[0]
    records = ReferenceEngine().run(Workload(load_scenario(scenario)))
    assert rows["n"] == 4000 == samples["done"]
    assert rows["total"] == np.rint(records.response * 1e6).sum()
    assert view.lake == str(settings.lake)


def test_overload_is_said(scenario: dict[str, Any], settings: Settings):
    view = wb.run(scenario | {"pool": {"count": 3}}, settings=settings)
    assert "overload" in view.notes[0]
    assert wb.run(scenario, settings=settings).notes == []


def test_an_unknown_run_is_named(settings: Settings):
    with pytest.raises(NotFoundError, match="no run 7"):
        wb.show(7, settings=settings)


def test_a_bad_seed_is_refused_before_anything_runs(scenario: dict[str, Any], settings: Settings):
    with pytest.raises(InputError, match="seed: given -1"):
        wb.run(scenario, seed=-1, settings=settings)
    assert not settings.lake.exists()


def test_runs_are_listed_newest_first(scenario: dict[str, Any], settings: Settings):
    for seed in (1, 2, 3):
        wb.run(scenario, seed=seed, settings=settings)
    listed = wb.runs(settings=settings)
    assert [run.seed for run in listed.runs] == [3, 2, 1]
    assert wb.runs(limit=1, settings=settings).runs == listed.runs[:1]
    assert wb.runs(scenario="none of this name", settings=settings).runs == []


def test_a_run_shows_itself_as_a_table_in_a_notebook(scenario: dict[str, Any], settings: Settings):
    shown = wb.run(scenario | {"name": "<b>odd</b>"}, settings=settings)._repr_html_()
    assert "<table>" in shown
    assert "&lt;b&gt;odd&lt;/b&gt;" in shown
    assert "Little" in shown


def test_a_users_own_strategy_runs_and_its_changed_code_is_another_run(
    scenario: dict[str, Any], settings: Settings
):
    def first(view: View, rng: np.random.Generator) -> int:
        return 0

    def last(view: View, rng: np.random.Generator) -> int:
        return len(view.usable) - 1

    class Mine(Strategy):
        kind: str = "mine"
        pick = staticmethod(first)

    STRATEGIES.register(Mine)
    try:
        one = wb.run(
            scenario | {"service": {"kind": "deterministic", "value": "1ms"}},
            strategy="mine",
            settings=settings,
        )
        Mine.pick = staticmethod(last)
        two = wb.run(
            scenario | {"service": {"kind": "deterministic", "value": "1ms"}},
            strategy="mine",
            settings=settings,
        )
    finally:
        del STRATEGIES._members["mine"]
    assert [server.share for server in one.servers] == [1, 0, 0, 0]
    assert [server.share for server in two.servers] == [0, 0, 0, 1]
