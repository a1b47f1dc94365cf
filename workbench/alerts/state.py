"""The state machine of alerts: pure, over (timing, what was found, time).

The first evaluation at which a condition holds makes an alert pending; it fires at the first one at
which it has held for `hold`. A pending alert whose condition ceases is forgotten. One that fires goes
on for `keep_firing_for` from the first evaluation at which its condition does not hold, then is resolved,
and is kept for 15 minutes. These are the rules of Prometheus 2.42 (rules/alerting.go), to which they are
compared by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from workbench.alerts.instances import AlertInstance, State, Transition
from workbench.alerts.labels import Labels

RETENTION = 900.0
"""Seconds for which a resolved alert is kept."""


class Timing(Protocol):
    """The times of a rule, seconds."""

    @property
    def hold(self) -> float: ...
    @property
    def keep_firing_for(self) -> float: ...


class Found(NamedTuple):
    """That a condition holds for an alert."""

    value: float
    make: Callable[[float], AlertInstance]
    """Makes the alert, pending since a time."""
    only_if_firing: bool = False
    """Whether it holds only for an alert that fires already: hysteresis."""


@dataclass(frozen=True)
class Tracked:
    """An alert, and what evaluation must remember of it beyond what others see."""

    alert: AlertInstance
    kept_since: float | None = None
    """The first evaluation at which the condition of a firing alert did not hold."""


Alerts = Mapping[Labels, Tracked]
"""The alerts of one rule by their labels."""


def reached(since: float, at: float, length: float) -> bool:
    """Tell whether a length of time has passed, to the microsecond."""
    return round((at - since) * 1e6) >= round(length * 1e6)


def step(
    timing: Timing, before: Alerts, found: Mapping[Labels, Found], at: float
) -> tuple[dict[Labels, Tracked], list[Transition]]:
    """Take one evaluation of one rule into account.

    Args:
        timing: the rule's `hold` and `keep_firing_for`.
        before: the alerts as they were.
        found: those for which the condition holds.
        at: the time of the evaluation, seconds.

    Returns:
        The alerts as they are, and those whose state has changed.
    """
    after: dict[Labels, Tracked] = {}
    transitions: list[Transition] = []
    for labels, one in before.items():
        alert = one.alert
        if labels in found and alert.state in (State.PENDING, State.FIRING):
            held = found[labels]
            if not held.only_if_firing or alert.state is State.FIRING:
                after[labels] = _go_on(timing, alert, held, at, transitions)
                continue
        if (still := _without(timing, one, at, transitions)) is not None:
            after[labels] = still
    for labels, held in found.items():
        known = after.get(labels)
        if held.only_if_firing or (known is not None and known.alert.state is not State.RESOLVED):
            continue
        after[labels] = _begin(timing, held, at, transitions)
    return after, transitions


def _begin(timing: Timing, held: Found, at: float, transitions: list[Transition]) -> Tracked:
    alert = held.make(at)
    if timing.hold > 0:
        transitions.append(Transition(at, State.INACTIVE, alert))
        return Tracked(alert)
    return Tracked(_fire(alert, State.INACTIVE, at, transitions))


def _go_on(
    timing: Timing, alert: AlertInstance, held: Found, at: float, transitions: list[Transition]
) -> Tracked:
    renewed = replace(held.make(alert.active_at), state=alert.state, fired_at=alert.fired_at)
    if alert.state is State.PENDING and reached(alert.active_at, at, timing.hold):
        renewed = _fire(renewed, State.PENDING, at, transitions)
    return Tracked(renewed)


def _fire(alert: AlertInstance, before: State, at: float, transitions: list[Transition]) -> AlertInstance:
    fired = replace(alert, state=State.FIRING, fired_at=at)
    transitions.append(Transition(at, before, fired))
    return fired


def _without(timing: Timing, one: Tracked, at: float, transitions: list[Transition]) -> Tracked | None:
    """Give what becomes of an alert whose condition does not hold; None where it is forgotten."""
    alert = one.alert
    if alert.state is State.PENDING:
        transitions.append(Transition(at, State.PENDING, replace(alert, state=State.INACTIVE)))
        return None
    if alert.state is State.RESOLVED:
        ended = alert.resolved_at if alert.resolved_at is not None else at
        return None if at - ended > RETENTION else one
    since = at if one.kept_since is None else one.kept_since
    if not reached(since, at, timing.keep_firing_for):
        return Tracked(alert, since)
    return Tracked(resolve(alert, at, transitions))


def resolve(alert: AlertInstance, at: float, transitions: list[Transition]) -> AlertInstance:
    """End an alert that fires."""
    ended = replace(alert, state=State.RESOLVED, resolved_at=at)
    transitions.append(Transition(at, State.FIRING, ended))
    return ended
