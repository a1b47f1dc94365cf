"""Dedup: whether there is anything to tell that the destination does not know."""

from __future__ import annotations

from workbench.alerts.instances import State
from workbench.alerts.stages._base import Known, Outcome, Parcel, Stage, Told, episode


class DedupStage(Stage):
    """Tells when an alert fires that the last message did not have, when all or, if it is wanted, some
    have resolved, and when the last message is older than the repeat interval.

    It answers as Alertmanager's DedupStage does, with the reason. Beyond that, a group is not repeated
    of which all that fires is acknowledged.
    """

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Decide whether it is told."""
        if parcel.way is None or parcel.destination is None:
            return [parcel]
        if not parcel.alerts:
            return [parcel.ending(Outcome.NOTHING, "nothing left to tell")]
        told = known.told.get(parcel.destination)
        if not known.regular and parcel.firing <= (told.firing if told else frozenset()):
            return [parcel.ending(Outcome.NOTHING, "nobody else is to be told yet")]
        reason = _news(parcel, told) or _repeat(parcel, told, known)
        if reason is None:
            return [parcel.ending(Outcome.NOTHING, "told already" if told else "never told, and over")]
        if parcel.send_resolved:
            return [parcel.ending(Outcome.TELL, reason)]
        if not parcel.firing:
            return [parcel.ending(Outcome.NOTE, "resolved alerts are not wanted")]
        return [parcel.ending(Outcome.TELL, reason)]


def _news(parcel: Parcel, told: Told | None) -> str | None:
    escalated = parcel.destination is not None and parcel.destination.step > 0
    if told is None:
        first = "not acknowledged" if escalated else "first alert of the group"
        return first if parcel.firing else None
    if not parcel.firing <= told.firing:
        return "not acknowledged" if escalated else "new alert"
    if not parcel.firing:
        return "all resolved" if told.firing else None
    if parcel.send_resolved and not parcel.resolved <= told.resolved:
        return "some resolved"
    return None


def _repeat(parcel: Parcel, told: Told | None, known: Known) -> str | None:
    """Repeat what is older than the interval, strictly."""
    if told is None or parcel.way is None or not parcel.firing:
        return None
    if not told.at < parcel.now - parcel.way.repeat_interval:
        return None
    waiting = [
        alert
        for alert in parcel.alerts
        if alert.state is State.FIRING and episode(alert) not in known.by_hand.acknowledged
    ]
    return "repeat" if waiting else None
