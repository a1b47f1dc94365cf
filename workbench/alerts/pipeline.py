"""The pipeline: from the alerts of an evaluation to messages, in real or virtual time.

It has no clock and no input or output. `receive` takes what an evaluation says, `advance` looks at
the groups whose time has come and gives the messages, `next_at` says when that will be.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.alerts.audit import Event
from workbench.alerts.groups import Group
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import Message, resolved_at
from workbench.alerts.receivers import Plan
from workbench.alerts.silences import ByHand
from workbench.alerts.stages import (
    DedupStage,
    EscalateStage,
    GroupStage,
    InhibitStage,
    Known,
    MuteStage,
    Outcome,
    Parcel,
    RateLimitStage,
    RouteStage,
    SilenceStage,
    Stage,
    Told,
    Way,
    Withheld,
    episode,
    next_step,
)

_GroupId = tuple[int, Labels]
_TOLD = "told"


@dataclass(frozen=True)
class Step:
    """What a look at the groups gives."""

    messages: tuple[Message, ...] = ()
    events: tuple[Event, ...] = ()
    """What became of alerts, where that is something new."""


@dataclass
class _Findings:
    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Pipeline:
    """Groups alerts and decides who is told of them, and when.

    Args:
        plan: whom to tell.
        remembered: what an earlier pipeline's `changes` gave, merged, so that this one goes on from there.
    """

    def __init__(self, plan: Plan, remembered: Mapping[str, Any] | None = None) -> None:
        route = RouteStage(plan)
        self._intake: tuple[Stage, ...] = (route, GroupStage())
        self._stages: tuple[Stage, ...] = (
            InhibitStage(plan.inhibit_rules),
            MuteStage(plan.time_intervals),
            SilenceStage(),
            EscalateStage(plan.receivers),
            DedupStage(),
            RateLimitStage(plan.receivers),
        )
        self._limits = {one.name: one.at_most.per for one in plan.receivers if one.at_most is not None}
        self._groups: dict[_GroupId, Group] = {}
        self._known: dict[str, list[tuple[Way, Labels]]] = {}
        self._firing: dict[str, AlertInstance] = {}
        self._sent: dict[tuple[str, int], list[float]] = {}
        self._looks: list[tuple[float, _GroupId]] = []
        self._changed: set[_GroupId] = set()
        self.lost: list[str] = []
        """Groups of the earlier pipeline whose route the plan no longer has."""
        self._ways = route.ways()
        self._names = _names(self._ways)
        self._outdated: set[str] = set()
        self._recall(remembered or {})

    def receive(self, alerts: Iterable[AlertInstance], *, now: float, by_hand: ByHand | None = None) -> None:
        """Take in the firing and resolved alerts of an evaluation; others are left alone.

        An alert that somebody has resolved by hand counts as resolved until it fires anew.
        """
        over = (by_hand or ByHand()).resolved
        before = self._firing
        firing = dict(before)
        for given in alerts:
            alert = given
            if alert.state is State.FIRING and episode(alert) in over:
                alert = resolved_at(alert, over[episode(alert)])
            if alert.state is State.FIRING:
                firing[alert.fingerprint] = alert
                self._take_in(alert, now)
            elif alert.state is State.RESOLVED:
                firing.pop(alert.fingerprint, None)
                self._resolve(alert, now)
        self._firing = before if firing.keys() == before.keys() else firing

    def next_at(self) -> float | None:
        """Say when a group is to be looked at next, in seconds; None while there is none."""
        while self._looks:
            at, group_id = self._looks[0]
            if group_id in self._groups:
                return at
            heapq.heappop(self._looks)
        return None

    def advance(self, *, now: float, by_hand: ByHand | None = None) -> Step:
        """Look at the groups whose time has come by now."""
        findings = _Findings()
        while (at := self.next_at()) is not None and at <= now:
            _, group_id = heapq.heappop(self._looks)
            group = self._groups[group_id]
            if group.next_look <= now:
                self._look(group_id, group, now, by_hand or ByHand(), findings)
            elif group.way.escalate:
                self._escalate(group_id, group, now, by_hand or ByHand(), findings)
        return Step(tuple(findings.messages), tuple(findings.events))

    def changes(self) -> dict[str, Any]:
        """Return what has to be remembered since the last call, as plain values by name; None: forgotten."""
        changed: dict[str, Any] = dict.fromkeys(self._outdated)
        self._outdated.clear()
        for number, labels in self._changed:
            group = self._groups.get((number, labels))
            name = self._names[number]
            changed[f"{name} {labels}"] = None if group is None else {"way": name, **group.to_dict()}
        if self._changed:
            changed["sent"] = [[*place, times] for place, times in self._sent.items()]
        self._changed.clear()
        return changed

    def _take_in(self, alert: AlertInstance, now: float) -> None:
        for way, labels in self._places(alert, now):
            group_id = (way.number, labels)
            if group_id not in self._groups:
                wait = now + way.group_wait
                self._groups[group_id] = Group(way, labels, next_look=wait)
                self._look_at(wait, group_id)
            self._put(group_id, self._groups[group_id], alert, now)

    def _places(self, alert: AlertInstance, now: float) -> list[tuple[Way, Labels]]:
        """Find the ways and groups of an alert; those of one that some group has are known."""
        if (known := self._known.get(alert.fingerprint)) is not None:
            return known
        parcels = [Parcel((alert,), now)]
        for stage in self._intake:
            parcels = [after for parcel in parcels for after in stage.apply(parcel, Known())]
        found = [(parcel.way, parcel.group_labels) for parcel in parcels if parcel.way is not None]
        self._known[alert.fingerprint] = found
        return found

    def _put(self, group_id: _GroupId, group: Group, alert: AlertInstance, now: float) -> None:
        planned = group.next_look
        if group.take_in(alert, now=now):
            self._changed.add(group_id)
        if group.next_look < planned:
            self._look_at(group.next_look, group_id)

    def _resolve(self, alert: AlertInstance, now: float) -> None:
        for way, labels in self._known.get(alert.fingerprint, ()):
            group = self._groups.get((way.number, labels))
            if group is not None and alert.fingerprint in group.alerts:
                self._put((way.number, labels), group, alert, now)

    def _look_at(self, at: float, group_id: _GroupId) -> None:
        heapq.heappush(self._looks, (at, group_id))

    def _look(
        self, group_id: _GroupId, group: Group, now: float, by_hand: ByHand, findings: _Findings
    ) -> None:
        """Look at a group at its own time."""
        parcels = self._pass(group, now, by_hand, findings, regular=True)
        group.looked_at = True
        group.next_look += group.way.group_interval
        if group.next_look <= now:  # the process was away for longer than that
            group.next_look = now + group.way.group_interval
        if not any(parcel.outcome is Outcome.HOLD for parcel in parcels):
            withheld = {
                parcel.destination: frozenset(alert.fingerprint for alert, _ in parcel.withheld)
                for parcel in parcels
                if parcel.destination is not None
            }
            for alert in group.drop_resolved(withheld):
                self._forget(alert)
        self._changed.add(group_id)
        if not group.alerts:
            del self._groups[group_id]
            return
        self._look_at(group.next_look, group_id)
        self._plan_step(group_id, group, now, by_hand)

    def _escalate(
        self, group_id: _GroupId, group: Group, now: float, by_hand: ByHand, findings: _Findings
    ) -> None:
        """Look between a group's own times whether somebody else is to be told."""
        self._pass(group, now, by_hand, findings, regular=False)
        self._changed.add(group_id)
        self._plan_step(group_id, group, now, by_hand)

    def _plan_step(self, group_id: _GroupId, group: Group, now: float, by_hand: ByHand) -> None:
        if not group.way.escalate:
            return
        known = Known(by_hand=by_hand, first_told=group.first_told)
        step = next_step(group.way, known, tuple(group.alerts.values()), now=now)
        if step is not None and step < group.next_look:
            self._look_at(step, group_id)

    def _pass(
        self, group: Group, now: float, by_hand: ByHand, findings: _Findings, *, regular: bool
    ) -> list[Parcel]:
        known = Known(self._firing, by_hand, group.told, group.first_told, self._sent, regular)
        parcels = [Parcel(group.sorted_alerts(), now, group.way, group.labels)]
        for stage in self._stages:
            parcels = [after for parcel in parcels for after in stage.apply(parcel, known)]
        told = dict(group.told)
        for parcel in parcels:
            self._settle(group, parcel, told, findings)
        group.told = told
        return parcels

    def _settle(self, group: Group, parcel: Parcel, told: dict[Any, Told], findings: _Findings) -> None:
        place, now = parcel.destination, parcel.now
        if place is None:
            return
        if parcel.outcome in (Outcome.TELL, Outcome.NOTE):
            told[place] = Told(now, parcel.firing, parcel.resolved)
        if parcel.outcome is Outcome.TELL:
            findings.messages.append(_message(group, parcel))
            self._count(place.receiver, place.channel, now)
        if place.step == 0:
            known = told[place].firing if place in told else frozenset()
            for alert in parcel.alerts:
                if alert.state is State.FIRING and alert.fingerprint in known:
                    group.first_told.setdefault(episode(alert), now)
        findings.events += _fates(group, parcel)

    def _count(self, receiver: str, channel: int, now: float) -> None:
        if (per := self._limits.get(receiver)) is not None:
            lately = [time for time in self._sent.get((receiver, channel), []) if time > now - per]
            self._sent[receiver, channel] = [*lately, now]

    def _forget(self, alert: AlertInstance) -> None:
        """Forget the ways of an alert that no group has any more."""
        groups = [self._groups.get((way.number, labels)) for way, labels in self._known[alert.fingerprint]]
        if not any(group is not None and alert.fingerprint in group.alerts for group in groups):
            del self._known[alert.fingerprint]

    def _recall(self, remembered: Mapping[str, Any]) -> None:
        ways = {self._names[way.number]: way for way in self._ways}
        for name, content in remembered.items():
            if name == "sent":
                self._sent = {(receiver, channel): times for receiver, channel, times in content}
                continue
            way = ways.get(content["way"])
            if way is None:
                self.lost.append(name)
                self._outdated.add(name)
                continue
            group = Group.from_dict(content, way)
            group_id = (way.number, group.labels)
            self._groups[group_id] = group
            for alert in group.alerts.values():
                places = self._places(alert, 0.0)
                if (way, group.labels) not in places:  # the plan has changed; it ends where it began
                    places.append((way, group.labels))
                if alert.state is State.FIRING:
                    self._firing[alert.fingerprint] = alert
            self._look_at(group.next_look, group_id)
            self._plan_step(group_id, group, -float("inf"), ByHand())


