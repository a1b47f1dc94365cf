"""Alert instances and what happens to them: what evaluation hands to delivery.

Times are float seconds since the epoch, or since the start of a simulated or replayed run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workbench.alerts.labels import Labels


class State(StrEnum):
    """Where an alert instance stands."""

    INACTIVE = "inactive"
    """Its condition does not hold, and nobody was told that it did."""
    PENDING = "pending"
    """Its condition holds, not yet for as long as the rule's `for`."""
    FIRING = "firing"
    RESOLVED = "resolved"
    """It fired and no longer does; kept for 15 minutes so that delivery can say so again."""


@dataclass(frozen=True)
class AlertInstance:
    """One alert of a rule: the rule and one set of labels."""

    rule: str
    labels: Labels
    """Of the series and of the rule, with `alertname` and `severity`; they identify the instance."""
    annotations: Mapping[str, str]
    """Filled in with the last value for which the condition held."""
    severity: str
    state: State
    active_at: float
    """When the condition first held."""
    value: float
    """The last value for which the condition held."""
    fired_at: float | None = None
    resolved_at: float | None = None
    generator: str = ""
    """What made it, such as the file of the rule or an address of a page about it."""

    @property
    def fingerprint(self) -> str:
        """The hash of the labels by which Alertmanager and the store know the instance."""
        return self.labels.fingerprint


@dataclass(frozen=True)
class Transition:
    """A change of an instance's state."""

    at: float
    before: State
    instance: AlertInstance
    """As it is afterwards."""


@dataclass(frozen=True)
class Failure:
    """A rule that could not be evaluated; its instances are as they were unless it says otherwise."""

    at: float
    rule: str
    reason: str


@dataclass(frozen=True)
class Evaluation:
    """All that one evaluation of a set of rules says."""

    at: float
    instances: tuple[AlertInstance, ...]
    """Pending and firing ones, and those that resolved within the last 15 minutes."""
    transitions: tuple[Transition, ...]
    failures: tuple[Failure, ...] = ()
