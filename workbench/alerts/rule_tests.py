"""Unit tests of rules in the format of `promtool test rules`, run by our own evaluation.

From: prometheus.io, "Unit testing for rules". Of `promql_expr_test` the series `ALERTS` and
`ALERTS_FOR_STATE` are understood; they pin what is pending and since when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from workbench.alerts.courses import LOOK_BACK, Scene
from workbench.alerts.evaluation import Memory, evaluate_all
from workbench.alerts.instances import AlertInstance, Evaluation, State
from workbench.alerts.labels import Labels
from workbench.alerts.notation import parse_series, parse_values, samples
from workbench.alerts.rules import Interval, Rule
from workbench.alerts.series import MemorySource, SeriesSet
from workbench.documents import Section, read_document
from workbench.errors import DocumentError, Problem
from workbench.quantities import Duration

_MOST = 100_000
"""Evaluations of one test."""


def _checked_series(text: str) -> str:
    if not parse_series(text)[0]:
        raise PydanticCustomError("series", 'a series with a name, such as queue{server="a"}')
    return text


def _checked_values(text: Any) -> str:
    if not isinstance(text, str):
        raise PydanticCustomError("values", "a text in quotes, since YAML takes 0x60 for a number")
    parse_values(text)
    return text


def _checked_alerts(text: str) -> str:
    if parse_series(text)[0] not in ("ALERTS", "ALERTS_FOR_STATE"):
        allowed = 'ALERTS or ALERTS_FOR_STATE with labels, such as ALERTS{alertname="QueueDeep"}'
        raise PydanticCustomError("expr", allowed)
    return text


class InputSeries(Section):
    """A series that a test gives its rules."""

    series: Annotated[str, AfterValidator(_checked_series)]
    values: Annotated[str, BeforeValidator(_checked_values)]


class ExpectedAlert(Section):
    """An alert that must fire; `alertname` goes without saying."""

    exp_labels: dict[str, str] = Field(default_factory=dict)
    exp_annotations: dict[str, str] = Field(default_factory=dict)


class AlertTest(Section):
    """Which alerts of a rule must fire at a time, and no others."""

    eval_time: Duration
    """Seconds from the begin; the last evaluation up to then counts."""
    alertname: str
    exp_alerts: list[ExpectedAlert] = Field(default_factory=list)


class ExpectedSample(Section):
    """A sample that an expression must give."""

    labels: Annotated[str, AfterValidator(lambda text: (parse_series(text), text)[1])] = ""
    value: float


class ExpressionTest(Section):
    """What `ALERTS` or `ALERTS_FOR_STATE` must be at a time."""

    expr: Annotated[str, AfterValidator(_checked_alerts)]
    eval_time: Duration
    exp_samples: list[ExpectedSample] = Field(default_factory=list)


class TestGroup(Section):
    """Series, and what the rules must make of them."""

    __test__ = False  # pytest would take it for tests of its own

    interval: Interval = 60.0
    """Between two values of a series, seconds."""
    name: str = ""
    input_series: list[InputSeries] = Field(default_factory=list)
    alert_rule_test: list[AlertTest] = Field(default_factory=list)
    promql_expr_test: list[ExpressionTest] = Field(default_factory=list)

    def source(self) -> MemorySource:
        """Give the series to the rules."""
        metrics: dict[str, list[tuple[Labels, Any, Any]]] = {}
        for one in self.input_series:
            metric, labels = parse_series(one.series)
            times, values = samples(parse_values(one.values), self.interval)
            metrics.setdefault(metric, []).append((labels, times, values))
        return MemorySource({metric: SeriesSet.gather(parts) for metric, parts in metrics.items()})

    @field_validator("input_series")
    @classmethod
    def _distinct(cls, series: list[InputSeries]) -> list[InputSeries]:
        if len({parse_series(one.series) for one in series}) != len(series):
            raise PydanticCustomError("series", "each series once")
        return series

    @property
    def last(self) -> float:
        """The last time that is looked at, seconds."""
        times = [one.eval_time for one in self.alert_rule_test]
        return max([*times, *(one.eval_time for one in self.promql_expr_test)], default=0.0)


class RuleTests(Section):
    """A document of tests."""

    rule_files: list[str] = Field(min_length=1)
    """Files of rules, found from the folder of this one."""
    evaluation_interval: Interval = 60.0
    """How often the rules are evaluated, seconds."""
    tests: list[TestGroup] = Field(min_length=1)

    @field_validator("tests")
    @classmethod
    def _finite(cls, tests: list[TestGroup], info: ValidationInfo) -> list[TestGroup]:
        every = info.data.get("evaluation_interval", 1.0)
        if any(group.last / every > _MOST for group in tests):
            raise PydanticCustomError("tests", "times of at most 100,000 evaluations")
        return tests


@dataclass(frozen=True)
class Mismatch:
    """Something that a test expected and did not get."""

    test: str
    """The test's name and number."""
    eval_time: float
    subject: str
    """The alert or expression."""
    expected: tuple[str, ...]
    got: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.test}: {self.subject} at {self.eval_time:g}s"]
        for sign, some, others in (
            ("missing", self.expected, self.got),
            ("unexpected", self.got, self.expected),
        ):
            lines += [f"  {sign}: {one}" for one in some if one not in others]
        return "\n".join(lines)


