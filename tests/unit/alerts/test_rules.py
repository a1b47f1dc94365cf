"""Files of rules: what is wrong is told all at once, with line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.alerts.rules import load_rules, make_rules
from workbench.errors import DocumentError

WRONG = """\
name: bad
interval: 15 parsecs
rules:
  - name: Queue-Deep
    condition: {kind: treshold, of: q, above: 8}
    for: -3s
    annotation: {}
  - name: B
    condition: {kind: threshold, of: {metric: q, function: rte, over: 1min}, above: 1}
    annotations: {summary: "{{ $valu }}"}
  - name: C
    condition: {kind: threshold, of: {metric: q, match: 'a=b'}, above: 1}
  - name: D
    condition: {kind: threshold, of: q, above: 1, clear_at: 2}
"""


def problems(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(DocumentError) as error:
        load_rules(file)
    return [f"{one.line} {one.key}: {one.allowed}" for one in error.value.problems]


def test_all_problems_come_at_once_in_the_order_of_their_lines(tmp_path: Path):
    found = problems(WRONG, tmp_path)
    assert [one.partition(":")[0] for one in found] == [
        "2 interval",
        "4 rules[0].name",
        "5 rules[0].condition.kind",
        "6 rules[0].for",
        "7 rules[0].annotation",
        "9 rules[1].condition.of.function",
        "10 rules[1].annotations.summary",
        "12 rules[2].condition.of.match",
        "14 rules[3].condition",
    ]


def test_a_key_that_is_not_known_is_answered_by_those_that_are_as_they_are_written(tmp_path: Path):
    (found,) = problems(
        "name: x\nrules:\n  - {name: A, condition: {kind: threshold, of: q, above: 1}, fro: 1s}\n", tmp_path
    )
    assert "one of name, condition, for, keep_firing_for," in found
    assert "did you mean for?" in found


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("{kind: threshold, of: q}", "exactly one of above and below"),
        ("{kind: threshold, of: q, above: 1, below: 2}", "exactly one of above and below"),
        ("{kind: threshold, of: q, above: .inf}", "a finite number"),
        ("{kind: threshold, of: {metric: q, function: rate}, above: 1}", "`function` and `over` together"),
        ("{kind: threshold, of: {metric: q, by: [a]}, above: 1}", "`by` with `aggregate`"),
        (
            "{kind: threshold, of: {metric: q, function: quantile_over_time, over: 1s}, above: 1}",
            "`quantile` with",
        ),
        ("{kind: threshold, of: {metric: q, match: 'a=~\"(\"'}, above: 1}", "a regular expression"),
        ("{kind: threshold, of: {metric: 'q q'}, above: 1}", "a metric's name"),
        (
            "{kind: burn_rate, errors: e, total: t, objective: 0.9, factor: 1, long: 1s, short: 1s}",
            "shorter than",
        ),
        (
            "{kind: burn_rate, errors: e, total: t, objective: 1, factor: 1, long: 2s, short: 1s}",
            "less than 1",
        ),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(condition: str, allowed: str, tmp_path: Path):
    found = problems(f"name: x\nrules:\n  - {{name: A, condition: {condition}}}\n", tmp_path)
    assert any(allowed in one for one in found), found


def test_names_stand_once_those_of_objectives_included(tmp_path: Path):
    text = """\
name: x
rules: [{name: WebBurns1h, condition: {kind: threshold, of: q, above: 1}}]
objectives: [{name: Web, errors: e, total: t, objective: 0.99}]
"""
    (found,) = problems(text, tmp_path)
    assert "each name once (WebBurns1h stands twice)" in found


def test_a_file_without_rules_is_refused(tmp_path: Path):
    (found,) = problems("name: x\n", tmp_path)
    assert "at least one rule or objective" in found


@pytest.mark.parametrize("label", ["alertname", "severity", "a-b", "1"])
def test_labels_that_mean_something_else_are_refused(label: str, tmp_path: Path):
    rule = f"{{name: A, condition: {{kind: absence, metric: m}}, labels: {{'{label}': x}}}}"
    text = f"name: x\nrules: [{rule}]\n"
    (found,) = problems(text, tmp_path)
    assert "names of letters, digits and _ but for" in found


def test_a_runbook_is_an_annotation():
    (rule,) = make_rules(
        {"name": "A", "condition": {"kind": "absence", "metric": "m"}, "runbook": "https://example.org/a"}
    ).every_rule
    assert rule.annotations_of({}, 1.0) == {"runbook_url": "https://example.org/a"}
