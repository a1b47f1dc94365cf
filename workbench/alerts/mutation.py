"""The mutation score of a rule's tests: how many wrong copies of the rule they catch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.alerts.conditions import Absence, BurnRate, Condition, Confidence, Threshold
from workbench.alerts.rule_tests import RuleTests, run_rule_tests
from workbench.alerts.rules import NoData, Rule

_NUDGE = 0.1


@dataclass(frozen=True)
class Mutant:
    """A wrong copy of a rule."""

    change: str
    """What is wrong with it, such as `for longer by one evaluation`."""
    rule: Rule


@dataclass(frozen=True)
class MutationScore:
    """What a rule's tests make of its wrong copies."""

    rule: str
    caught: tuple[str, ...]
    """The changes that some test notices."""
    missed: tuple[str, ...]
    """The changes that no test notices."""

    @property
    def score(self) -> float:
        """Share of the wrong copies that are caught, 0 to 1."""
        total = len(self.caught) + len(self.missed)
        return len(self.caught) / total if total else 1.0


def mutants(rule: Rule, *, every: float) -> list[Mutant]:
    """Make wrong copies of a rule, each with one change; `every` is the evaluation interval, seconds."""
    made = [
        *_times(rule, every),
        *(Mutant(change, _with(rule, condition=other)) for change, other in _conditions(rule.condition)),
        Mutant("another severity", _with(rule, severity=f"{rule.severity}_")),
    ]
    made += [
        Mutant(f"annotation {name} without its text", _with(rule, annotations=rule.annotations | {name: "-"}))
        for name in rule.annotations
    ]
    if rule.no_data is NoData.ALERT:
        made.append(Mutant("no_data means nothing", _with(rule, no_data=NoData.OK)))
    return made


def mutation_score(rule: Rule, tests: RuleTests, rules: Sequence[Rule]) -> MutationScore:
    """Run the tests over wrong copies of a rule, beside the other rules as they are."""
    caught: list[str] = []
    missed: list[str] = []
    others = [one for one in rules if one.name != rule.name]
    about = _about(tests, rule)
    for mutant in mutants(rule, every=tests.evaluation_interval):
        noticed = about is not None and run_rule_tests(about, [*others, mutant.rule])
        (caught if noticed else missed).append(mutant.change)
    return MutationScore(rule.name, tuple(caught), tuple(missed))


def _about(tests: RuleTests, rule: Rule) -> RuleTests | None:
    """Give the tests that look at a rule; None where there are none."""
    groups = []
    for group in tests.tests:
        alerts = [one for one in group.alert_rule_test if one.alertname == rule.name]
        states = [one for one in group.promql_expr_test if f'"{rule.name}"' in one.expr]
        if alerts or states:
            groups.append(group.model_copy(update={"alert_rule_test": alerts, "promql_expr_test": states}))
    return tests.model_copy(update={"tests": groups}) if groups else None


def _with(rule: Rule, **changes: object) -> Rule:
    # model_copy would keep what the original has computed and cached.
    keys = {name: getattr(rule, name) for name in type(rule).model_fields} | changes
    return Rule.model_validate(keys)


def _changed(condition: Condition, **changes: object) -> Condition:
    return condition.model_copy(update=changes)


def _times(rule: Rule, every: float) -> Iterator[Mutant]:
    yield Mutant("for longer by one evaluation", _with(rule, hold=rule.hold + every))
    if rule.hold > 0:
        yield Mutant("for shorter by one evaluation", _with(rule, hold=max(0.0, rule.hold - every)))
    yield Mutant(
        "keep_firing_for longer by one evaluation", _with(rule, keep_firing_for=rule.keep_firing_for + every)
    )
    if rule.keep_firing_for > 0:
        shorter = max(0.0, rule.keep_firing_for - every)
        yield Mutant("keep_firing_for shorter by one evaluation", _with(rule, keep_firing_for=shorter))


def _conditions(condition: Condition) -> Iterator[tuple[str, Condition]]:
    if isinstance(condition, Threshold):
        yield from _thresholds(condition)
    elif isinstance(condition, BurnRate):
        yield (
            "factor higher by 10 %",
            _changed(condition, factor=condition.factor * (1 + _NUDGE)),
        )
        yield "factor lower by 10 %", _changed(condition, factor=condition.factor * (1 - _NUDGE))
        yield "no short window", _changed(condition, short=condition.long)
    elif isinstance(condition, Absence):
        over = 300.0 if condition.over is None else condition.over
        yield "twice the window", _changed(condition, over=2 * over)
        yield "half the window", _changed(condition, over=over / 2)
    elif isinstance(condition, Confidence):
        yield "share higher by 10 %", _changed(condition, share=condition.share * (1 + _NUDGE))
        yield "share lower by 10 %", _changed(condition, share=condition.share * (1 - _NUDGE))


def _thresholds(condition: Threshold) -> Iterator[tuple[str, Condition]]:
    limit, clear = condition.limit, condition.clear_at
    nudge = _NUDGE * abs(limit) or _NUDGE
    side, other = ("above", "below") if condition.above is not None else ("below", "above")
    for change, value in (("higher", limit + nudge), ("lower", limit - nudge)):
        yield f"{side} {change} by 10 %", _changed(condition, **{side: value})
    yield (
        f"{other} in place of {side}",
        _changed(condition, **{side: None}, **{other: limit}, clear_at=None),
    )
    if clear is not None:
        yield "no clear_at", _changed(condition, clear_at=None)
        halfway = (limit + clear) / 2
        yield "clear_at nearer", _changed(condition, clear_at=halfway)
        yield "clear_at farther", _changed(condition, clear_at=clear - (limit - clear) / 2)
    if condition.of.over is not None:
        yield "twice the window", _changed(condition, of=condition.of.changed(over=2 * condition.of.over))
