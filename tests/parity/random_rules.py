"""Random rules and series, and what our evaluation makes of them, for tests beside promtool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from workbench.alerts.exporting import prometheus_rules, prometheus_tests, recorded_test
from workbench.alerts.labels import Labels
from workbench.alerts.rule_tests import RuleTests
from workbench.alerts.rules import RuleFile
from workbench.alerts.series import STALE

EVERY = 15.0
STEPS = 40
SERVERS = ("a", "b", "c")
FUNCTIONS = ("min_over_time", "max_over_time", "last_over_time", "count_over_time", "sum_over_time")


@dataclass(frozen=True)
class Written:
    """Files for promtool, and how much they check."""

    tests: Path
    checks: int
    """Pending, firing and active_at of each rule at each evaluation: three a rule and time."""
    alive: int
    """Samples that must be there, so that agreement is not about nothing."""


def random_values(rng: Generator, *, counter: bool) -> list[float | None]:
    """Draw a series: levels that last for a while, halves so that sums are exact, gaps, and ends."""
    values: list[float | None] = []
    level = 0.0
    while len(values) < STEPS + 5:
        length = int(rng.integers(1, 9))
        kind = rng.choice(["level", "gap", "stale"], p=[0.85, 0.1, 0.05])
        if kind == "gap":
            values += [None] * length
        elif kind == "stale":
            values.append(STALE)
        elif counter:
            level = 0.0 if rng.random() < 0.1 else level
            for _ in range(length):
                level += float(rng.integers(0, 9))
                values.append(level)
        else:
            values += [float(rng.integers(0, 21)) / 2] * length
    return values


def random_signal(rng: Generator) -> dict[str, Any]:
    """Draw a signal; only functions and numbers with which both programs compute exactly."""
    signal: dict[str, Any] = {"metric": "depth"}
    if rng.random() < 0.3:
        signal["match"] = rng.choice(['server="a"', 'server!="b"', 'server=~"a|c"', 'server!~"c"'])
    if rng.random() < 0.5:
        signal |= {"function": str(rng.choice(FUNCTIONS)), "over": float(rng.choice([15, 30, 40, 60, 90]))}
    if rng.random() < 0.3:
        signal |= {"aggregate": str(rng.choice(["sum", "min", "max", "count"]))}
        signal |= {"by": ["pool"]} if rng.random() < 0.5 else {}
    return signal


def random_condition(rng: Generator) -> dict[str, Any]:
    """Draw a condition."""
    kind = rng.choice(["threshold", "hysteresis", "absence", "burn_rate"], p=[0.45, 0.3, 0.15, 0.1])
    if kind == "absence":
        over = {"over": float(rng.choice([15, 45]))} if rng.random() < 0.7 else {}
        return {"kind": "absence", "metric": "depth", "match": {"server": str(rng.choice(SERVERS))}, **over}
    if kind == "burn_rate":
        return {
            "kind": "burn_rate", "errors": "errors", "total": "requests", "by": ["server"],
            "objective": 0.5, "factor": 1.2, "long": 120.0, "short": 45.0,
        }  # fmt: skip
    above, limit = rng.random() < 0.7, float(rng.integers(2, 18)) / 2 + 0.25
    condition = {"kind": "threshold", "of": random_signal(rng), "above" if above else "below": limit}
    if kind == "hysteresis":
        condition["clear_at"] = limit - 2 if above else limit + 2
    return condition


def random_rule(rng: Generator, number: int) -> dict[str, Any]:
    """Draw a rule."""
    rule: dict[str, Any] = {
        "name": f"Rule{number}",
        "condition": random_condition(rng),
        "for": float(rng.choice([0, 0, 15, 20, 45, 60])),
        "keep_firing_for": float(rng.choice([0, 0, 20, 30, 75])),
        "severity": str(rng.choice(["page", "ticket"])),
        "no_data": str(rng.choice(["ok", "ok", "ok", "alert"])),
        "annotations": {"summary": "{{ $labels.server }}: {{ $value }}, {{ $value | humanize }}"},
    }
    if rng.random() < 0.3:
        rule["labels"] = {"team": "team {{ $labels.pool }}"}
    return rule


def write_trial(folder: Path, *, seed: int, rules: int, every: float = EVERY) -> Written:
    """Draw rules and series, evaluate them, and write both for promtool with our results as expected."""
    rng = np.random.default_rng(seed)
    file = RuleFile.model_validate(
        {"name": "random", "interval": every, "rules": [random_rule(rng, number) for number in range(rules)]}
    )
    metrics = {
        name: [
            (Labels({"server": server, "pool": pool}), random_values(rng, counter=name != "depth"))
            for server, pool in zip(SERVERS, "xyy", strict=True)
        ]
        for name in ("depth", "errors", "requests")
    }
    until = every * (STEPS - 1)
    group = recorded_test(file.every_rule, metrics, name="random", interval=15.0, every=every, until=until)
    document = RuleTests.model_validate(
        {"rule_files": ["rules.yml"], "evaluation_interval": every, "tests": [group]}
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(prometheus_rules(file))
    (folder / "tests.yml").write_text(prometheus_tests(document, rule_file="rules.yml"))
    expected = [one for one in group.promql_expr_test if one.exp_samples]
    checks = 3 * len(file.every_rule) * len({one.eval_time for one in group.alert_rule_test})
    return Written(folder / "tests.yml", checks, len(expected))


def trials(folder: Path, seeds: Sequence[int], *, rules: int) -> list[Written]:
    """Write several trials, each in a folder of its own."""
    return [write_trial(folder / str(seed), seed=seed, rules=rules) for seed in seeds]
