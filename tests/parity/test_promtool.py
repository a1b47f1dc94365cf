"""Our state machine beside Prometheus's: the same rules and series, by `promtool test rules`."""

from __future__ import annotations

import inspect
import subprocess
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity.random_rules import trials, write_trial
from workbench.alerts import evaluation, state

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