def load_rule_tests(file: Path) -> RuleTests:
    """Read a file of tests.

    Raises:
        DocumentError: the file cannot be read, or holds what is not allowed; all problems at once.
    """
    return read_document(file, RuleTests)


def check_names(tests: RuleTests, rules: Sequence[Rule], file: Path) -> None:
    """Check that the tests are about rules that there are.

    Raises:
        DocumentError: some are not.
    """
    known = {rule.name for rule in rules}
    problems = [
        Problem(
            str(file),
            0,
            f"tests[{place}].alert_rule_test[{number}].alertname",
            repr(one.alertname),
            f"one of {', '.join(sorted(known))}",
        )
        for place, group in enumerate(tests.tests)
        for number, one in enumerate(group.alert_rule_test)
        if one.alertname not in known
    ]
    if problems:
        raise DocumentError(problems)


def run_rule_tests(tests: RuleTests, rules: Sequence[Rule]) -> list[Mismatch]:
    """Run tests and tell what was otherwise than expected; none is a success."""
    return [found for number, _ in enumerate(tests.tests) for found in _run_group(tests, number, rules)]


def evaluations(
    rules: Sequence[Rule], source: MemorySource, *, every: float, until: float
) -> list[Evaluation]:
    """Evaluate rules from 0 to a time and give all evaluations."""
    times = every * np.arange(round(until * 1e6) // round(every * 1e6) + 1, dtype=np.float64)
    return [evaluation for _, evaluation in evaluate_all(rules, Memory(), Scene(source, times))]


def _run_group(tests: RuleTests, number: int, rules: Sequence[Rule]) -> Iterator[Mismatch]:
    group = tests.tests[number]
    title = f"tests[{number}]" + (f" {group.name}" if group.name else "")
    every = tests.evaluation_interval
    done = evaluations(rules, group.source(), every=every, until=group.last)
    for failure in {(one.rule, one.reason) for evaluation in done for one in evaluation.failures}:
        yield Mismatch(title, 0.0, failure[0], (), (failure[1],))
    for test in group.alert_rule_test:
        got = _firing(done[_place(test.eval_time, every)], test.alertname)
        expected = [
            _alert_text({"alertname": test.alertname, **one.exp_labels}, one.exp_annotations)
            for one in test.exp_alerts
        ]
        if sorted(got) != sorted(expected):
            yield Mismatch(title, test.eval_time, test.alertname, tuple(expected), tuple(got))
    for check in group.promql_expr_test:
        evaluation = done[_place(check.eval_time, every)]
        expected = [_sample_text(*parse_series(one.labels), one.value) for one in check.exp_samples]
        fresh = check.eval_time - evaluation.at <= LOOK_BACK
        series = alert_series(evaluation, *parse_series(check.expr)) if fresh else []
        got = [_sample_text(*one) for one in series]
        if sorted(got) != sorted(expected):
            yield Mismatch(title, check.eval_time, check.expr, tuple(expected), tuple(got))


def _place(at: float, every: float) -> int:
    return round(at * 1e6) // round(every * 1e6)


def _firing(evaluation: Evaluation, name: str) -> list[str]:
    alerts = [one for one in evaluation.instances if one.state is State.FIRING and one.rule == name]
    return [_alert_text(dict(one.labels), dict(one.annotations)) for one in alerts]


def alert_series(evaluation: Evaluation, metric: str, labels: Labels) -> list[tuple[str, Labels, float]]:
    """Give the samples of `ALERTS` or `ALERTS_FOR_STATE` that have the given labels."""
    found = []
    for alert in evaluation.instances:
        if alert.state in (State.PENDING, State.FIRING):
            own, value = _exposed(alert, metric)
            if all(own.get(name, "") == text for name, text in labels.items()):
                found.append((metric, own, value))
    return found


def _exposed(alert: AlertInstance, metric: str) -> tuple[Labels, float]:
    if metric == "ALERTS":
        return alert.labels.merged({"alertstate": alert.state.value}), 1.0
    return alert.labels, float(int(alert.active_at))


def _alert_text(labels: dict[str, str], annotations: dict[str, str]) -> str:
    return f"{Labels(labels)} {dict(sorted(annotations.items()))}"


def _sample_text(metric: str, labels: Labels, value: float) -> str:
    return f"{metric}{labels} {value!r}"
