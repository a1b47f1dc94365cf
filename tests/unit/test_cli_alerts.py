"""`workbench alerts`: what it prints, its exit codes, and that no bad input gives a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from workbench.cli import main
from workbench.workflows import json_schema

RULES = """\
name: mine
interval: 5s
rules:
  - name: Deep
    condition: {kind: threshold, of: {metric: workbench_queue_depth, aggregate: sum}, above: 4}
    for: 5s
"""
TESTS = """\
rule_files: [rules.yaml]
evaluation_interval: 5s
tests:
  - interval: 5s
    input_series: [{series: 'workbench_queue_depth{server="a"}', values: '9x9'}]
    alert_rule_test:
      - {eval_time: 0s, alertname: Deep}
      - {eval_time: 5s, alertname: Deep, exp_alerts: [{exp_labels: {severity: page}}]}
"""
SCENARIO = """\
name: small
arrivals: {kind: poisson, rate: 10/s}
service: {kind: exponential, mean: 100ms}
pool: {count: 2}
balancers: {strategy: join_shortest_queue}
horizon: 1min
"""
DRILL = """\
name: small drill
scenario: scenario.yaml
faults: [{fault: overload, factor: 4, lasting: 1min}]
quiet: 2min
recovery: 30s
warm_up: 10s
replications: 2
"""

Ended = tuple[int, str, str]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Give a function that runs `workbench alerts` in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")
    files = {"rules": RULES, "rules_test": TESTS, "scenario": SCENARIO, "drill": DRILL}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["workbench", "alerts", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run


def test_check_runs_the_tests_beside_the_rules(command):
    code, out, _ = command("check", "rules.yaml", "--mutate")
    assert code == 0
    assert "1 rules, 2 expectations: pass" in out
    assert "the tests of Deep do not notice: " in out


def test_a_failed_test_is_shown_and_ends_with_1(command, tmp_path: Path):
    (tmp_path / "rules_test.yaml").write_text(TESTS.replace("severity: page", "severity: ticket"))
    code, out, err = command("check", "rules.yaml")
    assert code == 1
    assert "FAIL" in out
    assert 'missing: {alertname="Deep", severity="ticket"}' in out
    assert err == ""


def test_problems_of_rules_and_tests_end_with_2(command, tmp_path: Path):
    (tmp_path / "rules.yaml").write_text("name: x\nrules:\n  - {name: A B, condition: {kind: absense}}\n")
    code, _, err = command("check", "rules.yaml")
    assert code == 2
    assert "rules.yaml:3: rules[0].name: given 'A B'" in err
    assert "did you mean absence?" in err


def test_lint_ends_with_1_where_it_finds_something(command, tmp_path: Path):
    assert command("lint", "rules.yaml")[0] == 0
    (tmp_path / "rules.yaml").write_text(RULES.replace("for: 5s", "for: 7s"))
    code, out, _ = command("lint", "rules.yaml")
    assert code == 1
    assert "for is 7 s; evaluated every 5 s it works as 10 s" in " ".join(out.split())


def test_backtest_and_advice_show_their_figures(command):
    code, out, _ = command("backtest", "rules.yaml", "drill.yaml")
    assert code == 0
    assert "small drill: 2 incidents in 2 episodes" in out
    assert "overload x4: first Deep 2x; detected by Deep 2/2 in" in out
    code, out, _ = command("advise", "rules.yaml", "Deep", "drill.yaml", "--budget", "0", "--export", "out")
    assert code == 0
    assert "answer: sum (workbench_queue_depth) >" in out
    assert "over episodes that had no part in the choice: 0 (" in out
    assert "wrote out/Deep.rules.yml" in out


def test_export_prints_or_writes(command, tmp_path: Path):
    code, out, _ = command("export", "rules.yaml")
    assert code == 0
    assert "expr: sum (workbench_queue_depth) > 4.0" in out
    code, out, _ = command("export", "rules.yaml", "-o", "out")
    assert out.splitlines() == ["wrote out/rules.rules.yml", "wrote out/rules.rules_test.yml"]
    assert "rules.rules.yml" in (tmp_path / "out" / "rules.rules_test.yml").read_text()


@pytest.mark.parametrize(
    ("arguments", "form"),
    [
        (["check", "rules.yaml"], "alert_check"),
        (["lint", "rules.yaml"], "alert_lint"),
        (["backtest", "rules.yaml", "drill.yaml"], "backtest"),
        (["advise", "rules.yaml", "Deep", "drill.yaml"], "advice"),
    ],
)
def test_json_is_of_the_published_form(command, arguments: list[str], form: str):
    code, out, _ = command(*arguments, "--json")
    assert code == 0
    content = json.loads(out)
    assert content["schema"] == f"workbench.{form}/1"
    jsonschema.validate(content, json_schema(form))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check"], "Missing argument"),
        (["check", "none.yaml"], "none.yaml: document: given what cannot be read"),
        (["check", "rules.yaml", "--tests", "drill.yaml"], "rule_files"),
        (["lint", "rules.yaml", "--step", "often"], "step: given 'often'"),
        (["backtest", "rules.yaml"], "allowed: a drill, or stored runs by --run"),
        (["backtest", "rules.yaml", "drill.yaml", "--run", "1"], "given neither or both"),
        (["backtest", "rules.yaml", "drill.yaml", "--rule", "Deap"], "given Deap; allowed: Deep"),
        (["backtest", "rules.yaml", "drill.yaml", "--incident", "a@1s+1s"], "allowed: with --run"),
        (["backtest", "rules.yaml", "scenario.yaml"], "scenario.yaml:2: arrivals"),
        (["backtest", "rules.yaml", "--run", "1"], "run 1"),
        (["advise", "rules.yaml", "Deap", "drill.yaml"], "given Deap; allowed: Deep"),
        (["advise", "rules.yaml", "Deep", "drill.yaml", "--for", "x"], "for: given 'x'"),
        (["export", "rules.yaml", "--rule", "Deap"], "given Deap; allowed: Deep"),
        (["export", "rules.yaml", "--tests", "rules_test.yaml"], "given without --folder"),
        (["export", "rules.yaml", "-o", "rules.yaml"], "given a folder that cannot be written"),
    ],
)
def test_bad_input_is_named_without_a_traceback(command, arguments: list[str], complaint: str):
    code, out, err = command(*arguments)
    assert code == 2
    assert complaint in err
    assert "Traceback" not in out + err