def _names(ways: Iterable[Way]) -> dict[int, str]:
    """Name each way so that it is found again when others were put before it."""
    seen: Counter[str] = Counter()
    names = {}
    for way in ways:
        name = f"{way.key} to {way.receiver}"
        seen[name] += 1
        names[way.number] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names


def _message(group: Group, parcel: Parcel) -> Message:
    alerts = parcel.alerts
    if not parcel.send_resolved:
        alerts = tuple(alert for alert in alerts if alert.state is State.FIRING)
    if parcel.destination is None:
        raise ValueError("a parcel without a destination")
    return Message(
        receiver=parcel.destination.receiver,
        channel=parcel.destination.channel,
        group_key=group.key,
        group_labels=group.labels,
        alerts=alerts,
        at=parcel.now,
        reason=parcel.reason,
    )


def _fates(group: Group, parcel: Parcel) -> list[Event]:
    """Note of each alert what came of it, where it is not what came of it last time."""
    place = parcel.destination
    if place is None:
        return []
    fates = list(parcel.withheld)
    if parcel.outcome is Outcome.TELL:
        fates += [Withheld(alert, _TOLD) for alert in parcel.alerts]
    elif parcel.outcome is Outcome.HOLD:
        fates += [Withheld(alert, parcel.reason) for alert in parcel.alerts]
    events = []
    for alert, fate in fates:
        if fate != _TOLD and group.fates.get((place, alert.fingerprint)) == fate:
            continue
        group.fates[place, alert.fingerprint] = fate
        name = alert.labels.get("alertname", alert.rule)
        kind, detail = ("told", parcel.reason) if fate == _TOLD else ("withheld", fate)
        detail += f" (channel {place.channel})" if place.channel else ""
        events.append(Event(parcel.now, kind, name, alert.fingerprint, place.receiver, detail))
    return events
