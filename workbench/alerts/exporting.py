"""Rules and their tests as Prometheus reads them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML

from workbench.alerts.conditions import NotExportableError
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels, escaped
from workbench.alerts.notation import write_series, write_values
from workbench.alerts.rule_tests import RuleTests, TestGroup, alert_series, evaluations
from workbench.alerts.rules import NoData, OnError, Rule, RuleFile
from workbench.alerts.series import MemorySource
from workbench.alerts.signals import promql_duration

_DIGITS = 1e-12
"""By how much, as a share, the same sum may differ in another order."""


def expression(rule: Rule) -> str:
    """Write a rule's condition in PromQL, with what it makes of no data.

    Raises:
        NotExportableError: Prometheus cannot say it.
    """
    if rule.no_data is NoData.KEEP:
        raise NotExportableError(f"{rule.name}: no_data: given keep; allowed in Prometheus: ok or alert")
    if rule.on_error is OnError.ALERT:
        raise NotExportableError(f"{rule.name}: on_error: given alert; allowed in Prometheus: keep")
    ignored = ", ".join(["alertname", "alertstate", "severity", *sorted(rule.labels)])
    firing = f' and ignoring ({ignored}) ALERTS{{alertname="{escaped(rule.name)}", alertstate="firing"}}'
    try:
        text = rule.condition.promql(firing)
    except NotExportableError as error:
        raise NotExportableError(f"{rule.name}: {error}") from None
    signals = rule.condition.signals()
    if rule.no_data is NoData.OK or rule.condition.judges_absence or not signals:
        return text
    return f'{text} or label_replace(absent({signals[0].promql()}), "reason", "no_data", "", "")'


def prometheus_rule(rule: Rule) -> dict[str, Any]:
    """Give a rule as an entry of a Prometheus rule group.

    Raises:
        NotExportableError: Prometheus cannot say it.
    """
    entry: dict[str, Any] = {"alert": rule.name, "expr": expression(rule)}
    if rule.hold:
        entry["for"] = promql_duration(rule.hold)
    if rule.keep_firing_for:
        entry["keep_firing_for"] = promql_duration(rule.keep_firing_for)
    entry["labels"] = {"severity": rule.severity, **rule.labels}
    if rule.texts:
        entry["annotations"] = dict(rule.texts)
    return entry


def prometheus_rules(file: RuleFile, names: Sequence[str] = ()) -> str:
    """Write a file of rules, or some of them, as a Prometheus rule file.

    Raises:
        NotExportableError: Prometheus cannot say some of them; the message names all.
    """
    entries, refused = [], []
    for rule in file.every_rule:
        if names and rule.name not in names:
            continue
        try:
            entries.append(prometheus_rule(rule))
        except NotExportableError as error:
            refused.append(str(error))
    if refused:
        raise NotExportableError("\n".join(refused))
    group = {"name": file.name, "interval": promql_duration(file.interval), "rules": entries}
    return write_yaml({"groups": [group]})


def prometheus_tests(tests: RuleTests, *, rule_file: str) -> str:
    """Write tests for promtool, about an exported file of rules."""
    content = tests.model_dump(mode="json") | {"rule_files": [rule_file]}
    content["evaluation_interval"] = promql_duration(tests.evaluation_interval)
    for group in content["tests"]:
        group["interval"] = promql_duration(group["interval"])
        for one in (*group["alert_rule_test"], *group["promql_expr_test"]):
            one["eval_time"] = promql_duration(one["eval_time"])
    return write_yaml(content)


def recorded_test(
    rules: Sequence[Rule],
    metrics: Mapping[str, Sequence[tuple[Labels, Sequence[float | None]]]],
    *,
    name: str,
    interval: float,
    every: float,
    until: float,
    steady: bool = False,
) -> TestGroup:
    """Make a test of what rules make of given series: pending and firing at every evaluation.

    Args:
        rules: the rules.
        metrics: for each metric its series, each with its values from time 0 on; None is a gap.
        name: of the test.
        interval: between two values, seconds.
        every: between two evaluations, seconds.
        until: the last evaluation, seconds.
        steady: leave out annotations that the last digits of a value decide, since Prometheus adds series
            up in an order of its own; what is pending and firing stays.
    """
    written = [
        {"series": write_series(metric, labels), "values": write_values(values)}
        for metric, series in metrics.items()
        for labels, values in series
    ]
    content: dict[str, Any] = {"interval": interval, "name": name, "input_series": written}
    source: MemorySource = TestGroup.model_validate(content).source()
    alerts: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    for evaluation in evaluations(rules, source, every=every, until=until):
        for rule in rules:
            firing = [
                {
                    "exp_labels": {key: text for key, text in one.labels.items() if key != "alertname"},
                    "exp_annotations": dict(one.annotations),
                }
                for one in evaluation.instances
                if one.rule == rule.name and one.state is State.FIRING
            ]
            if not steady or all(_is_steady(rule, one) for one in evaluation.instances):
                alerts.append({"eval_time": evaluation.at, "alertname": rule.name, "exp_alerts": firing})
            for metric in ("ALERTS", "ALERTS_FOR_STATE"):
                own = Labels({"alertname": rule.name})
                states.append(
                    {
                        "expr": write_series(metric, own),
                        "eval_time": evaluation.at,
                        "exp_samples": [
                            {"labels": write_series(series, labels), "value": value}
                            for series, labels, value in alert_series(evaluation, metric, own)
                        ],
                    }
                )
    return TestGroup.model_validate({**content, "alert_rule_test": alerts, "promql_expr_test": states})


def _is_steady(rule: Rule, alert: AlertInstance) -> bool:
    """Tell whether an alert says the same of values that differ in their last digits."""
    values = (alert.value * (1 - _DIGITS), alert.value * (1 + _DIGITS))
    return alert.rule != rule.name or all(
        rule.annotations_of(alert.labels, value) == dict(alert.annotations) for value in values
    )


def write_yaml(content: Any) -> str:
    """Write YAML, block by block, long lines unbroken."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 2**20
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()
