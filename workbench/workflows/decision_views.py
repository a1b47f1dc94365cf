"""What the configuration of decisions says, in the form that every face of the workbench shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.workflows.results import View


class ChangeView(BaseModel):
    """One key in which two versions differ; null where it is not set."""

    model_config = ConfigDict(frozen=True)

    key: str
    before: Any
    after: Any


class VersionView(View):
    """One version of the decision configuration."""

    schema_: Literal["workbench.decision_configuration/1"] = Field(
        "workbench.decision_configuration/1", alias="schema"
    )
    book: str
    version: int
    author: str
    at: datetime
    reason: str
    accept: float | None
    """Confidence from which proposals are accepted; null where none is."""
    accept_from: str
    """Which of costs, certificate and hand is the strictest, or why nothing is accepted."""
    reject: float
    """Confidence up to which proposals are rejected."""
    reject_from: str
    configuration: dict[str, Any]
    changes: list[ChangeView]
    """What it changed in the version before."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["key", "value", "before"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        before = {change.key: change.before for change in self.changes}
        return [
            [key, said(value), said(before[key]) if key in before and self.version > 1 else ""]
            for key, value in flat(self.configuration)
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"decision configuration, version {self.version} by {self.author}, {self.at:%Y-%m-%d %H:%M}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        accept = "nothing" if self.accept is None else f"from {self.accept:.4g}"
        return [
            f"reason: {self.reason}",
            f"accepts {accept} ({self.accept_from}), rejects up to {self.reject:.4g} ({self.reject_from})",
        ]


class HistoryView(View):
    """The versions of the decision configuration, the newest first."""

    schema_: Literal["workbench.decision_history/1"] = Field("workbench.decision_history/1", alias="schema")
    book: str
    versions: list[VersionView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["version", "at", "author", "accepts from", "rejects up to", "changed", "reason"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(one.version),
                f"{one.at:%Y-%m-%d %H:%M}",
                one.author,
                "nothing" if one.accept is None else f"{one.accept:.4g}",
                f"{one.reject:.4g}",
                "all" if one.version == 1 else ", ".join(change.key for change in one.changes) or "nothing",
                one.reason,
            ]
            for one in self.versions
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.versions)} versions of the decision configuration in {self.book}"


class DifferenceView(View):
    """What two versions of the decision configuration differ in."""

    schema_: Literal["workbench.decision_difference/1"] = Field(
        "workbench.decision_difference/1", alias="schema"
    )
    before: int
    after: int
    changes: list[ChangeView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["key", f"version {self.before}", f"version {self.after}"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[change.key, said(change.before), said(change.after)] for change in self.changes]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{len(self.changes)} differences from version {self.before} to version {self.after}"


def flat(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value under the path of its keys."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def said(value: Any) -> str:
    """Write a value of a configuration for a table."""
    if value is None or value == "":
        return "-"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
