"""What is allowed in a file of rules and yet is not meant: one function a finding."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from workbench.alerts.conditions import Absence, BurnRate, Sql, Threshold
from workbench.alerts.metrics import Metric, MetricKind, find_metric, series_names
from workbench.alerts.rules import NoData, Rule, RuleFile
from workbench.alerts.signals import Signal
from workbench.alerts.windows import FUNCTIONS
from workbench.quantities import format_duration

Range = tuple[float, float]
_ANY: Range = (-math.inf, math.inf)
_NEVER_NEGATIVE = {"rate", "increase", "irate", "changes", "resets", "count_over_time", "stddev_over_time"}


@dataclass(frozen=True)
class Finding:
    """Something about a rule that is probably not meant."""

    code: str
    """Which check found it, such as `never_fires`."""
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.code}: {self.message}"


@dataclass(frozen=True)
class Surroundings:
    """What the linter knows beside the file.

    Args:
        metrics: those that rules may name; a name that is not there is found. Empty: any name will do.
        step: time between two samples, seconds; the file's interval where it is not given.
        healthy: for some rules, by name, the share of evaluations of a healthy time at which they fire.
    """

    metrics: Mapping[str, Metric]
    step: float | None = None
    healthy: Mapping[str, float] | None = None


Check = Callable[[RuleFile, Surroundings], Iterator[Finding]]


def lint(file: RuleFile, around: Surroundings) -> list[Finding]:
    """Run every check, in the order of the rules."""
    found = [finding for check in CHECKS.values() for finding in check(file, around)]
    order = {rule.name: place for place, rule in enumerate(file.every_rule)}
    return sorted(found, key=lambda finding: order[finding.rule])


def unknown_metric(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A metric that nothing gives."""
    names = series_names(around.metrics)
    for rule, signal in _signals(file):
        if around.metrics and find_metric(signal.metric, around.metrics) is None:
            near = difflib.get_close_matches(signal.metric, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield Finding("unknown_metric", rule.name, f"no metric is called {signal.metric}{hint}")


def wrong_kind(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A counter held against a threshold as it stands, or a gauge taken for a counter."""
    for rule, signal in _signals(file):
        metric = find_metric(signal.metric, around.metrics)
        if metric is None or isinstance(rule.condition, Absence):
            continue
        is_counter = signal.function is not None and FUNCTIONS[signal.function].counter
        if metric.kind is MetricKind.COUNTER and signal.function is None:
            yield Finding("wrong_kind", rule.name, f"{signal.metric} only grows; use rate or increase of it")
        if metric.kind is MetricKind.GAUGE and is_counter:
            yield Finding(
                "wrong_kind", rule.name, f"{signal.metric} is a gauge; {signal.function} is for counters"
            )


def never_fires(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A condition that no value meets."""
    for rule in file.every_rule:
        condition = rule.condition
        if isinstance(condition, BurnRate):
            most = 1.0 / condition.budget
            if condition.factor >= most:
                yield Finding(
                    "never_fires",
                    rule.name,
                    f"a full outage burns {most:.4g} times the budget of {100 * condition.objective:g} %, "
                    f"never more than {condition.factor:g} times; lower the factor or raise the objective",
                )
        elif isinstance(condition, Threshold):
            least, most = signal_range(condition.of, around.metrics)
            beyond = condition.limit >= most if condition.above is not None else condition.limit <= least
            if beyond:
                yield Finding("never_fires", rule.name, f"{condition.of.promql()} is {_shown((least, most))}")
        elif isinstance(condition, Sql) and condition.is_empty:
            yield Finding("never_fires", rule.name, "no value is above `above` and below `below`")


def always_fires(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A condition that every value meets."""
    for rule in file.every_rule:
        if isinstance(condition := rule.condition, Threshold):
            least, most = signal_range(condition.of, around.metrics)
            beyond = condition.limit < least if condition.above is not None else condition.limit > most
            if beyond:
                yield Finding(
                    "always_fires", rule.name, f"{condition.of.promql()} is {_shown((least, most))}"
                )


def fires_when_healthy(_file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A rule that fires while nothing is wrong."""
    for name, share in (around.healthy or {}).items():
        if share > 0:
            yield Finding(
                "fires_when_healthy",
                name,
                f"it fires at {100 * share:.3g} % of the evaluations of a healthy time",
            )


def hold_between_steps(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A `for` that is no multiple of the interval: it takes effect at the next evaluation."""
    for rule in file.every_rule:
        for key, seconds in (("for", rule.hold), ("keep_firing_for", rule.keep_firing_for)):
            left = seconds % file.interval
            if min(left, file.interval - left) > 1e-6:
                effect = format_duration(math.ceil(seconds / file.interval) * file.interval)
                given = f"{key} is {format_duration(seconds)}"
                works = f"evaluated every {format_duration(file.interval)} it works as {effect}"
                yield Finding("hold_between_steps", rule.name, f"{given}; {works}")


def short_window(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A window in which there are too few samples for its function."""
    step = around.step if around.step is not None else file.interval
    for rule, signal in _signals(file):
        if signal.function is None or signal.over is None:
            continue
        least = FUNCTIONS[signal.function].least * step
        if signal.over < least:
            yield Finding(
                "short_window",
                rule.name,
                f"{signal.function} over {format_duration(signal.over)} sees too few samples that come every "
                f"{format_duration(step)}; use {format_duration(max(2 * least, 2 * step))} or more",
            )


def unknown_label(file: RuleFile, around: Surroundings) -> Iterator[Finding]:
    """A label by which the metric's series do not differ."""
    for rule, signal in _signals(file):
        metric = find_metric(signal.metric, around.metrics)
        if metric is None or (labels := metric.labels) is None:
            continue
        for name in [*signal.by, *(one.name for one in signal.match if one.operator in ("=", "=~"))]:
            if name not in labels:
                yield Finding(
                    "unknown_label",
                    rule.name,
                    f"{signal.metric} has no label {name}; it has {', '.join(labels) or 'none'}",
                )


def no_data_unused(file: RuleFile, _around: Surroundings) -> Iterator[Finding]:
    """A meaning of missing data for a rule that is about nothing else."""
    for rule in file.every_rule:
        if isinstance(rule.condition, Absence) and rule.no_data is not NoData.OK:
            yield Finding(
                "no_data_unused", rule.name, "absence is what it is about; `no_data` says nothing here"
            )


def shadowed(file: RuleFile, _around: Surroundings) -> Iterator[Finding]:
    """A rule that fires only while another one does that is as severe and fires no later."""
    for rule, other in permutations(file.every_rule, 2):
        if rule.severity == other.severity and _implies(rule, other):
            if _implies(other, rule) and _place(file, rule) < _place(file, other):
                continue  # of two that say the same, the later one is told
            yield Finding("shadowed", rule.name, f"whenever it fires, {other.name} fires too, and no later")


CHECKS: Mapping[str, Check] = {
    "unknown_metric": unknown_metric,
    "unknown_label": unknown_label,
    "wrong_kind": wrong_kind,
    "never_fires": never_fires,
    "always_fires": always_fires,
    "fires_when_healthy": fires_when_healthy,
    "hold_between_steps": hold_between_steps,
    "short_window": short_window,
    "no_data_unused": no_data_unused,
    "shadowed": shadowed,
}
"""The checks by the codes of what they find."""


def _signals(file: RuleFile) -> Iterator[tuple[Rule, Signal]]:
    for rule in file.every_rule:
        parts = [part for one in rule.condition.signals() for part in one.metrics()]
        yield from ((rule, signal) for signal in {part.promql(): part for part in parts}.values())


def _place(file: RuleFile, rule: Rule) -> int:
    return file.every_rule.index(rule)


def _implies(rule: Rule, other: Rule) -> bool:
    """Tell whether a rule's alerts are always also alerts of the other, at the same time or sooner."""
    mine, its = rule.condition, other.condition
    if rule.hold < other.hold or rule.keep_firing_for > other.keep_firing_for:
        return False
    if isinstance(mine, BurnRate) and isinstance(its, BurnRate):
        same = mine.model_copy(update={"factor": its.factor}) == its
        return same and mine.factor >= its.factor
    if not (isinstance(mine, Threshold) and isinstance(its, Threshold)) or mine.of != its.of:
        return False
    if (mine.above is None) != (its.above is None) or mine.clear_at is not None:
        return False
    return mine.limit >= its.limit if mine.above is not None else mine.limit <= its.limit


def signal_range(signal: Signal, metrics: Mapping[str, Metric]) -> Range:
    """Give the least and the largest value that a signal can have."""
    metric = find_metric(signal.metric, metrics)
    least, most = _ANY if metric is None else (metric.least, metric.most)
    if signal.function in ("delta", "deriv", "predict_linear") or (metric is None and signal.function):
        return _ANY if signal.function not in ("rate", "increase", "irate") else (0.0, math.inf)
    if signal.function in (
        "rate",
        "increase",
        "irate",
        "changes",
        "resets",
        "count_over_time",
        "stddev_over_time",
    ):
        least, most = 0.0, math.inf
    if signal.function == "sum_over_time" or signal.aggregate == "sum":
        least, most = (-math.inf if least < 0 else least), math.inf
    if signal.aggregate == "count":
        least, most = 1.0, math.inf
    if signal.histogram_quantile is not None:
        return 0.0, math.inf
    return (least, most) if signal.divided_by is None else _ratio(signal, signal.divided_by, metrics, least)


def _ratio(signal: Signal, below: Signal, metrics: Mapping[str, Metric], least: float) -> Range:
    """A share of a whole is at most 1, the largest by the mean at least 1; else nothing is known."""
    if least < 0 or signal_range(below, metrics)[0] < 0:
        return _ANY
    alike = (
        signal.model_copy(update={"metric": below.metric, "divided_by": None, "match": below.match}) == below
    )
    if alike and is_part(signal.metric, below.metric):
        return 0.0, 1.0
    largest = signal.changed(aggregate="avg", divided_by=None) == below
    return (1.0, math.inf) if largest and signal.aggregate == "max" else (0.0, math.inf)


def is_part(part: str, whole: str) -> bool:
    """Tell whether one counter counts some of what another counts."""
    return (part, whole) in PARTS or part.removesuffix("_bucket") == whole.removesuffix("_count")


PARTS: Sequence[tuple[str, str]] = [("workbench_errors_total", "workbench_answers_total")]
"""Counters of which the first counts some of what the second counts."""


def _shown(limits: Range) -> str:
    least, most = limits
    if math.isinf(most):
        return f"never less than {least:g}"
    return f"never more than {most:g}" if math.isinf(least) else f"never outside {least:g} to {most:g}"
