"""Groups: alerts that share a message, and what their receivers have been told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import alert_from_dict, alert_to_dict
from workbench.alerts.silences import Episode
from workbench.alerts.stages import Destination, Told, Way


@dataclass
class Group:
    """Alerts of one way with the same values of the labels that it groups by; times in seconds.

    Args:
        way: the route that they take.
        labels: what they have in common.
        next_look: when the group is looked at next.
        looked_at: whether it was looked at before.
        alerts: by fingerprint.
        told: what each destination was last told.
        first_told: since when the way's receiver knows of each episode that still fires.
        fates: what came last of each alert at each destination, for telling when that changes.
    """

    way: Way
    labels: Labels
    next_look: float
    looked_at: bool = False
    alerts: dict[str, AlertInstance] = field(default_factory=dict)
    told: dict[Destination, Told] = field(default_factory=dict)
    first_told: dict[Episode, float] = field(default_factory=dict)
    fates: dict[tuple[Destination, str], str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The group's name, as Alertmanager writes it."""
        return f"{self.way.key}:{self.labels}"

    def take_in(self, alert: AlertInstance, *, now: float) -> bool:
        """Take an alert in, or what has become of it, and say whether that changes more than its value.

        An alert that has been firing for longer than the group waits is looked at at once.
        """
        before = self.alerts.get(alert.fingerprint)
        self.alerts[alert.fingerprint] = alert
        began = alert.active_at if alert.fired_at is None else alert.fired_at
        if not self.looked_at and began + self.way.group_wait < now:
            self.next_look = min(self.next_look, now)
        same = before is not None and (before.state, before.active_at) == (alert.state, alert.active_at)
        return not same

    def sorted_alerts(self) -> tuple[AlertInstance, ...]:
        """Return the alerts in the order of their labels."""
        return tuple(sorted(self.alerts.values(), key=lambda alert: alert.labels))

    def drop_resolved(self, withheld: Mapping[Destination, frozenset[str]]) -> list[AlertInstance]:
        """Forget alerts that have resolved; return them.

        Where the end of one is withheld from a destination, that forgets the beginning too, so that its next
        episode is told.
        """
        over = [alert for alert in self.alerts.values() if alert.state is not State.FIRING]
        for alert in over:
            del self.alerts[alert.fingerprint]
        gone = frozenset(alert.fingerprint for alert in over)
        self.told = {
            place: told._replace(firing=told.firing - (gone & withheld.get(place, frozenset())))
            for place, told in self.told.items()
        }
        self.fates = {key: fate for key, fate in self.fates.items() if key[1] in self.alerts}
        there = {(alert.fingerprint, alert.active_at) for alert in self.alerts.values()}
        self.first_told = {one: at for one, at in self.first_told.items() if one in there}
        return over

    def to_dict(self) -> dict[str, Any]:
        """Write the group as plain values."""
        return {
            "labels": dict(self.labels),
            "next_look": self.next_look,
            "looked_at": self.looked_at,
            "alerts": [alert_to_dict(alert) for alert in self.alerts.values()],
            "told": [
                [*place, told.at, sorted(told.firing), sorted(told.resolved)]
                for place, told in self.told.items()
            ],
            "first_told": [[*one, at] for one, at in self.first_told.items()],
            "fates": [[*place, alert, fate] for (place, alert), fate in self.fates.items()],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], way: Way) -> Group:
        """Read what `to_dict` wrote."""
        alerts = [alert_from_dict(alert) for alert in content["alerts"]]
        return cls(
            way=way,
            labels=Labels(content["labels"]),
            next_look=content["next_look"],
            looked_at=content["looked_at"],
            alerts={alert.fingerprint: alert for alert in alerts},
            told={
                Destination(receiver, channel, step): Told(at, frozenset(firing), frozenset(resolved))
                for receiver, channel, step, at, firing, resolved in content["told"]
            },
            first_told={(fingerprint, active): at for fingerprint, active, at in content["first_told"]},
            fates={
                (Destination(receiver, channel, step), alert): fate
                for receiver, channel, step, alert, fate in content["fates"]
            },
        )
