"""Inhibit: alerts that are not told because of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.alerts.instances import AlertInstance
from workbench.alerts.matchers import all_match
from workbench.alerts.receivers import InhibitRule
from workbench.alerts.stages._base import Known, Parcel, Stage

_Sources = dict[tuple[str, ...], list[AlertInstance]]


class InhibitStage(Stage):
    """Withholds what a rule's target matches while what its source matches fires, with equal labels.

    An alert that is both does not keep itself quiet, nor others that are both (Alertmanager, inhibit.go).
    """

    def __init__(self, rules: Sequence[InhibitRule]) -> None:
        self._rules = tuple(rules)
        self._seen: Mapping[str, AlertInstance] | None = None
        self._sources: list[_Sources] = []

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Withhold what is inhibited."""
        if not self._rules:
            return [parcel]
        if known.firing is not self._seen:  # many groups are looked at with the same alerts firing
            self._seen, self._sources = known.firing, [_find(rule, known.firing) for rule in self._rules]
        return [parcel.without(self._reason)]

    def _reason(self, alert: AlertInstance) -> str | None:
        for rule, by_values in zip(self._rules, self._sources, strict=True):
            if not all_match(rule.target_matchers, alert.labels):
                continue
            both = all_match(rule.source_matchers, alert.labels)
            for source in by_values.get(_values(rule, alert), ()):
                if not (both and all_match(rule.target_matchers, source.labels)):
                    return f"inhibited by {source.rule} ({source.fingerprint[:8]})"
        return None


def _find(rule: InhibitRule, firing: Mapping[str, AlertInstance]) -> _Sources:
    """Sort the alerts that may keep others quiet by the labels that must be equal."""
    found: _Sources = {}
    for alert in firing.values():
        if all_match(rule.source_matchers, alert.labels):
            found.setdefault(_values(rule, alert), []).append(alert)
    return found


def _values(rule: InhibitRule, alert: AlertInstance) -> tuple[str, ...]:
    return tuple(alert.labels.get(name, "") for name in rule.equal)
