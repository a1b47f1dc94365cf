"""Evaluation of rules at a time: live, in virtual time, or over a course of many times at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from workbench.alerts.conditions import Verdicts
from workbench.alerts.courses import LOOK_BACK, Scene
from workbench.alerts.instances import AlertInstance, Evaluation, Failure, State, Transition
from workbench.alerts.labels import Labels
from workbench.alerts.rules import NoData, OnError, Rule
from workbench.alerts.series import Source
from workbench.alerts.state import Alerts, Found, Tracked, step
from workbench.errors import InputError, WorkbenchError

STATE_VERSION = 1


@dataclass(frozen=True)
class Memory:
    """What evaluation remembers from one time to the next: the alerts of each rule, by its name."""

    alerts: Mapping[str, Alerts] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write it down, so that it survives a restart."""
        rules = {
            rule: [_written(one) for one in alerts.values()] for rule, alerts in self.alerts.items() if alerts
        }
        return json.dumps({"version": STATE_VERSION, "rules": rules})

    @classmethod
    def from_json(cls, text: str) -> Memory:
        """Read what was written down.

        Raises:
            InputError: it is not what `to_json` writes.
        """
        try:
            content = json.loads(text)
            if content["version"] != STATE_VERSION:
                raise InputError(f"alert state: given version {content['version']}; allowed: {STATE_VERSION}")
            read = {rule: [_read(one) for one in alerts] for rule, alerts in content["rules"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"alert state: given what cannot be read ({error!r}); allowed: JSON") from None
        return cls({rule: {one.alert.labels: one for one in alerts} for rule, alerts in read.items()})


def _written(one: Tracked) -> dict[str, Any]:
    alert = one.alert
    return {**asdict(alert), "labels": dict(alert.labels), "annotations": dict(alert.annotations)} | {
        "kept_since": one.kept_since
    }


def _read(content: dict[str, Any]) -> Tracked:
    keys = dict(content)
    kept_since = keys.pop("kept_since")
    keys |= {"labels": Labels(keys["labels"]), "state": State(keys["state"])}
    return Tracked(AlertInstance(**keys), kept_since)


def evaluate(
    rules: Sequence[Rule],
    memory: Memory,
    source: Source,
    at: float,
    *,
    look_back: float = LOOK_BACK,
    left_open: bool = False,
    generator: str = "",
) -> tuple[Memory, Evaluation]:
    """Evaluate rules at a time. It changes nothing that it is given.

    Args:
        rules: with different names.
        memory: of the evaluation before; alerts of rules that are gone are resolved.
        source: where the data come from.
        at: the time, seconds; later than that of the evaluation before.
        look_back: seconds for which the last sample of a series stands for it.
        left_open: whether a window leaves out a sample at its very beginning, as Prometheus 3 does.
        generator: what the alerts say has made them.
    """
    scene = Scene(source, np.array([at]), look_back, left_open)
    return next(evaluate_all(rules, memory, scene, generator=generator))


def evaluate_all(
    rules: Sequence[Rule], memory: Memory, scene: Scene, *, generator: str = ""
) -> Iterator[tuple[Memory, Evaluation]]:
    """Evaluate rules at each time of a scene, one after the other, as `evaluate` would.

    What the conditions say is computed for all times at once, so the data must not change meanwhile.
    """
    verdicts = {rule.name: _verdicts(rule, scene) for rule in rules}
    for column, at in enumerate(scene.times.tolist()):
        memory, evaluation = _evaluate_column(rules, verdicts, memory, column, at, generator=generator)
        yield memory, evaluation


def _verdicts(rule: Rule, scene: Scene) -> Verdicts | WorkbenchError:
    try:
        return rule.condition.over_time(scene)
    except WorkbenchError as error:
        return error


def _evaluate_column(
    rules: Sequence[Rule],
    verdicts: Mapping[str, Verdicts | WorkbenchError],
    memory: Memory,
    column: int,
    at: float,
    *,
    generator: str,
) -> tuple[Memory, Evaluation]:
    transitions: list[Transition] = []
    failures: list[Failure] = []
    after: dict[str, Alerts] = {}
    for rule in rules:
        before = memory.alerts.get(rule.name, {})
        try:
            known = verdicts[rule.name]
            if isinstance(known, WorkbenchError):
                raise known
            found = judge(rule, known, column, generator=generator)
        except WorkbenchError as error:
            failures.append(Failure(at, rule.name, str(error)))
            found = _failed(rule, generator)
        if found is None:
            after[rule.name] = before
            continue
        after[rule.name], changed = step(rule, before, found, at)
        transitions += changed
    after |= _orphans(memory, after, at, transitions)
    instances = tuple(one.alert for alerts in after.values() for one in alerts.values())
    return Memory(after), Evaluation(at, instances, tuple(transitions), tuple(failures))


def _orphans(
    memory: Memory, known: Mapping[str, Alerts], at: float, transitions: list[Transition]
) -> dict[str, Alerts]:
    """Resolve what fires under rules that are gone, and keep it until everybody knows."""
    left: dict[str, Alerts] = {}
    for name in memory.alerts.keys() - known.keys():
        alerts, changed = step(_Ended(), memory.alerts[name], {}, at)
        transitions += changed
        if alerts:
            left[name] = alerts
    return left


@dataclass(frozen=True)
class _Ended:
    """The timing of a rule that is gone."""

    hold: float = 0.0
    keep_firing_for: float = 0.0


def judge(rule: Rule, verdicts: Verdicts, column: int, *, generator: str = "") -> dict[Labels, Found] | None:
    """Give the alerts for which a rule's condition holds; None where all stay as they are.

    Raises:
        InputError: two series would give the same alert.
    """
    if not verdicts.any_data[column] and rule.no_data is not NoData.OK:
        if rule.no_data is NoData.KEEP:
            return None
        labels = Labels({"reason": "no_data"})
        for signal in rule.condition.signals()[:1]:
            labels = signal.absent_labels().merged(labels)
        return {rule.labels_of(labels, 1.0): _found(rule, labels, 1.0, generator)}
    found: dict[Labels, Found] = {}
    trips, course = verdicts.trips[:, column], verdicts.course
    for row in np.flatnonzero(trips | verdicts.holds[:, column]).tolist():
        series, value = course.labels[row], float(course.values[row, column])
        labels = rule.labels_of(series, value)
        if labels in found:
            raise InputError(f"{rule.name}: given two series for {labels}; allowed: one for each alert")
        found[labels] = _found(rule, series, value, generator, only_if_firing=not trips[row])
    return found


def _failed(rule: Rule, generator: str) -> dict[Labels, Found] | None:
    if rule.on_error is OnError.KEEP:
        return None
    labels = Labels({"reason": "error"})
    return {rule.labels_of(labels, 1.0): _found(rule, labels, 1.0, generator)}


def _found(
    rule: Rule, series: Labels, value: float, generator: str, *, only_if_firing: bool = False
) -> Found:
    def make(active_at: float) -> AlertInstance:
        return AlertInstance(
            rule=rule.name,
            labels=rule.labels_of(series, value),
            annotations=rule.annotations_of(series, value),
            severity=rule.severity,
            state=State.PENDING,
            active_at=active_at,
            value=value,
            generator=generator,
        )

    return Found(value, make, only_if_firing)
