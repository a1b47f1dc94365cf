"""The command line: what it prints, its exit codes, and that no bad input gives a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.cli import main
from workbench.settings import Settings
from workbench.tables import Outcome
from workbench.workflows import FORMS

SCENARIO = """\
name: small
arrivals: {kind: poisson, rate: 80/s}
service: {kind: exponential, mean: 20ms}
pool: {count: 2, slots: 1}
balancers: {strategy: round_robin}
horizon: 2000 requests
"""

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    (tmp_path / "small.yaml").write_text(SCENARIO)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


def test_a_run_prints_its_figures(command):
    code, out, _ = command("run", "small.yaml")
    assert code == 0
    assert "run 1: small under round_robin (seed 1)" in out
    assert "p99.9" in out
    assert "Little's law holds to" in out


def test_json_has_the_documented_form(command):
    code, out, _ = command("run", "small.yaml", "--json")
    content = json.loads(out)
    assert code == 0
    assert content["schema"] == "workbench.run/1"
    assert content["outcomes"] == dict.fromkeys((one.label for one in Outcome), 0) | {
        "ok": content["requests"]
    }
    assert set(content["response"]) == {"mean", "p50", "p90", "p95", "p99", "p99_9", "max"}


def test_a_comparison_ranks_and_a_list_shows_its_runs(command):
    code, out, _ = command(
        "compare", "small.yaml", "-s", "random", "-s", "join_shortest_queue", "-n", "3", "-j", "1"
    )
    assert code == 0
    assert out.index("join_shortest_queue") < out.index("random")
    assert "answer: join_shortest_queue" in out
    code, out, _ = command("runs", "--json")
    assert {run["strategy"] for run in json.loads(out)["runs"]} == {"random", "join_shortest_queue"}
    code, out, _ = command("show", "2")
    assert "run 2: small" in out


def test_picks_are_printed_in_their_order(command):
    code, out, _ = command("picks", "nginx.round_robin", "--weights", "5,1,1", "--count", "7")
    assert code == 0
    assert "nginx.round_robin: 0 0 1 0 2 0 0" in out
    code, out, _ = command("picks", "haproxy.leastconn", "--weights", "5,2,1", "--hold", "--json")
    content = json.loads(out)
    assert content["schema"] == "workbench.picks/1"
    assert "".join("abc"[pick] for pick in content["picks"]) == "abcaaabaaabaacbaaabaacba"[:20]


def test_picks_take_names_limits_keys_parameters_and_servers_that_are_down(command):
    names = "127.0.0.1:18101,127.0.0.1:18102,127.0.0.1:18103"
    arguments = ["--names", names, "--keys", "k0..k299", "--count", "20", "--json"]
    code, out, _ = command("picks", "nginx.hash_consistent", *arguments)
    assert code == 0
    assert json.loads(out)["servers"] == names.split(",")
    assert "".join("abc"[pick] for pick in json.loads(out)["picks"]) == "cccacbaabaccbccccbaa"
    code, out, _ = command(
        "picks", "nginx.round_robin", "--weights", "5,2,1", "--limits", "3,0,0", "--hold", "--count", "16"
    )
    assert "nginx.round_robin: 0 1 0 0 2 1 2 1 1 2 1 1 2 1 1 2" in out
    code, out, _ = command("picks", "power_of_two", "--param", "choices=3", "--down", "0,2", "--count", "5")
    assert "power_of_two(choices=3): 1 1 1 1 1" in out


def test_strategies_are_listed(command):
    code, out, _ = command("strategies")
    assert code == 0
    assert f"{len(list(wb.STRATEGIES))} strategies" in out
    assert all(kind in out for kind in wb.STRATEGIES)
    code, out, _ = command("strategies", "--json")
    content = json.loads(out)
    assert content["schema"] == "workbench.strategies/1"
    assert {one["kind"] for one in content["strategies"]} == set(wb.STRATEGIES)


def test_a_request_is_explained(command):
    command("run", "small.yaml")
    code, out, _ = command("explain", "1", "17")
    assert code == 0
    assert "request 17 of run 1: demand " in out
    assert "regret" in out
    code, out, _ = command("explain", "1", "17", "--json")
    content = json.loads(out)
    assert content["schema"] == "workbench.explanation/1"
    assert content["chosen"] == 1  # round robin: an odd request
    assert [one["server_id"] for one in content["alternatives"]] == [0, 1]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_schema(command, form: str):
    code, out, _ = command("schema", form)
    assert code == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


BAD_SCENARIOS: dict[str, tuple[str, list[str]]] = {
    "unknown key": (SCENARIO + "hoRizon: 1\n", ["bad.yaml:7: hoRizon: given 1", "did you mean horizon?"]),
    "negative rate": (
        SCENARIO.replace("80/s", "-80/s"),
        ["bad.yaml:2: arrivals.rate: given '-80/s'", "340/s"],
    ),
    "zero rate": (SCENARIO.replace("80/s", "0/s"), ["bad.yaml:2: arrivals.rate", "more than 0"]),
    "weight 0 everywhere": (SCENARIO.replace("slots: 1", "weight: 0"), ["weight above 0"]),
    "missing trace": (
        SCENARIO.replace("{kind: poisson, rate: 80/s}", "{kind: trace, file: no.csv, time_column: t}"),
        ["bad.yaml:2: arrivals.file: given 'no.csv'", "a file that exists"],
    ),
    "unknown strategy": (
        SCENARIO.replace("round_robin", "round_robbin"),
        ["bad.yaml:5", "did you mean round_robin?"],
    ),
    "no yaml": ("name: [unclosed\n", ["bad.yaml:", "what is not YAML"]),
    "empty": ("", ["bad.yaml:1", "keys with values"]),
    "two at once": (
        SCENARIO.replace("20ms", "soon").replace("count: 2", "count: 0"),
        ["bad.yaml:3: service.mean: given 'soon'", "bad.yaml:4: pool[0].count: given 0"],
    ),
}


@pytest.mark.parametrize("name", BAD_SCENARIOS)
def test_a_bad_scenario_is_answered_with_place_given_and_allowed(command, tmp_path: Path, name: str):
    text, expected = BAD_SCENARIOS[name]
    (tmp_path / "bad.yaml").write_text(text)
    code, out, err = command("run", "bad.yaml")
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    for part in expected:
        assert part in err


TRACE = SCENARIO.replace("{kind: poisson, rate: 80/s}", "{kind: trace, file: t.csv, time_column: t}")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "t.csv"),
        (b"t,x\n", "the trace is empty"),
        (b"t,x\n1,1\n2,2\nsoon,3\n", "t.csv:4: t: given 'soon'"),
        (b"t,x\n1,1\n3,2\n2,3\n", "t.csv:4: t: the time goes back"),
        (b"u,x\n1,1\n", "no column 't'; the file has u, x"),
        (b"t,x\n1,1\n2\n", "t.csv"),
        (bytes(range(256)) * 8, "t.csv"),
    ],
)
def test_an_empty_or_corrupt_trace_is_answered_with_its_place(
    command, tmp_path: Path, content: bytes, complaint: str
):
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "traced.yaml").write_text(TRACE)
    code, out, err = command("run", "traced.yaml")
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["run", "nowhere.yaml"], 2, "No such file"),
        (["run"], 2, "Missing argument"),
        (["rin", "small.yaml"], 2, "No such command"),
        (["run", "small.yaml", "--seed", "-4"], 2, "seed: given -4"),
        (["run", "small.yaml", "--strategy", "power_of_two(choices=many)"], 2, "choices: given 'many'"),
        (["run", "small.yaml", "--lake", "small.yaml"], 4, "small.yaml"),
        (["compare", "small.yaml", "--jobs", "0", "-s", "random"], 2, "jobs"),
        (["show", "99"], 2, "no run 99"),
        (["schema", "poem"], 2, "allowed: scenario"),
        (["run", "small.yaml", "--strategy", "nginx.hash"], 2, "allowed: a scenario with `keys`"),
        (["compare", "small.yaml", "-s", "random", "-s", "envoy.maglev"], 2, "since envoy.maglev hashes"),
        (["picks"], 2, "Missing argument"),
        (["picks", "nginx.rr"], 2, "no strategy is called 'nginx.rr'"),
        (["picks", "power_of_two", "--param", "choice=2"], 2, "did you mean choices?"),
        (["picks", "power_of_two", "--param", "choices=many"], 2, "choices: given 'many'"),
        (["picks", "random", "--param", "[["], 2, "parameters as name=value"),
        (["picks", "size_interval"], 2, "cutoffs: given nothing"),
        (["picks", "random", "--weights", "5,one"], 2, "weights: given '5,one'; allowed: whole numbers"),
        (["picks", "random", "--weights", ","], 2, "weights: given none"),
        (["picks", "random", "--weights", "1.5,1"], 2, "weights: given '1.5,1'"),
        (["picks", "random", "--weights=-1,1"], 2, "weight: given -1"),
        (["picks", "random", "--names", "a,b"], 2, "names: given 2; allowed: one for each of the 3 weights"),
        (["picks", "random", "--limits", "1"], 2, "limits: given 1; allowed: one for each of the 3 weights"),
        (["picks", "random", "--limits", "a,b,c"], 2, "limits: given 'a,b,c'"),
        (["picks", "random", "--down", "3"], 2, "down: given 3"),
        (["picks", "random", "--down", "b"], 2, "down: given 'b'"),
        (["picks", "random", "--count", "0"], 2, "count: given 0"),
        (["picks", "random", "--count", "some"], 2, "--count"),
        (["picks", "random", "--seed", "-1"], 2, "--seed"),
        (["picks", "nginx.hash"], 2, "keys: given none"),
        (["picks", "nginx.hash", "--keys", "k9..k1"], 2, "keys: given 'k9..k1'; allowed: a range"),
        (["picks", "nginx.ip_hash", "--keys", "k1"], 2, "an address, such as 192.0.2.7"),
        (["explain", "1", "0"], 2, "no run 1"),
        (["explain", "1"], 2, "Missing argument"),
        (["explain", "one", "0"], 2, "run_id"),
        (["strategies", "all"], 2, "see --help"),
    ],
)
def test_bad_arguments_are_answered_with_a_code_of_their_own(
    command, arguments: list[str], code: int, complaint: str
):
    ended, _, err = command(*arguments)
    assert ended == code
    assert complaint in err
    assert "Traceback" not in err


def test_a_request_beyond_the_run_is_answered_with_those_there_are(command):
    command("run", "small.yaml")
    code, out, err = command("explain", "1", "2000")
    assert (code, out) == (2, "")
    assert err == "request 2000: the run has requests 0 to 1999\n"


def test_with_json_an_error_is_json_too(command, tmp_path: Path):
    (tmp_path / "bad.yaml").write_text(BAD_SCENARIOS["two at once"][0])
    code, out, _ = command("run", "bad.yaml", "--json")
    content: dict[str, Any] = json.loads(out)
    assert code == 2
    assert content["schema"] == "workbench.error/1"
    assert [problem["key"] for problem in content["problems"]] == ["service.mean", "pool[0].count"]


def test_a_catalogue_that_is_no_catalogue_is_said_to_be_corrupt(command, tmp_path: Path):
    command("run", "small.yaml")
    for file in (tmp_path / "lake").glob("catalogue.sqlite*"):
        file.write_bytes(b"this is no catalogue" * 100)
    code, _, err = command("runs")
    assert code == 4
    assert "catalogue" in err
    assert "Traceback" not in err


def test_ctrl_c_stops_with_130_and_finished_runs_are_kept(tmp_path: Path):
    (tmp_path / "long.yaml").write_text(SCENARIO.replace("2000 requests", "100k requests"))
    arguments = [
        "compare",
        "long.yaml",
        "-s",
        "random",
        "-s",
        "round_robin",
        "-n",
        "200",
        "-j",
        "2",
        "--lake",
        "lake",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WORKBENCH_LAKE": "lake"},
    )
    deadline = time.monotonic() + 50
    settings = Settings(lake=tmp_path / "lake")
    while all(run.state != "complete" for run in wb.runs(settings=settings).runs):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "goes on from there" in err
    states = {run.state for run in wb.runs(settings=settings).runs}
    assert "complete" in states
    assert "running" not in states
