"""A dead man's switch: messages that come as long as all is well, so that their absence says otherwise."""

from __future__ import annotations

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import Message
from workbench.alerts.receivers import Plan

ALERT = "DeadMansSwitch"
GROUP = f'dead man\'s switch:{{alertname="{ALERT}"}}'

BEAT, NOT_DUE, LATE, ON_ITS_WAY = "all is well", "not due", "evaluation is late", "the last is on its way"


def beat_reason(
    *, every: float, last: float | None, evaluated: float | None, patience: float, waiting: bool, now: float
) -> str:
    """Say whether to send one, or why not.

    Args:
        every: time between two, seconds.
        last: when the last was sent, in seconds.
        evaluated: when rules were last evaluated well, in seconds.
        patience: how old that may be, seconds.
        waiting: whether the last has not arrived yet; a queue of old ones would tell nothing.
        now: the time, in seconds.
    """
    if last is not None and now - last < every:
        return NOT_DUE
    if evaluated is None or now - evaluated > patience:
        return LATE
    return ON_ITS_WAY if waiting else BEAT


def beats(plan: Plan, *, now: float) -> list[Message]:
    """Make one for each channel of its receiver."""
    switch = plan.dead_mans_switch
    if switch is None:
        return []
    labels = Labels({"alertname": ALERT, "severity": "none"})
    annotations = {"summary": "Alerts are evaluated and sent. Be alarmed when this stays away."}
    alert = AlertInstance(ALERT, labels, annotations, "none", State.FIRING, now, 1.0, now)
    return [
        Message(receiver, channel, GROUP, Labels({"alertname": ALERT}), (alert,), now, BEAT)
        for receiver, channel in plan.channels()
        if receiver == switch.receiver
    ]
