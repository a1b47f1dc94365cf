"""Rule tests in promtool's format: what they read, and what they say when a rule is otherwise."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from workbench.alerts.labels import Labels
from workbench.alerts.mutation import mutants, mutation_score
from workbench.alerts.notation import parse_series, parse_values, samples, write_values
from workbench.alerts.rule_tests import RuleTests, check_names, load_rule_tests, run_rule_tests
from workbench.alerts.rules import Rule, make_rules
from workbench.alerts.series import STALE
from workbench.errors import DocumentError

DEEP = {
    "name": "Deep",
    "condition": {"kind": "threshold", "of": "depth", "above": 5},
    "for": 60,
    "annotations": {"summary": "{{ $value }} wait"},
}
ALERT = {"exp_labels": {"severity": "page", "server": "a"}, "exp_annotations": {"summary": "6 wait"}}


def written(
    *, alerts: list[dict] | None = None, states: list[dict] | None = None, values: str = "6x5"
) -> RuleTests:
    group = {
        "interval": "1m",
        "input_series": [{"series": 'depth{server="a"}', "values": values}],
        "alert_rule_test": alerts or [],
        "promql_expr_test": states or [],
    }
    return RuleTests.model_validate({"rule_files": ["x"], "evaluation_interval": "1m", "tests": [group]})


def rules(**keys: object) -> tuple[Rule, ...]:
    return make_rules(DEEP | keys).every_rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2.5 -3", [1.0, 2.5, -3.0]),
        ("1+2x3", [1.0, 3.0, 5.0, 7.0]),
        ("9-2x2", [9.0, 7.0, 5.0]),
        ("4x2", [4.0, 4.0, 4.0]),
        ("_ _x2 1", [None, None, None, 1.0]),
        ("1e2 Inf -Inf", [100.0, math.inf, -math.inf]),
    ],
)
def test_values_are_spelled_out_as_promtool_documents(text: str, expected: list[float | None]):
    assert parse_values(text) == expected


def test_a_marker_is_the_stale_one():
    (value,) = parse_values("stale")
    assert write_values([value]) == "stale"
    assert write_values([math.nan, STALE, None, None, 1.0, 1.0]) == "NaN stale _x2 1x1"


def test_gaps_have_no_samples():
    times, values = samples([None, 1.0, None, 2.0], 15.0)
    assert times.tolist() == [15.0, 45.0]
    assert values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("text", ["1+2", "x3", "1 + 2", "a", "1+2x"])
def test_values_that_are_none_are_refused(text: str):
    with pytest.raises(ValueError, match="values such as"):
        parse_values(text)


def test_a_series_may_have_its_name_as_a_label():
    assert parse_series('{__name__="up", job="a"}') == ("up", Labels({"job": "a"}))


def test_a_test_that_holds_says_nothing():
    found = written(
        alerts=[
            {"eval_time": "0m", "alertname": "Deep"},
            {"eval_time": "1m", "alertname": "Deep", "exp_alerts": [ALERT]},
        ]
    )
    assert run_rule_tests(found, rules()) == []


def test_the_last_evaluation_up_to_the_time_counts():
    found = written(
        alerts=[
            {"eval_time": "59s", "alertname": "Deep"},
            {"eval_time": "61s", "alertname": "Deep", "exp_alerts": [ALERT]},
        ]
    )
    assert run_rule_tests(found, rules()) == []


def test_what_is_missing_and_what_is_unexpected_is_told():
    found = written(alerts=[{"eval_time": "1m", "alertname": "Deep", "exp_alerts": [ALERT]}])
    (mismatch,) = run_rule_tests(found, rules(severity="ticket"))
    assert str(mismatch) == (
        "tests[0]: Deep at 60s\n"
        """  missing: {alertname="Deep", server="a", severity="page"} {'summary': '6 wait'}\n"""
        """  unexpected: {alertname="Deep", server="a", severity="ticket"} {'summary': '6 wait'}"""
    )


def test_pending_and_active_at_are_pinned_by_alerts():
    pending = 'ALERTS{alertname="Deep", alertstate="pending", server="a", severity="page"}'
    since = 'ALERTS_FOR_STATE{alertname="Deep", server="a", severity="page"}'
    states = [
        {
            "expr": 'ALERTS{alertname="Deep"}',
            "eval_time": "1m",
            "exp_samples": [{"labels": pending, "value": 1}],
        },
        {"expr": "ALERTS_FOR_STATE", "eval_time": "1m", "exp_samples": [{"labels": since, "value": 60}]},
    ]
    assert run_rule_tests(written(states=states, values="1 6x5"), rules()) == []
    assert len(run_rule_tests(written(states=states, values="6x5"), rules())) == 2


def test_a_rule_that_cannot_be_evaluated_is_a_mismatch():
    found = written(alerts=[{"eval_time": "1m", "alertname": "Deep"}])
    (mismatch,) = run_rule_tests(found, rules(condition={"kind": "sql", "query": "select 1"}))
    assert "sql" in str(mismatch)


def test_all_problems_of_a_file_come_at_once(tmp_path: Path):
    file = tmp_path / "t.yaml"
    file.write_text(
        "rule_files: [a]\ntests:\n  - input_series:\n      - {series: '{a=\"b\"}', values: 0x60}\n"
        "    promql_expr_test:\n      - {expr: up, eval_time: 1m}\n    alert_rule_tests: []\n"
    )
    with pytest.raises(DocumentError) as error:
        load_rule_tests(file)
    assert [(one.line, one.key.rpartition(".")[2]) for one in error.value.problems] == [
        (4, "series"),
        (4, "values"),
        (6, "expr"),
        (7, "alert_rule_tests"),
    ]


def test_a_test_of_a_rule_that_is_not_there_is_refused():
    with pytest.raises(DocumentError, match="given 'Deap'; allowed: one of Deep"):
        check_names(written(alerts=[{"eval_time": "1m", "alertname": "Deap"}]), rules(), Path("t.yaml"))


def test_thorough_tests_notice_every_wrong_copy_and_careless_ones_do_not():
    resolved = {"eval_time": "4m", "alertname": "Deep"}
    firing = {"eval_time": "1m", "alertname": "Deep", "exp_alerts": [ALERT]}
    low = {**ALERT, "exp_annotations": {"summary": "5.2 wait"}}
    thorough = written(
        values="6 6 6 1 1 5.2x3 1 4.8x9",
        alerts=[
            {"eval_time": "0m", "alertname": "Deep"}, firing,
            {"eval_time": "3m", "alertname": "Deep"},
            {"eval_time": "6m", "alertname": "Deep", "exp_alerts": [low]},
            {"eval_time": "12m", "alertname": "Deep"},
        ],
    )  # fmt: skip
    (rule,) = rules()
    assert run_rule_tests(thorough, [rule]) == []
    assert mutation_score(rule, thorough, [rule]).missed == ()
    careless = mutation_score(rule, written(alerts=[firing, resolved | {"eval_time": "0m"}]), [rule])
    assert "above higher by 10 %" in careless.missed
    assert 0 < careless.score < 1


def test_without_a_test_every_wrong_copy_is_missed():
    (rule,) = rules()
    score = mutation_score(rule, written(), [rule])
    assert score.score == 0
    assert len(score.missed) == len(mutants(rule, every=60.0)) > 5
