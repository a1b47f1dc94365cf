"""The commands about how exact results are: what they print, and what they refuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli import main

SCENARIO = """\
name: small
arrivals: {kind: poisson, rate: 80/s}
service: {kind: exponential, mean: 20ms}
pool: {count: 2}
balancers: {strategy: random}
horizon: 1500 requests
"""

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    monkeypatch.setenv("WORKBENCH_JOBS", "1")
    (tmp_path / "small.yaml").write_text(SCENARIO)
    (tmp_path / "crowded.yaml").write_text(SCENARIO.replace("80/s", "130/s"))

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


def test_a_run_to_a_precision_says_that_it_is_reached(command):
    code, out, _ = command("run", "small.yaml", "--precision", "20%")
    assert code == 0
    assert "reached with 10 replications (10 simulated, 0 from the store)" in out
    assert "theory, 2 x M/M/1: pass" in out


def test_the_forms_are_those_that_are_documented(command):
    for arguments, form in {
        ("run", "small.yaml", "--precision", "20%"): "estimate",
        ("plan", "small.yaml", "--precision", "5%"): "plan",
        ("select", "small.yaml", "-s", "random", "-s", "join_shortest_queue"): "selection",
    }.items():
        code, out, err = command(*arguments, "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["schema"] == f"workbench.{form}/1"


def test_a_plan_says_requests_and_time(command):
    code, out, _ = command("plan", "small.yaml", "--precision", "5%")
    assert code == 0
    assert "requests for ±5 %" in out
    assert "MSER-5 leaves out the first" in out


def test_overload_is_said_before_anything_runs(command):
    code, out, err = command("run", "crowded.yaml")
    assert code == 0
    assert err.startswith("warning: overload: 2.6 seconds of work arrive a second, the pool serves 2;")
    assert "at least 3 servers of the group 'server' would hold" in err
    assert "no exact formula here (the scenario is unstable" in out


def test_a_selection_names_its_promise(command):
    code, out, _ = command(
        "select", "small.yaml", "-s", "random", "-s", "join_shortest_queue", "--probability", "90%"
    )
    assert code == 0
    assert "answer: join_shortest_queue, with probability 90 % or more the best or within" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("run", "small.yaml", "--precision", "little"),
            "precision: given 'little'; allowed: a share such as 1%",
        ),
        (("run", "small.yaml", "--precision", "0%"), "precision: given 0; allowed: above 0 %"),
        (("run", "small.yaml", "--most", "20"), "allowed: with --precision"),
        (("run", "small.yaml", "--precision", "5%", "--replication", "2"), "allowed: one of them"),
        (("compare", "small.yaml", "-s", "random", "--most", "20"), "allowed: with --precision"),
        (("plan", "crowded.yaml"), "allowed: a scenario that is stable"),
        (("select", "small.yaml", "-s", "random"), "allowed: two or more"),
        (("select", "small.yaml", "-s", "random", "-s", "round_robin", "--probability", "x"), "probability"),
    ],
)
def test_bad_options_are_refused_without_a_traceback(command, arguments: tuple[str, ...], complaint: str):
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert complaint in err.replace("\n", " ")
