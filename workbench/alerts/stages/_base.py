"""What every stage has in common: parcels of alerts on their way to somebody."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.receivers import Escalation
from workbench.alerts.silences import ByHand, Episode


@dataclass(frozen=True)
class Way:
    """A route with all that it has from the routes above it; times in seconds.

    Args:
        number: which route of the plan, from 0, in the order of the document.
        key: the matchers on the way to it, as Alertmanager writes them.
        receiver: who is told.
        group_by: labels whose values a group shares; None for all labels.
        group_wait, group_interval, repeat_interval: as in the document.
        mute, active: names of time intervals.
        escalate: who is told next.
    """

    number: int
    key: str
    receiver: str
    group_by: frozenset[str] | None
    group_wait: float
    group_interval: float
    repeat_interval: float
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    escalate: tuple[Escalation, ...] = ()


class Destination(NamedTuple):
    """One channel of a receiver, at a step of escalation: 0 is the route's own receiver."""

    receiver: str
    channel: int
    step: int


class Told(NamedTuple):
    """What a destination was last told about a group."""

    at: float
    firing: frozenset[str]
    """Fingerprints."""
    resolved: frozenset[str]


class Outcome(StrEnum):
    """What comes of a parcel."""

    TELL = "tell"
    NOTE = "note"
    """Nothing is sent, but what would have been told counts as told."""
    NOTHING = "nothing"
    HOLD = "hold"
    """It would be told, but not now; the next look at the group tries again."""


class Withheld(NamedTuple):
    """An alert that is not told, and why."""

    alert: AlertInstance
    reason: str


@dataclass(frozen=True)
class Known:
    """What stages may look at beside the parcel.

    Args:
        firing: all alerts that fire, by fingerprint; another mapping whenever others do.
        by_hand: what people have done.
        told: what each destination was last told about the parcel's group.
        first_told: since when the route's receiver knows of each episode, in seconds.
        sent: when each channel was sent messages lately, in seconds.
        regular: whether it is the group's own time; else only escalation looks at it.
    """

    firing: Mapping[str, AlertInstance] = field(default_factory=dict)
    by_hand: ByHand = field(default_factory=ByHand)
    told: Mapping[Destination, Told] = field(default_factory=dict)
    first_told: Mapping[Episode, float] = field(default_factory=dict)
    sent: Mapping[tuple[str, int], Sequence[float]] = field(default_factory=dict)
    regular: bool = True


@dataclass(frozen=True)
class Parcel:
    """Alerts on their way to somebody.

    Args:
        alerts: those that are still to be told.
        now: the time, in seconds.
        way: the route that they take, once it is chosen.
        group_labels: what they have in common, once they are grouped.
        destination: whom to tell, once that is settled.
        send_resolved: whether the destination is told of resolved alerts.
        withheld: those that a stage has taken out.
        outcome: what comes of it.
        reason: why that comes of it.
    """

    alerts: tuple[AlertInstance, ...]
    now: float
    way: Way | None = None
    group_labels: Labels = field(default_factory=Labels)
    destination: Destination | None = None
    send_resolved: bool = True
    withheld: tuple[Withheld, ...] = ()
    outcome: Outcome = Outcome.TELL
    reason: str = ""

    @property
    def firing(self) -> frozenset[str]:
        """Fingerprints of the alerts that fire."""
        return frozenset(alert.fingerprint for alert in self.alerts if alert.state is State.FIRING)

    @property
    def resolved(self) -> frozenset[str]:
        """Fingerprints of the alerts that have resolved."""
        return frozenset(alert.fingerprint for alert in self.alerts if alert.state is not State.FIRING)

    def without(self, reason: Callable[[AlertInstance], str | None]) -> Parcel:
        """Take out the alerts for which there is a reason."""
        looked_at = [(alert, reason(alert)) for alert in self.alerts]
        out = tuple(Withheld(alert, why) for alert, why in looked_at if why is not None)
        if not out:
            return self
        kept = tuple(alert for alert, why in looked_at if why is None)
        return replace(self, alerts=kept, withheld=(*self.withheld, *out))

    def ending(self, outcome: Outcome, reason: str) -> Parcel:
        """Settle what comes of it."""
        return replace(self, outcome=outcome, reason=reason)


class Stage(ABC):
    """One step on the way of a parcel; its fields are its configuration."""

    @abstractmethod
    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Give what goes on: the parcel, changed or not, or several in its place."""


def episode(alert: AlertInstance) -> Episode:
    """Name the episode of an alert."""
    return alert.fingerprint, alert.active_at
