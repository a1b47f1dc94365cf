"""Escalate: whom to tell, first and, where nobody acknowledges, next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.receivers import Receiver
from workbench.alerts.stages._base import Destination, Known, Parcel, Stage, Way, episode


class EscalateStage(Stage):
    """Makes a parcel for each channel of the way's receiver and of those that its steps lead to.

    A step has an alert that the way's receiver was told of so long ago and nobody has acknowledged;
    it keeps what it was told of, so that it hears of the end too.
    """

    def __init__(self, receivers: Sequence[Receiver]) -> None:
        self._receivers: Mapping[str, Receiver] = {receiver.name: receiver for receiver in receivers}

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Address the parcel."""
        if parcel.way is None:
            return [parcel]
        parcels = []
        for receiver, after, step in _steps(parcel.way):
            if step == 0 and not known.regular:
                continue
            for number, channel in enumerate(self._receivers[receiver].channels):
                addressed = replace(
                    parcel,
                    destination=Destination(receiver, number, step),
                    send_resolved=channel.send_resolved,
                )
                parcels.append(addressed if step == 0 else _due(addressed, after, known))
        return parcels


def _steps(way: Way) -> Iterator[tuple[str, float, int]]:
    yield way.receiver, 0.0, 0
    for number, escalation in enumerate(way.escalate, 1):
        yield escalation.to, escalation.after, number


def _due(parcel: Parcel, after: float, known: Known) -> Parcel:
    told = known.told.get(parcel.destination) if parcel.destination is not None else None

    def reason(alert: AlertInstance) -> str | None:
        if told is not None and alert.fingerprint in told.firing:
            return None
        if alert.state is not State.FIRING:
            return "not escalated"
        if episode(alert) in known.by_hand.acknowledged:
            return "acknowledged"
        first = known.first_told.get(episode(alert))
        return None if first is not None and parcel.now - first >= after else "not yet escalated"

    return parcel.without(reason)


def next_step(way: Way, known: Known, alerts: Sequence[AlertInstance], *, now: float) -> float | None:
    """Say when the next alert is to be escalated, in seconds, if nobody acknowledges it."""
    times = [
        known.first_told[episode(alert)] + escalation.after
        for alert in alerts
        if alert.state is State.FIRING
        and episode(alert) in known.first_told
        and episode(alert) not in known.by_hand.acknowledged
        for escalation in way.escalate
    ]
    return min((time for time in times if time > now), default=None)
