"""The linter finds what it is for, and nothing in what is right."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.alerts.linter import CHECKS, Surroundings, lint
from workbench.alerts.rules import RuleFile, make_rules
from workbench.workflows.alerting import known_metrics

DEPTH, RATIO = "workbench_queue_depth", "workbench_utilisation_ratio"
GOOD: dict[str, Any] = {"kind": "threshold", "of": DEPTH, "above": 5}
BURN = {"kind": "burn_rate", "errors": "workbench_errors_total", "total": "workbench_answers_total",
        "long": "1h", "short": "5min"}  # fmt: skip
ERRORS = {
    "metric": "workbench_errors_total", "function": "rate", "over": 60,
    "divided_by": {"metric": "workbench_answers_total", "function": "rate", "over": 60},
}  # fmt: skip
UNEVEN = {
    "metric": RATIO, "function": "avg_over_time", "over": 60, "aggregate": "max",
    "divided_by": {"metric": RATIO, "function": "avg_over_time", "over": 60, "aggregate": "avg"},
}  # fmt: skip


def codes(*rules: dict[str, Any], healthy: dict[str, float] | None = None) -> list[str]:
    named = [{"name": f"R{number}"} | rule for number, rule in enumerate(rules)]
    found = lint(make_rules(*named), Surroundings(known_metrics(), healthy=healthy))
    return [f"{one.rule} {one.code}" for one in found]


def threshold(of: Any, **keys: float) -> dict[str, Any]:
    return {"condition": {"kind": "threshold", "of": of, **keys}}


def test_nothing_is_found_in_what_is_right():
    assert (
        codes(
            {"condition": GOOD, "for": 30},
            {"condition": BURN | {"objective": 0.999, "factor": 14.4}},
            threshold(ERRORS, above=0.05),
            threshold(UNEVEN, above=1.5),
            threshold("workbench_server_up", below=1),
        )
        == []
    )


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (threshold("workbench_queue_dept", above=5), "unknown_metric"),
        (threshold({"metric": DEPTH, "match": {"sever": "a"}}, above=5), "unknown_label"),
        (threshold({"metric": DEPTH, "aggregate": "sum", "by": ["pool"]}, above=5), "unknown_label"),
        (
            threshold(
                {
                    "metric": "workbench_match_confidence_count",
                    "function": "rate",
                    "over": 60,
                    "aggregate": "sum",
                    "by": ["ledger"],
                },
                above=5,
            ),
            "unknown_label",
        ),
        (threshold("workbench_errors_total", above=5), "wrong_kind"),
        (threshold({"metric": DEPTH, "function": "rate", "over": 60}, above=5), "wrong_kind"),
        (threshold(RATIO, above=1), "never_fires"),
        (threshold(DEPTH, below=0), "never_fires"),
        (threshold(ERRORS, above=1.5), "never_fires"),
        (threshold(UNEVEN, below=1), "never_fires"),
        ({"condition": BURN | {"objective": 0.9, "factor": 14.4}}, "never_fires"),
        ({"condition": {"kind": "sql", "query": "x", "above": 2, "below": 1}}, "never_fires"),
        (threshold(RATIO, below=1.01), "always_fires"),
        (threshold(DEPTH, above=-1), "always_fires"),
        ({"condition": GOOD, "for": 20}, "hold_between_steps"),
        ({"condition": GOOD, "keep_firing_for": 50}, "hold_between_steps"),
        (
            threshold({"metric": "workbench_errors_total", "function": "rate", "over": 20}, above=5),
            "short_window",
        ),
        ({"condition": {"kind": "absence", "metric": DEPTH}, "no_data": "alert"}, "no_data_unused"),
    ],
)
def test_what_is_not_meant_is_found(rule: dict[str, Any], code: str):
    assert codes(rule) == [f"R0 {code}"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"condition": GOOD | {"above": 4}}, ["R0 shadowed"]),
        ({"condition": GOOD | {"above": 6}}, ["R1 shadowed"]),
        ({"condition": GOOD}, ["R1 shadowed"]),
        ({"condition": GOOD | {"above": 4}, "severity": "ticket"}, []),
        ({"condition": GOOD | {"above": 4}, "for": 45}, []),
        ({"condition": GOOD | {"above": 6}, "keep_firing_for": 60}, []),
        ({"condition": {"kind": "threshold", "of": DEPTH, "below": 1}}, []),
    ],
)
def test_a_rule_in_anothers_shadow_is_found(other: dict[str, Any], expected: list[str]):
    assert codes({"condition": GOOD, "for": 30}, {"for": 30} | other) == expected


def test_a_rule_that_fires_while_all_is_well_is_found():
    assert codes({"condition": GOOD}, healthy={"R0": 0.25}) == ["R0 fires_when_healthy"]
    assert codes({"condition": GOOD}, healthy={"R0": 0.0}) == []


def test_the_objective_of_90_percent_is_told_that_its_page_never_comes():
    file = RuleFile.model_validate(
        {"name": "x", "objectives": [{"name": "Web", "errors": "workbench_errors_total",
                                      "total": "workbench_answers_total", "objective": 0.9}]}
    )  # fmt: skip
    (found,) = lint(file, Surroundings(known_metrics()))
    assert (found.rule, found.code) == ("WebBurns1h", "never_fires")
    assert "a full outage burns 10 times the budget of 90 %, never more than 14.4 times" in found.message


def test_every_check_says_what_it_looks_for():
    assert all(check.__doc__ for check in CHECKS.values())
