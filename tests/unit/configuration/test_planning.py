"""Plans: both sides meet the same requests, and the effect is that which theory gives."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import workbench as wb
from workbench import workflows
from workbench.errors import DocumentError, InputError
from workbench.simulate import load_scenario
from workbench.workflows import json_schema

SIGNED = {"author": "anna", "reason": "test"}


@pytest.fixture
def settings(tmp_path: Path, load: Path) -> wb.Settings:
    """Give a lake in which `web` has the pool and the load of the scenario."""
    settings = wb.Settings(lake=tmp_path / "lake", jobs=1)
    workflows.import_configuration(load, balancer="web", settings=settings, **SIGNED)
    return settings


def effects(view) -> dict[str, object]:
    return {one.measure: one for one in view.effects}


def test_a_server_twice_as_fast_answers_in_the_time_that_theory_gives(tmp_path, settings):
    """M/M/1 at 50/s with 10 ms a request: the mean is 20 ms; at twice the speed it is 1/(200-50) s."""
    load = {
        "name": "mm1",
        "arrivals": {"kind": "poisson", "rate": 50.0},
        "service": {"kind": "exponential", "mean": 0.010},
        "pool": {"name": "one"},
        "balancers": {"strategy": "round_robin"},
        "horizon": "40k requests",
    }
    (tmp_path / "mm1.yaml").write_text(json.dumps(load))
    workflows.import_configuration(tmp_path / "mm1.yaml", balancer="one", settings=settings, **SIGNED)
    view = workflows.plan_configuration(
        ["servers.one.speed=2"], replications=4, balancer="one", settings=settings
    )
    mean = effects(view)["response_mean_s"]
    assert mean.before == pytest.approx(0.020, rel=0.05)
    assert mean.after == pytest.approx(1 / 150, rel=0.05)
    assert mean.relative_low < 1 / 3 - 1 < mean.relative_high
    assert mean.verdict == "better"
    assert mean.relative_high - mean.relative_low < 0.05
    assert view.answer().startswith("answer: response mean -67 % (-")


def test_a_plan_saves_no_version_and_its_runs_are_reused(settings):
    first = workflows.plan_configuration(["servers.server-0.weight=2"], replications=2, settings=settings)
    again = workflows.plan_configuration(["servers.server-0.weight=2"], replications=2, settings=settings)
    assert (first.simulated, again.simulated) == (4, 0)
    assert again.run_ids_after == first.run_ids_after
    assert workflows.show_configuration(settings=settings).version == 1
    jsonschema.validate(json.loads(first.model_dump_json()), json_schema("configuration_plan"))


def test_a_change_without_effect_is_the_same(settings):
    view = workflows.plan_configuration(["servers.*.address=x:1"], replications=2, settings=settings)
    assert {one.verdict for one in view.effects} == {"same"}
    assert "nothing is told apart" in view.answer()


def test_two_versions_are_compared_and_a_stored_run_is_a_load(settings, load):
    workflows.change_configuration(["servers.server-0.weight=3"], settings=settings, **SIGNED)
    run = wb.run(load_scenario(load).model_copy(update={"seed": 5}), settings=settings)
    view = workflows.plan_configuration(run_id=run.run_id, replications=2, settings=settings)
    assert (view.before, view.after) == ("version 1", "version 2")
    assert [one.key for one in view.changes] == ["servers.server-0.weight"]
    assert {wb.show(number, settings=settings).seed for number in view.run_ids_after} == {5}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, InputError, "there is one version only"),
        ({"changes": ["servers.*.state=drain"]}, InputError, "no usable server would be left"),
        ({"changes": ["servers.*.weight=2"], "after": 1}, InputError, "a version and changes"),
        ({"changes": ["servers.*.weight=2"], "replications": 1}, InputError, "allowed: 2 to 10,000"),
        ({"changes": ["load="]}, InputError, "load: given none, and the configuration names none"),
        ({"changes": ["balancers.strategy=nginx.hash"]}, DocumentError, "keys"),
    ],
)
def test_what_cannot_be_planned_is_told(settings, given, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        workflows.plan_configuration(settings=settings, **given)
