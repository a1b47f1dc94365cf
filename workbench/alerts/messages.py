"""Messages: what a receiver is told about a group of alerts, and how that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels


@dataclass(frozen=True)
class Message:
    """What one channel of a receiver is told about a group of alerts.

    Args:
        receiver: who is told.
        channel: which of the receiver's channels tells it, from 0.
        group_key: the route and the labels of the group, as Alertmanager writes them; the messages of
            one channel and one group arrive in order.
        group_labels: what the alerts have in common by the route's `group_by`.
        alerts: firing and resolved ones.
        at: when it was decided, in seconds.
        reason: why it is told now, such as `new alert` or `repeat`.
        test: whether it is a test, which is marked as such wherever it arrives.
    """

    receiver: str
    channel: int
    group_key: str
    group_labels: Labels
    alerts: tuple[AlertInstance, ...]
    at: float
    reason: str
    test: bool = False

    @property
    def status(self) -> str:
        """`firing` if any alert fires, else `resolved`."""
        return "firing" if self.firing else "resolved"

    @property
    def firing(self) -> tuple[AlertInstance, ...]:
        """The alerts that fire."""
        return tuple(alert for alert in self.alerts if alert.state is State.FIRING)

    @property
    def resolved(self) -> tuple[AlertInstance, ...]:
        """The alerts that no longer fire."""
        return tuple(alert for alert in self.alerts if alert.state is not State.FIRING)

    @property
    def common_labels(self) -> dict[str, str]:
        """The labels that all alerts have with the same values."""
        return _common(alert.labels for alert in self.alerts)

    @property
    def common_annotations(self) -> dict[str, str]:
        """The annotations that all alerts have with the same values."""
        return _common(alert.annotations for alert in self.alerts)

    def to_json(self) -> str:
        """Write the message for keeping."""
        content = {name: getattr(self, name) for name in ("receiver", "channel", "group_key", "at", "reason")}
        content |= {"test": self.test, "group_labels": dict(self.group_labels)}
        return json.dumps(content | {"alerts": [alert_to_dict(alert) for alert in self.alerts]})

    @classmethod
    def from_json(cls, text: str) -> Message:
        """Read what `to_json` wrote."""
        content = json.loads(text)
        content["group_labels"] = Labels(content["group_labels"])
        content["alerts"] = tuple(alert_from_dict(alert) for alert in content["alerts"])
        return cls(**content)


def _common(all_pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    first, *rest = [dict(pairs) for pairs in all_pairs] or [{}]
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in rest)}


def alert_to_dict(alert: AlertInstance) -> dict[str, Any]:
    """Write an alert as plain values."""
    return {**alert.__dict__, "labels": dict(alert.labels), "annotations": dict(alert.annotations)}


def alert_from_dict(content: Mapping[str, Any]) -> AlertInstance:
    """Read what `alert_to_dict` wrote."""
    return AlertInstance(**{**content, "labels": Labels(content["labels"]), "state": State(content["state"])})


def resolved_at(alert: AlertInstance, at: float) -> AlertInstance:
    """Give the alert as resolved at a time."""
    return replace(alert, state=State.RESOLVED, resolved_at=at)


def timestamp(seconds: float) -> str:
    """Write a time as RFC 3339 in UTC, with microseconds.

    >>> timestamp(0.25)
    '1970-01-01T00:00:00.250000Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
