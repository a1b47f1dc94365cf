"""What applying a version to a balancer that runs came to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.workflows.results import Number, View, shown


class StepView(BaseModel):
    """One change of a balancer that runs."""

    model_config = ConfigDict(frozen=True)

    server: str
    """Empty where it is of the balancer itself."""
    key: str
    before: int | str | None
    after: int | str | None


class ObservationView(BaseModel):
    """How a balancer that runs was doing; counters since it began."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    usable: int
    queued: int
    in_flight: int
    requests: int
    errors: int
    response_s: Number


class ApplicationView(View):
    """A version that was applied to a balancer that runs, or would be."""

    schema_: Literal["workbench.application/1"] = Field("workbench.application/1", alias="schema")
    balancer: str
    version: int
    target: str
    state: str
    """`nothing to do`, `not applied` (a dry run), `kept`, `rolled_back` or `failed`."""
    told: str
    """Why it was rolled back or failed; empty else."""
    steps: list[StepView]
    guards: list[str]
    watched_s: float
    before: ObservationView
    after: ObservationView | None
    """The last look while the balancer was watched."""
    version_after: int
    """The version that holds now: a new one where the balancer was rolled back."""
    recovered: str
    """What was put back first, since the process that applied it was killed."""
    notes: list[str]

    @property
    def held(self) -> bool:
        """Tell whether the balancer stands as asked, or was not to be changed."""
        return self.state not in ("rolled_back", "failed")

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["server", "key", "before", "after"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [step.server or "(balancer)", step.key, _said(step.key, step.before), _said(step.key, step.after)]
            for step in self.steps
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"version {self.version} of {self.balancer} to {self.target}: {self.state}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [f"first: {self.recovered}"] if self.recovered else []
        if self.told:
            lines.append(f"why: {self.told}")
        if self.state == "rolled_back":
            lines.append("the balancer was put back as it was before, and read back")
        if self.version_after != self.version:
            lines.append(f"version {self.version_after} holds now")
        if self.after is not None:
            requests = self.after.requests - self.before.requests
            errors = self.after.errors - self.before.errors
            lines.append(
                f"watched for {format_duration(self.watched_s)}: {requests:,} requests, {errors:,} errors, "
                f"mean response {shown(self.after.response_s)} (before {shown(self.before.response_s)}), "
                f"{self.after.usable} servers usable"
            )
        elif self.state == "kept":
            lines.append("read back as asked; not watched (--watch 60s looks at it and rolls back)")
        return lines + [f"note: {note}" for note in self.notes]


def _said(key: str, value: int | str | None) -> str:
    return "no limit" if key == "limit" and not value else str(value)
