"""A message in words, for people: a title of one line and a text of a few."""

from __future__ import annotations

from datetime import UTC, datetime

from workbench.alerts.instances import AlertInstance
from workbench.alerts.messages import Message
from workbench.quantities import format_duration

_MOST = 20
"""Alerts that a text has in full; it counts the others."""


def title(message: Message) -> str:
    """Say in one line what the message is about.

    A test begins with `[TEST]`, whatever else it says.
    """
    name = message.group_labels.get("alertname") or message.common_labels.get("alertname", "")
    names = sorted({alert.rule for alert in message.alerts})
    count = len(message.firing) if message.firing else len(message.resolved)
    what = name or (names[0] if len(names) == 1 else f"{len(names)} rules")
    others = {key: value for key, value in message.common_labels.items() if key != "alertname"}
    where = f" ({', '.join(f'{key}={value}' for key, value in others.items())})" if others else ""
    mark = "[TEST] " if message.test else ""
    return f"{mark}[{message.status.upper()}:{count}] {what}{where}"


def text(message: Message, *, key: str) -> str:
    """Tell all, the firing alerts first, and end with the key that shows duplicates to be such."""
    alerts = [*message.firing, *message.resolved]
    lines = ["This is a test; nothing is wrong.", ""] if message.test else []
    for alert in alerts[:_MOST]:
        lines += [*_lines(alert), ""]
    if len(alerts) > _MOST:
        lines += [f"and {len(alerts) - _MOST} more", ""]
    return "\n".join([*lines, f"told because: {message.reason}", f"key: {key}"])


def line(message: Message, *, key: str) -> str:
    """Tell all in one line."""
    told = ", ".join(f"{alert.labels} {alert.state}" for alert in message.alerts[:_MOST])
    more = f" and {len(message.alerts) - _MOST} more" if len(message.alerts) > _MOST else ""
    return f"{moment(message.at)} {title(message)} for {message.receiver}: {told}{more} key={key}"


def moment(seconds: float) -> str:
    """Write a time for people.

    >>> moment(1.5)
    '1970-01-01 00:00:01 UTC'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _lines(alert: AlertInstance) -> list[str]:
    began = alert.active_at if alert.fired_at is None else alert.fired_at
    heading = f"{alert.state.upper()} {alert.labels}"
    since = f"since {moment(began)}"
    if alert.resolved_at is not None:
        since += f", for {format_duration(alert.resolved_at - began)}"
    facts = [f"{since}, value {alert.value:g}"]
    facts += [f"{name}: {value}" for name, value in alert.annotations.items()]
    if alert.generator:
        facts.append(f"from: {alert.generator}")
    return [heading, *(f"  {fact}" for fact in facts)]
