"""Trying the way to a receiver before it is needed, and showing who would be told."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path

from workbench.alerts.audit import Attempt, Audit
from workbench.alerts.channels import Channel, Verdict
from workbench.alerts.database import Database
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import Message
from workbench.alerts.outbox import Place, idempotency_key
from workbench.alerts.receivers import Plan, load_plan
from workbench.alerts.secrets import Vault
from workbench.alerts.sending import RetryPolicy, attempt
from workbench.alerts.stages import Known, Parcel, RouteStage, Way
from workbench.errors import InputError, NotFoundError
from workbench.quantities import format_duration
from workbench.settings import Settings
from workbench.workflows.notification_views import (
    AlertTestView,
    AttemptView,
    ChannelView,
    ReceiversView,
)
from workbench.workflows.notifying import places, secret_problem, state_file

TEST_ALERT = "WorkbenchTest"

_LONGEST_WAIT = 60.0
"""Most that a test heeds a receiver which asks to be left alone, seconds."""


def try_channels(
    plan: Path,
    *,
    receivers: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
    attempts: int = 3,
    settings: Settings | None = None,
    state: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> AlertTestView:
    """Send a marked test through the real channels, and report each attempt.

    Args:
        plan: the document that says whom to tell.
        receivers: names of those to try.
        labels: in place of names, those of an alert, which goes to whom its routes lead.
        attempts: most attempts of each channel, 1 to 10; between two it waits as in earnest.
        settings: where the state lies by default.
        state: the file of the audit in which each attempt is written down.
        environment: the variables that secrets may be in.

    Raises:
        DocumentError: the plan holds what is not allowed.
        NotFoundError: there is no such receiver.
    """
    loaded = load_plan(plan)
    names = _receivers(loaded, receivers, labels)
    chosen = {place: channel for place, channel in places(loaded).items() if place.receiver in names}
    database = Database(state_file(state, settings))
    try:
        audit, vault = Audit(database), Vault(environment)
        made = [
            one
            for place, channel in chosen.items()
            for one in _try(place, channel, labels=labels or {}, most=attempts, audit=audit, vault=vault)
        ]
    finally:
        database.close()
    return AlertTestView(
        plan=str(plan),
        attempts=[attempt_view(one) for one in made],
        channels=len(chosen),
        delivered=sum(one.verdict == Verdict.DELIVERED for one in made),
        without=[name for name in sorted(names) if not any(place.receiver == name for place in chosen)],
    )


def _try(
    place: Place, channel: Channel, *, labels: Mapping[str, str], most: int, audit: Audit, vault: Vault
) -> list[Attempt]:
    """Make attempts until one is not in vain for the time being."""
    told = _test_message(place, labels, time.time())
    key, made = idempotency_key(told), list[Attempt]()
    for number in range(1, most + 1):
        if made:
            wait = RetryPolicy().wait(number - 1, random.random())
            time.sleep(max(wait, min(made[-1].retry_after or 0.0, _LONGEST_WAIT)))
        now = time.time()
        attempt_id = audit.begin(told, key=key, address=channel.address, number=number, now=now)
        answer = attempt(channel, told, key=key, vault=vault, now=now)
        audit.end(attempt_id, answer, now=time.time())
        made.append(audit.attempts(key=key, limit=1)[0])
        if answer.verdict is not Verdict.TEMPORARY:
            break
    return made


def show_receivers(
    plan: Path, *, labels: Mapping[str, str] | None = None, environment: Mapping[str, str] = os.environ
) -> ReceiversView:
    """Show a plan's receivers, or those whom an alert with some labels would reach.

    Args:
        plan: the document that says whom to tell.
        labels: of an alert.
        environment: the variables that secrets may be in.

    Raises:
        DocumentError: the plan holds what is not allowed.
    """
    loaded, vault = load_plan(plan), Vault(environment)
    ways = _ways(loaded, labels) if labels else []
    names = {way.receiver for way in ways} | {step.to for way in ways for step in way.escalate}
    channels = [
        _channel_view(place, channel, vault)
        for place, channel in places(loaded).items()
        if not labels or place.receiver in names
    ]
    return ReceiversView(
        plan=str(plan),
        labels=dict(labels or {}),
        routes=[_treatment(way) for way in ways],
        channels=channels,
        doubts=loaded.doubts(),
    )


def attempt_view(one: Attempt) -> AttemptView:
    """Show an attempt."""
    content = asdict(one)
    del content["attempt_id"]
    return AttemptView(**content)


def _channel_view(place: Place, channel: Channel, vault: Vault) -> ChannelView:
    problem = secret_problem(channel, vault)
    return ChannelView(
        receiver=place.receiver,
        channel=place.channel,
        kind=channel.kind,
        address=channel.address,
        send_resolved=channel.send_resolved,
        ready=not problem,
        problem=problem,
    )


def _receivers(plan: Plan, names: Collection[str], labels: Mapping[str, str] | None) -> set[str]:
    if bool(names) == bool(labels):
        raise InputError("test: given neither or both; allowed: names of receivers, or labels of an alert")
    there = {receiver.name for receiver in plan.receivers}
    if unknown := sorted(set(names) - there):
        raise NotFoundError(f"receiver: given {', '.join(unknown)}; allowed: {', '.join(sorted(there))}")
    return set(names) or {way.receiver for way in _ways(plan, labels or {})}


def _ways(plan: Plan, labels: Mapping[str, str]) -> list[Way]:
    alert = _test_alert(labels, 0.0)
    parcels = RouteStage(plan).apply(Parcel((alert,), 0.0), Known())
    return [parcel.way for parcel in parcels if parcel.way is not None]


def _treatment(way: Way) -> str:
    by = "all labels" if way.group_by is None else ", ".join(sorted(way.group_by)) or "nothing"
    times = (
        f"first after {format_duration(way.group_wait)}, news every {format_duration(way.group_interval)}, "
        f"again after {format_duration(way.repeat_interval)}"
    )
    said = f"{way.receiver}: grouped by {by}; {times}"
    if way.mute:
        said += f"; not in {', '.join(way.mute)}"
    if way.active:
        said += f"; only in {', '.join(way.active)}"
    steps = [f"{step.to} after {format_duration(step.after)}" for step in way.escalate]
    return said + (f"; unless acknowledged also {', '.join(steps)}" if steps else "")


def _test_alert(labels: Mapping[str, str], now: float) -> AlertInstance:
    given = Labels({"alertname": TEST_ALERT, "severity": "none", **labels})
    text = {"summary": "A test of the way to this receiver. Nothing is wrong."}
    return AlertInstance(given["alertname"], given, text, given["severity"], State.FIRING, now, 0.0, now)


def _test_message(place: Place, labels: Mapping[str, str], now: float) -> Message:
    alert = _test_alert(labels, now)
    group = alert.labels.only(frozenset({"alertname"}))
    reason = "a test by hand"
    return Message(*place, f"test:{group}", group, (alert,), now, reason, test=True)
