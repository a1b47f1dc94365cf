"""Sweeps on the command line: what is printed, exit codes, and that no bad input gives a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from workbench.cli import main
from workbench.workflows import json_schema

SWEEP = """\
name: two by two
question: Which of two?
scenario:
  name: small
  arrivals: {kind: poisson, rate: 160/s}
  service: {kind: exponential, mean: 20ms}
  pool: {count: 4}
  balancers: {strategy: random}
  horizon: 1000 requests
  comparison: {strategies: [random, join_shortest_queue]}
parameters:
  load: [50%, 80%]
  balancers.strategy: [random, join_shortest_queue]
replications: 2
"""

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    (tmp_path / "two.yaml").write_text(SWEEP)
    scenario = SWEEP[SWEEP.index("  name: small") : SWEEP.index("parameters:")]
    (tmp_path / "small.yaml").write_text("\n".join(line[2:] for line in scenario.splitlines()))

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


def test_a_sweep_says_what_it_will_do_and_then_what_it_found(command):
    code, out, err = command("sweep", "two.yaml")
    assert code == 0
    assert err.startswith("0 reused, 8 to run, 8,000 requests, about ")
    assert "Which of two?" in out
    assert "answer: join_shortest_queue" in out
    assert "8 cells: 0 reused, 8 simulated" in out
    code, out, err = command("sweep", "two.yaml")
    assert err.startswith("8 reused, 0 to run")
    assert "8 cells: 8 reused, 0 simulated" in out


def test_a_sweep_is_listed_shown_reported_and_verified(command, tmp_path: Path):
    command("sweep", "two.yaml")
    for arguments, said in (
        (("sweeps",), "two-by-two  complete"),
        (("sweeps", "two-by-two"), "answer: join_shortest_queue"),
        (("sweeps", "two.yaml"), "answer: join_shortest_queue"),
        (("report", "two.yaml"), "two-by-two.html"),
        (("verify", "two-by-two", "--sample", "2"), "2 of 8 made again, the same bytes"),
        (("sweep", "two.yaml", "--dry-run"), "two-by-two"),
    ):
        code, out, err = command(*arguments)
        assert (code, err) == (0, "")
        assert said in out
    assert (tmp_path / "two-by-two.html").exists()


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        (("sweep", "two.yaml"), "sweep_result"),
        (("sweep", "two.yaml", "--dry-run"), "sweep_plan"),
        (("sweeps",), "sweeps"),
        (("sweeps", "two-by-two"), "sweep_result"),
        (("report", "two-by-two"), "sweep_report"),
        (("verify", "two-by-two"), "verification"),
        (("robustness", "small.yaml", "--dial", "load", "-n", "2"), "robustness"),
    ],
)
def test_json_has_the_documented_form(command, arguments: tuple[str, ...], form: str):
    command("sweep", "two.yaml")
    code, out, err = command(*arguments, "--json")
    assert (code, err) == (0, "")
    jsonschema.validate(json.loads(out), json_schema(form))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sweep", "none.yaml"), "what cannot be read"),
        (("sweep", "small.yaml"), "parameters: given nothing"),
        (("sweep", "two.yaml", "--on", "cloud"), "on: given 'cloud'; allowed: "),
        (("sweep", "two.yaml", "-n", "1"), "replications: given 1"),
        (("sweep", "two.yaml", "--workers", "0"), "--workers"),
        (("sweeps", "other"), "sweep: given 'other'; allowed: none was run yet"),
        (("report", "other"), "sweep: given 'other'"),
        (("verify", "other"), "sweep: given 'other'"),
        (("verify", "17"), "17"),
        (("robustness", "small.yaml", "--measure", "p99"), "given 'p99'"),
        (("robustness", "small.yaml", "--dial", "laod"), "dial: given laod; allowed: some of load"),
        (("robustness", "small.yaml", "--map", "load"), "map: given load; allowed: two of load"),
        (("robustness", "small.yaml", "-s", "random"), "two or more"),
        (("robustness", "small.yaml", "-s", "random", "-s", "x"), "no strategy is called 'x'"),
    ],
)
def test_bad_input_is_answered_with_what_is_allowed(command, arguments: tuple[str, ...], said: str):
    code, out, err = command(*arguments)
    assert code == 2
    assert said in err.replace("\n", " ")
    assert "Traceback" not in out + err


def test_what_does_not_come_out_the_same_ends_with_a_code_of_its_own(command, tmp_path: Path):
    import pyarrow as pa

    from workbench.settings import Settings
    from workbench.workflows.sweep_shelf import Shelf

    command("sweep", "two.yaml")
    shelf = Shelf(Settings(lake=tmp_path / "lake"))
    (file,) = (tmp_path / "lake" / "cells").glob("*.arrow")
    table = pa.ipc.open_file(file).read_all()
    file.unlink()
    place = table.column_names.index("attempts")
    shelf.keep(table.set_column(place, "attempts", pa.array([1] * len(table), pa.int64())))
    code, out, _ = command("verify", "two-by-two")
    assert code == 3
    assert "differs in attempts" in out
