"""Our state machine beside Prometheus's: the same rules and series, by `promtool test rules`."""

from __future__ import annotations

import inspect
import subprocess
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity.random_rules import trials, write_trial
from workbench import workflows
from workbench.alerts import Labels, evaluation, state
from workbench.alerts.exporting import prometheus_rules, prometheus_tests, recorded_test
from workbench.alerts.rule_tests import RuleTests
from workbench.alerts.rules import make_rules

RULES = Path(__file__).parents[2] / "data" / "rules"

MUTATIONS = {
    "fires a step late": (
        "round((at - since) * 1e6) >= round(length * 1e6)",
        "round((at - since) * 1e6) > round(length * 1e6)",
    ),
    "pends for ever anew": ("held.make(alert.active_at)", "held.make(at)"),
    "a pending alert is kept like a firing one": (
        "if alert.state is State.PENDING:\n        transitions.append(Transition(at, State.PENDING",
        "if alert.state is State.INACTIVE:\n        transitions.append(Transition(at, State.PENDING",
    ),
    "keeps from the last evaluation that held": (
        "since = at if one.kept_since is None else one.kept_since",
        "since = at - 15.0 if one.kept_since is None else one.kept_since",
    ),
    "a true evaluation does not reset the keeping": (
        "return Tracked(renewed)",
        "return Tracked(renewed, KEPT.setdefault(renewed.labels, at))",
    ),
    "hysteresis also holds while pending": (
        "if not held.only_if_firing or alert.state is State.FIRING:",
        "if True:",
    ),
    "hysteresis never holds": (
        "if not held.only_if_firing or alert.state is State.FIRING:",
        "if not held.only_if_firing:",
    ),
    "a resolved alert does not come again": (
        "known is not None and known.alert.state is not State.RESOLVED",
        "known is not None",
    ),
}
"""Wrong copies of the state machine: what is replaced by what."""


