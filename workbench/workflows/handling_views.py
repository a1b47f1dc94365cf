"""What alerts by hand, their history and the outbox say, in the form that every face shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.workflows.notification_views import AttemptView
from workbench.workflows.results import Number, View

_KEY = 8
"""Characters of a key or a fingerprint that a table shows; they are enough to name it."""


class AlertLine(BaseModel):
    """One alert that is pending, fires or has resolved lately; times in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    alertname: str
    severity: str
    labels: dict[str, str]
    state: str
    active_at: float
    value: Number
    acknowledged_by: str | None
    silenced_by: int | None
    resolved_by: str | None


class AlertsView(View):
    """The alerts that there are."""

    schema_: Literal["workbench.alerts/1"] = Field("workbench.alerts/1", alias="schema")
    state: str
    now: float
    alerts: list[AlertLine]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["alert", "state", "since", "value", "labels", "by hand"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.fingerprint[:_KEY],
                one.state,
                format_duration(self.now - one.active_at),
                "-" if one.value is None else f"{one.value:.4g}",
                " ".join(f"{name}={value}" for name, value in one.labels.items()),
                _by_hand(one),
            ]
            for one in self.alerts
        ]

    def title(self) -> str:
        """Give the line above the table."""
        firing = sum(one.state == "firing" for one in self.alerts)
        return f"{firing} alerts fire, {len(self.alerts) - firing} others ({self.state})"


def _by_hand(one: AlertLine) -> str:
    said = [f"acknowledged by {one.acknowledged_by}"] if one.acknowledged_by else []
    said += [f"silenced by {one.silenced_by}"] if one.silenced_by else []
    said += [f"resolved by {one.resolved_by}"] if one.resolved_by else []
    return ", ".join(said) or "-"


class MarkedView(View):
    """What was acknowledged or resolved by hand just now."""

    schema_: Literal["workbench.alert_marks/1"] = Field("workbench.alert_marks/1", alias="schema")
    kind: str
    """`acknowledged` or `resolved`."""
    alerts: dict[str, str]
    """The labels of each alert by its fingerprint."""
    already: int
    """Those of them that already were."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["alert", "labels"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[fingerprint[:_KEY], labels] for fingerprint, labels in self.alerts.items()]

    def title(self) -> str:
        """Give the line above the table."""
        already = f", {self.already} of them before" if self.already else ""
        return f"{self.kind} {len(self.alerts)} alerts{already}"


class SilenceView(BaseModel):
    """One silence; times in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    silence_id: int
    matchers: list[str]
    starts_at: float
    ends_at: float
    author: str
    comment: str


class SilencesView(View):
    """Silences that last or will."""

    schema_: Literal["workbench.silences/1"] = Field("workbench.silences/1", alias="schema")
    now: float
    silences: list[SilenceView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["silence", "from", "to", "left", "by", "alerts with", "comment"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(one.silence_id),
                _shown(one.starts_at),
                _shown(one.ends_at),
                format_duration(max(0.0, one.ends_at - max(self.now, one.starts_at))),
                one.author,
                " ".join(one.matchers),
                one.comment or "-",
            ]
            for one in self.silences
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.silences)} silences"


class EventView(BaseModel):
    """Something that happened to an alert."""

    model_config = ConfigDict(frozen=True)

    at: float
    """Seconds since the epoch."""
    kind: str
    """`pending`, `firing`, `resolved`, `told`, `withheld`, `failed`, `acknowledged`, ..."""
    alert: str
    fingerprint: str
    receiver: str
    detail: str


class AlertHistoryView(View):
    """What happened to alerts and every attempt to deliver, newest first."""

    schema_: Literal["workbench.alert_history/1"] = Field("workbench.alert_history/1", alias="schema")
    alert: str | None
    events: list[EventView]
    attempts: list[AttemptView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["when", "what", "alert", "receiver", "detail"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        rows = [(one.at, one.kind, one.alert or "-", one.receiver or "-", one.detail) for one in self.events]
        rows += [
            (
                one.started,
                one.verdict,
                "-",
                one.receiver,
                f"attempt {one.number}: {one.detail} key={one.key[:_KEY]}",
            )
            for one in self.attempts
        ]
        return [[_shown(at), *rest] for at, *rest in sorted(rows, key=lambda row: -row[0])]

    def title(self) -> str:
        """Give the line above the table."""
        whose = f" of {self.alert}" if self.alert else ""
        return f"{len(self.events)} events{whose} and {len(self.attempts)} attempts, newest first"


class LetterView(BaseModel):
    """One message in the outbox; times in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    letter_id: int
    key: str
    receiver: str
    channel: int
    group_key: str
    status: str
    alerts: int
    created: float
    due: float
    attempts: int
    state: str
    reason: str


class LettersView(View):
    """Messages in the outbox, newest first."""

    schema_: Literal["workbench.letters/1"] = Field("workbench.letters/1", alias="schema")
    state: str
    now: float
    counts: dict[str, int]
    letters: list[LetterView]
    sent_again: int = 0

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["letter", "state", "receiver", "about", "attempts", "next", "reason"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(one.letter_id),
                one.state,
                f"{one.receiver}/{one.channel}",
                f"{one.status} {one.group_key}",
                str(one.attempts),
                format_duration(max(0.0, one.due - self.now)) if one.state == "waiting" else "-",
                one.reason or "-",
            ]
            for one in self.letters
        ]

    def title(self) -> str:
        """Give the line above the table."""
        counted = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        return f"outbox {self.state}: {counted}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"{self.sent_again} dead letters are sent again"] if self.sent_again else []


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
