"""What the delivery of alerts says, in the form that every face shows."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.workflows.results import View


class AttemptView(BaseModel):
    """One attempt to deliver; times in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    receiver: str
    channel: int
    """Which of the receiver's channels, from 0."""
    address: str
    key: str
    """The same for every attempt to deliver a message."""
    group_key: str
    number: int
    """Which attempt at the message, from 1."""
    test: bool
    started: float
    ended: float | None
    verdict: str
    """`delivered`, `temporary`, `permanent`, `interrupted` or `under way`."""
    status: int | None
    """Code of HTTP or SMTP, where there is one."""
    detail: str
    retry_after: float | None


_ATTEMPT_COLUMNS = ["receiver", "where", "attempt", "verdict", "took", "answer"]


def _attempt_row(one: AttemptView) -> list[str]:
    took = "-" if one.ended is None else format_duration(one.ended - one.started)
    where = f"{one.channel}: {one.address}"
    return [one.receiver, where, str(one.number), one.verdict, took, one.detail or "-"]


class AlertTestView(View):
    """What came of a test through the real channels."""

    schema_: Literal["workbench.alert_test/1"] = Field("workbench.alert_test/1", alias="schema")
    plan: str
    attempts: list[AttemptView]
    channels: int
    """Channels that were tried."""
    delivered: int
    """Channels that delivered."""
    without: list[str]
    """Receivers without channels, to which nothing was sent."""

    @property
    def passed(self) -> bool:
        """Whether every channel delivered."""
        return self.delivered == self.channels

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return _ATTEMPT_COLUMNS

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [_attempt_row(one) for one in self.attempts]

    def title(self) -> str:
        """Give the line above the table."""
        return f"test of {self.plan}: {self.delivered} of {self.channels} channels delivered"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"{name} has no channel, so that nothing is sent to it" for name in self.without]


class ChannelView(BaseModel):
    """One channel of a receiver."""

    model_config = ConfigDict(frozen=True)

    receiver: str
    channel: int
    kind: str
    address: str
    send_resolved: bool
    ready: bool
    """Whether what it needs from outside, its secrets, is there."""
    problem: str


class ReceiversView(View):
    """Who would be told of alerts with some labels, or of any; and what a plan lets doubt."""

    schema_: Literal["workbench.alert_receivers/1"] = Field("workbench.alert_receivers/1", alias="schema")
    plan: str
    labels: dict[str, str]
    routes: list[str]
    """Of an alert with the labels: how each route treats it."""
    channels: list[ChannelView]
    doubts: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["receiver", "channel", "where", "resolved too", "ready"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.receiver,
                f"{one.channel}: {one.kind}",
                one.address,
                "yes" if one.send_resolved else "no",
                "yes" if one.ready else one.problem,
            ]
            for one in self.channels
        ]

    def title(self) -> str:
        """Give the line above the table."""
        if not self.labels:
            return f"{self.plan}: {len({one.receiver for one in self.channels})} receivers with channels"
        labels = ", ".join(f"{name}={value}" for name, value in self.labels.items())
        return f"{self.plan}: an alert with {labels} goes to"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [*self.routes, *(f"doubtful: {doubt}" for doubt in self.doubts)]


class AlertsRunView(View):
    """What `workbench alerts run` did until it ended."""

    schema_: Literal["workbench.alerts_run/1"] = Field("workbench.alerts_run/1", alias="schema")
    state: str
    """The file that everything is kept in."""
    evaluations: int
    messages: int
    """Decided on in this run, one a channel."""
    attempts: int
    """Made in this run."""
    waiting: int
    delivered: int
    dead: int

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["evaluations", "messages", "attempts", "waiting", "delivered", "dead"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        numbers = (self.evaluations, self.messages, self.attempts, self.waiting, self.delivered, self.dead)
        return [[f"{number:,}" for number in numbers]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"alerts in {self.state}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = ["the first three are of this run, the others of the outbox"]
        if self.dead:
            lines.append(f"{self.dead} dead letters: look at them with `workbench alerts dead-letters`")
        return lines