@pytest.fixture
def promtool(program: Callable[[str], str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    path = program("promtool")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [path, *(str(one) for one in arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    return run


def mutated(change: tuple[str, str]) -> Callable[..., object]:
    """Give the `step` of a copy of the state machine in which something is replaced."""
    source = inspect.getsource(state)
    assert source.count(change[0]) == 1, "the mutation no longer fits the state machine"
    module = types.ModuleType("mutated_state")
    module.__dict__["KEPT"] = {}
    module.__dict__["__name__"] = state.__name__  # dataclasses look their module up
    exec(compile(source.replace(*change), "mutated_state", "exec", dont_inherit=True), module.__dict__)
    # The copy's classes are not ours: only its functions are used, over our classes.
    for name in ("Tracked", "Found"):
        setattr(module, name, getattr(state, name))
    return module.step


def test_pending_firing_and_active_at_are_prometheuss_on_random_rules(promtool, tmp_path: Path):
    written = trials(tmp_path, range(1, 13), rules=10)
    assert sum(one.checks for one in written) >= 10_000
    assert sum(one.alive for one in written) >= 2_000
    tested = promtool("test", "rules", *(one.tests for one in written))
    assert tested.returncode == 0, tested.stdout[-3000:] + tested.stderr[-3000:]


@pytest.mark.parametrize("every", [5.0, 30.0])
def test_other_evaluation_intervals_agree_too(promtool, tmp_path: Path, every: float):
    written = write_trial(tmp_path, seed=int(every), rules=10, every=every)
    tested = promtool("test", "rules", written.tests)
    assert tested.returncode == 0, tested.stdout[-3000:] + tested.stderr[-3000:]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_state_machine_is_caught(
    promtool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutation: str
):
    monkeypatch.setattr(evaluation, "step", mutated(MUTATIONS[mutation]))
    written = trials(tmp_path, range(7, 10), rules=10)
    assert promtool("test", "rules", *(one.tests for one in written)).returncode != 0


def test_random_rules_pass_promtools_check(promtool, tmp_path: Path):
    written = write_trial(tmp_path, seed=99, rules=40)
    checked = promtool("check", "rules", written.tests.with_name("rules.yml"))
    assert checked.returncode == 0, checked.stderr
    assert "40 rules found" in checked.stdout


@pytest.mark.parametrize("stem", ["budget", "queues", "reconciliation"])
def test_default_rules_pass_promtools_check_and_their_own_tests_there(promtool, tmp_path: Path, stem: str):
    workflows.export_rules(RULES / f"{stem}.yaml", folder=tmp_path)
    checked = promtool("check", "rules", tmp_path / f"{stem}.rules.yml")
    assert checked.returncode == 0, checked.stderr
    tested = promtool("test", "rules", tmp_path / f"{stem}.rules_test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_wrong_default_rule_fails_its_test_there(promtool, tmp_path: Path):
    workflows.export_rules(RULES / "queues.yaml", folder=tmp_path)
    file = tmp_path / "queues.rules.yml"
    file.write_text(file.read_text().replace("> 5.0", "> 5.5"))
    assert promtool("test", "rules", tmp_path / "queues.rules_test.yml").returncode != 0


def test_an_advised_rule_passes_promtools_check_and_its_own_test_there(promtool, tmp_path: Path):
    (tmp_path / "drill.yaml").write_text(
        f"name: x\nscenario: {RULES / 'drill_scenario.yaml'}\nquiet: 5min\nreplications: 2\n"
        "faults: [{fault: overload, factor: 2, lasting: 3min}]\n"
    )
    for rule in ("QueueDeep", "ResponseSlow"):
        _, written = workflows.advise_rule(
            RULES / "queues.yaml", rule, tmp_path / "drill.yaml", export=tmp_path / "out"
        )
        assert written.count("wrote") == 2
        file = tmp_path / "out" / f"{rule}.rules.yml"
        assert promtool("check", "rules", file).returncode == 0
        tested = promtool("test", "rules", file.with_name(f"{rule}.rules_test.yml"))
        assert tested.returncode == 0, tested.stdout + tested.stderr
        assert f"alertname: {rule}" in file.with_name(f"{rule}.rules_test.yml").read_text()


TEMPLATES = (
    "{{ $value }}",
    "{{ $value | humanize }}",
    "{{ humanizeDuration $value }}",
    "{{ $value | humanizePercentage }}",
    '{{ printf "%.3f" $value }}',
    '{{ $value | printf "%8.2e|%%" }}',
    '{{ $labels.server | printf "%s!" }}',
    "{{ $labels.missing }}.",
)


def test_templates_are_filled_in_as_prometheus_fills_them_in(promtool, tmp_path: Path):
    rule = {
        "name": "Any",
        "condition": {"kind": "threshold", "of": "depth", "above": -1e30},
        "annotations": {f"text{number}": text for number, text in enumerate(TEMPLATES)},
    }
    values = [
        0.0,
        5.0,
        0.1,
        1e-9,
        1234567.0,
        1e15,
        1e16,
        123456.5,
        999999.0,
        1e6,
        1e-4,
        2.5e-5,
        61.0,
        93784.5,
        -3.25,
        999.95,
        1 / 3,
    ]
    series = [(Labels({"server": "a"}), values)]
    file = make_rules(rule)
    group = recorded_test(
        file.every_rule,
        {"depth": series},
        name="templates",
        interval=60.0,
        every=60.0,
        until=60.0 * (len(values) - 1),
    )
    tests = RuleTests.model_validate(
        {"rule_files": ["rules.yml"], "evaluation_interval": 60.0, "tests": [group]}
    )
    (tmp_path / "rules.yml").write_text(prometheus_rules(file))
    (tmp_path / "tests.yml").write_text(prometheus_tests(tests, rule_file="rules.yml"))
    tested = promtool("test", "rules", tmp_path / "tests.yml")
    assert tested.returncode == 0, tested.stdout[-3000:] + tested.stderr[-3000:]
