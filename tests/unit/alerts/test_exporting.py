"""What Prometheus can say is written as it says it; what it cannot is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from workbench.alerts.conditions import NotExportableError
from workbench.alerts.exporting import prometheus_rules
from workbench.alerts.rules import RuleFile, make_rules

QUANTILE = {"metric": "m", "function": "quantile_over_time", "over": 90, "quantile": 0.9}
DEEP = {"kind": "threshold", "of": "depth", "above": 5}


def entry(**keys: object) -> dict:
    text = prometheus_rules(make_rules({"name": "A", "condition": DEEP, **keys}))
    return YAML(typ="safe").load(text)["groups"][0]["rules"][0]


def test_a_rule_is_written_key_by_key():
    written = entry(
        **{"for": "90s", "keep_firing_for": "5min", "labels": {"team": "web"}, "runbook": "https://x.example"}
    )
    assert written == {
        "alert": "A",
        "expr": "depth > 5.0",
        "for": "1m30s",
        "keep_firing_for": "5m",
        "labels": {"severity": "page", "team": "web"},
        "annotations": {"runbook_url": "https://x.example"},
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"kind": "absence", "metric": "m", "over": "2min"}, "absent_over_time(m[2m])"),
        ({"kind": "absence", "metric": "m", "match": {"a": 'x"y'}}, 'absent(m{a="x\\"y"})'),
        (
            {"kind": "threshold", "of": QUANTILE, "below": 2},
            "quantile_over_time(0.9, m[1m30s]) < 2.0",
        ),
        (
            {"kind": "confidence", "at_most": 0.75, "share": 0.2, "over": "1h"},
            'sum (increase(workbench_match_confidence_bucket{le="0.75"}[1h])) / '
            "sum (increase(workbench_match_confidence_count[1h])) > 0.2",
        ),
    ],
)
def test_a_condition_is_written_in_promql(condition: dict, expected: str):
    assert entry(condition=condition)["expr"] == expected


def test_hysteresis_asks_for_the_rules_own_alerts():
    assert entry(condition=DEEP | {"clear_at": 2})["expr"] == (
        "depth > 5.0 or (depth > 2.0) and ignoring (alertname, alertstate, severity) "
        'ALERTS{alertname="A", alertstate="firing"}'
    )


def test_all_that_prometheus_cannot_say_is_named_at_once():
    file = make_rules(
        {"name": "Asks", "condition": {"kind": "sql", "query": "select 1"}},
        {"name": "Keeps", "condition": DEEP, "no_data": "keep"},
        {"name": "Fails", "condition": DEEP, "on_error": "alert"},
        {"name": "Fine", "condition": DEEP},
    )
    with pytest.raises(NotExportableError) as error:
        prometheus_rules(file)
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == ["Asks", "Keeps", "Fails"]
    assert "alert: Fine" in prometheus_rules(file, ["Fine"])


def test_objectives_are_written_as_the_rules_that_they_stand_for():
    objective = {"name": "Web", "errors": "bad", "total": "all", "objective": 0.999}
    text = prometheus_rules(RuleFile.model_validate({"name": "x", "objectives": [objective]}))
    first = YAML(typ="safe").load(text)["groups"][0]["rules"][0]
    assert first["expr"] == (
        "((sum (rate(bad[1h])) / sum (rate(all[1h]))) / 0.001 > 14.4) and "
        "((sum (rate(bad[5m])) / sum (rate(all[5m]))) / 0.001 > 14.4)"
    )


def test_a_name_with_a_colon_is_quoted(tmp_path: Path):
    (tmp_path / "rules.yml").write_text(
        prometheus_rules(make_rules({"name": "A", "condition": DEEP}, name="a: b"))
    )
    assert YAML(typ="safe").load((tmp_path / "rules.yml").read_text())["groups"][0]["name"] == "a: b"
