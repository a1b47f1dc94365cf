"""Evaluation of whole rules: no data, errors, restarts, rules that go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from workbench.alerts.courses import Scene
from workbench.alerts.evaluation import Memory, evaluate, evaluate_all
from workbench.alerts.instances import Evaluation, State
from workbench.alerts.labels import Labels
from workbench.alerts.rules import RuleFile, make_rules
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.errors import InputError, StoreError

DEEP: dict[str, Any] = {"kind": "threshold", "of": "depth", "above": 5}


def rules(**keys: Any) -> RuleFile:
    return make_rules({"name": "Deep", "condition": DEEP, **keys})


def source(**servers: Sequence[float | None]) -> MemorySource:
    series = [
        (
            Labels({"server": name}),
            [15.0 * place for place, value in enumerate(values) if value is not None],
            [value for value in values if value is not None],
        )
        for name, values in servers.items()
    ]
    return MemorySource({"depth": SeriesSet.gather(series)})


def run(
    file: RuleFile, data: Any, steps: int, memory: Memory | None = None, first: int = 0
) -> list[Evaluation]:
    done = []
    memory = memory or Memory()
    for number in range(first, steps):
        memory, evaluation = evaluate(file.every_rule, memory, data, 15.0 * number)
        done.append(evaluation)
    return done


def shown(evaluation: Evaluation) -> list[tuple[str, str]]:
    return [
        (one.labels.get("server", one.labels.get("reason", "")), one.state.value)
        for one in evaluation.instances
    ]


class Broken:
    """A source that fails as the store does."""

    def series(self, *_: Any, **__: Any) -> SeriesSet:
        raise StoreError("the lake is gone")

    query = series


def test_each_series_is_an_alert_of_its_own():
    (first,) = run(rules(), source(a=[9.0], b=[1.0], c=[6.0]), 1)
    assert shown(first) == [("a", "firing"), ("c", "firing")]
    assert first.instances[0].labels == Labels({"alertname": "Deep", "severity": "page", "server": "a"})


def test_hysteresis_ends_an_alert_at_clear_at_and_not_before():
    file = rules(condition=DEEP | {"clear_at": 2})
    states = [shown(one) for one in run(file, source(a=[3.0, 6.0, 3.0, 2.0, 3.0]), 5)]
    assert states[0] == []
    assert states[1:3] == [[("a", "firing")]] * 2
    assert states[3:] == [[("a", "resolved")]] * 2


@pytest.mark.parametrize(
    ("no_data", "expected"),
    [
        ("ok", [("a", "resolved")]),
        ("keep", [("a", "firing")]),
        ("alert", [("a", "resolved"), ("no_data", "firing")]),
    ],
)
def test_no_data_means_what_the_rule_says(no_data: str, expected: list[tuple[str, str]]):
    last = run(rules(no_data=no_data), source(a=[9.0] + [None] * 25), 24)[-1]
    assert shown(last) == expected


@pytest.mark.parametrize(
    ("on_error", "expected"),
    [("keep", [("a", "firing")]), ("alert", [("a", "resolved"), ("error", "firing")])],
)
def test_an_error_means_what_the_rule_says_and_is_told(on_error: str, expected: list[tuple[str, str]]):
    file = rules(on_error=on_error)
    memory, _ = evaluate(file.every_rule, Memory(), source(a=[9.0]), 0.0)
    _, evaluation = evaluate(file.every_rule, memory, Broken(), 15.0)
    assert shown(evaluation) == expected
    assert [(one.rule, one.reason) for one in evaluation.failures] == [("Deep", "the lake is gone")]


def test_a_rule_that_fails_does_not_stop_the_others():
    file = make_rules(
        {"name": "Deep", "condition": DEEP}, {"name": "Sql", "condition": {"kind": "sql", "query": "x"}}
    )
    _, evaluation = evaluate(file.every_rule, Memory(), source(a=[9.0]), 0.0)
    assert shown(evaluation) == [("a", "firing")]
    assert "sql" in evaluation.failures[0].reason


def test_two_series_of_one_alert_are_an_error():
    (first,) = run(rules(labels={"server": "all"}), source(a=[9.0], b=[9.0]), 1)
    assert first.instances == ()
    assert "given two series for" in first.failures[0].reason


def test_a_restart_in_between_changes_nothing():
    rng = np.random.default_rng(5)
    data = source(**{name: (10 * rng.random(40)).tolist() for name in "abc"})
    file = rules(**{"for": 30, "keep_firing_for": 20, "annotations": {"summary": "{{ $value }}"}})
    memory, through = Memory(), run(file, data, 40)
    for number in range(40):
        memory, evaluation = evaluate(
            file.every_rule, Memory.from_json(memory.to_json()), data, 15.0 * number
        )
        assert evaluation == through[number]
    assert any(one.state is State.FIRING for evaluation in through for one in evaluation.instances)


def test_many_times_at_once_are_as_one_after_the_other():
    rng = np.random.default_rng(6)
    data = source(**{name: (10 * rng.random(40)).tolist() for name in "ab"})
    file = rules(**{"for": 15, "no_data": "alert", "condition": DEEP | {"clear_at": 3}})
    scene = Scene(data, 15.0 * np.arange(70, dtype=np.float64))
    assert [one for _, one in evaluate_all(file.every_rule, Memory(), scene)] == run(file, data, 70)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "rules": {"A": [{}]}}'])
def test_a_state_that_cannot_be_read_is_refused(text: str):
    with pytest.raises(InputError, match="alert state"):
        Memory.from_json(text)


def test_alerts_of_a_rule_that_is_gone_are_resolved():
    file = rules(keep_firing_for=600)
    memory, _ = evaluate(file.every_rule, Memory(), source(a=[9.0]), 0.0)
    memory, evaluation = evaluate([], memory, source(a=[9.0]), 15.0)
    assert [(one.before.value, one.instance.state.value) for one in evaluation.transitions] == [
        ("firing", "resolved")
    ]
    _, later = evaluate([], memory, source(a=[9.0]), 2000.0)
    assert later.instances == ()


def test_sql_rows_are_alerts_and_at_is_the_time_of_the_evaluation():
    asked = []

    def query(sql: str, at: float) -> list[tuple[Labels, float]]:
        asked.append((sql, at))
        return [(Labels({"run": "1"}), 3.0), (Labels({"run": "2"}), 1.0)]

    file = make_rules({"name": "Slow", "condition": {"kind": "sql", "query": "select 1", "above": 2}})
    _, evaluation = evaluate(file.every_rule, Memory(), MemorySource({}, query=query), 42.0)
    assert [one.labels["run"] for one in evaluation.instances] == ["1"]
    assert asked == [("select 1", 42.0)]


def test_absence_has_the_labels_that_the_rule_asks_for():
    condition = {"kind": "absence", "metric": "depth", "match": {"server": "z"}}
    (first,) = run(make_rules({"name": "Gone", "condition": condition}), source(a=[1.0]), 1)
    assert [one.labels for one in first.instances] == [
        Labels({"alertname": "Gone", "server": "z", "severity": "page"})
    ]


def test_a_budget_burns_only_while_both_windows_say_so():
    # 60 errors in 100 a minute for an hour, then none: with a budget of one half that is 1.2 times.
    times = [60.0 * minute for minute in range(121)]
    errors = [60.0 * min(minute, 60) for minute in range(121)]
    total = [100.0 * minute for minute in range(121)]
    metrics = {
        "bad": SeriesSet.gather([(Labels(), times, errors)]),
        "all": SeriesSet.gather([(Labels(), times, total)]),
    }
    condition = {
        "kind": "burn_rate", "errors": "bad", "total": "all", "objective": 0.5, "factor": 1.0,
        "long": "30min", "short": "5min",
    }  # fmt: skip
    file = make_rules({"name": "Burn", "condition": condition})
    scene = Scene(MemorySource(metrics), np.array([0.0, 600.0, 3600.0, 3720.0, 5400.0]))
    found = [evaluation.instances for _, evaluation in evaluate_all(file.every_rule, Memory(), scene)]
    assert [[(one.state.value, round(one.value, 6)) for one in one_time] for one_time in found[:3]] == [
        [],
        [("firing", 1.2)],
        [("firing", 1.2)],
    ]
    assert [one.state for one in found[3]] == [
        State.RESOLVED
    ]  # the long window burns on, the short one does not
