"""Sweep files: what they may say, and that every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.documents import check, parse_document, read_document
from workbench.errors import DocumentError
from workbench.experiments.sweeps import Sweep
from workbench.simulate import load_scenario

BASE = """\
name: one
scenario:
  name: small
  arrivals: {kind: poisson, rate: 160/s}
  service: {kind: exponential, mean: 20ms}
  pool: {count: 4}
  balancers: {strategy: round_robin}
  horizon: 1000 requests
parameters:
"""


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse_document(BASE + text, Sweep, name="one.yaml", folder=Path.cwd())
    return [str(problem) for problem in error.value.problems]


def test_a_sweep_survives_being_written_and_read(document: dict[str, Any]):
    document["parameters"]["pool.count"] = {"from": 2, "to": 6, "step": 2}
    document["target"] = "300ms"
    sweep = check(document, Sweep, name="sweep", folder=Path.cwd())
    again = check(sweep.model_dump(mode="json", by_alias=True), Sweep, name="again", folder=Path.cwd())
    assert again == sweep
    assert again.target == 0.3


def test_the_scenario_may_stand_in_a_file_beside_the_sweep(tmp_path: Path):
    (tmp_path / "scenarios").mkdir()
    text = "\n".join(line.removeprefix("  ") for line in BASE.splitlines()[2:8])
    (tmp_path / "scenarios" / "base.yaml").write_text(text)
    file = tmp_path / "sweep.yaml"
    file.write_text("name: one\nscenario: scenarios/base.yaml\nparameters: {load: [50%]}\n")
    assert read_document(file, Sweep).scenario == load_scenario(tmp_path / "scenarios" / "base.yaml")


def test_a_mistake_in_that_file_is_told_with_its_place_there(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("name: x\narivals: 1\n")
    file = tmp_path / "sweep.yaml"
    file.write_text("name: one\nscenario: base.yaml\nparameters: {load: [50%]}\n")
    with pytest.raises(DocumentError, match=r"base\.yaml:2: arivals: given 1; allowed: .*arrivals"):
        read_document(file, Sweep)


def test_every_value_that_the_scenario_does_not_take_is_named_with_its_line():
    found = problems(
        "  balancers.strategy:\n    - random\n    - power_of_tow\n  pool.count: [2, 0]\n  load: [50%, nine]\n"
    )
    assert len(found) == 3
    assert found[0].startswith("one.yaml:10: parameters.balancers.strategy.values[1]: given 'power_of_tow'")
    assert "did you mean power_of_two?" in found[0]
    assert "given '0'" in found[1]
    assert "greater than or equal to 1" in found[1]
    assert "load: given 'nine'; allowed: a number or share of 0 or more" in found[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  pool.cuont: [1, 2]\n", "goes on, after pool, with one of name, count"),
        ("  pool.3.count: [1]\n", "a place from 0 to 0"),
        ("  balancers.checks.inter: [1s]\n", "a scenario that has something there"),
        ("  pool.count: {from: 4, to: 2, step: 1}\n", "`from` below `to`"),
        ("  pool.count: {from: 4, to: 8}\n", "`step` or `points`"),
        ("  pool.count: {from: 4, to: 8, step: 1, points: 3}\n", "one of `step` and `points`"),
        ("  load: {from: 0, to: 1, points: 3, scale: log}\n", "`from` above 0"),
        ("  load: {vales: [1]}\n", "one of path, values, from"),
        ("  load: {}\n", "a list of values"),
        ("  load: [0.5, 0.5]\n", "each value once"),
        ("  load: {values: [0.5], when: {strategy: random}}\n", "one of the other parameters"),
        (
            "  balancers.strategy: [random, round_robin]\n"
            "  load: {values: [0.5], when: {balancers.strategy: x}}\n",
            "is one of random, round_robin, not 'x'",
        ),
        ("  load: [0.5]\ndecide: [laod]\n", "one of load"),
        ("  load: [0.5]\nmeasure: p99\n", "'response_mean'"),
        ("  load: [0.5]\ntarget: soon\n", "such as 300ms"),
        ("  load: [0.5]\ndesign: {kind: random}\n", "a value (the key is required)"),
        ("  load: [0.5]\nreplications: 1\n", "greater than or equal to 2"),
    ],
)
def test_what_is_not_allowed_is_said_with_what_is(text: str, said: str):
    (problem,) = problems(text)
    assert said in problem
    assert problem.startswith("one.yaml:")


def test_a_range_of_a_random_design_needs_no_steps():
    text = BASE + "  load: {from: 50%, to: 90%}\ndesign: {kind: random, points: 4}\n"
    assert parse_document(text, Sweep, name="one", folder=Path.cwd()).design.kind == "random"
