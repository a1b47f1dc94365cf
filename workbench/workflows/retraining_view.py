"""What came of training anew, in the form that every face of the workbench shows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.workflows.reconciliation_views import TrainingView
from workbench.workflows.results import View


class RetrainingView(View):
    """A model trained anew, and what it was trained with."""

    schema_: Literal["workbench.retraining/1"] = Field("workbench.retraining/1", alias="schema")
    training: TrainingView
    counts: dict[str, dict[str, int]]
    """Labels by origin, then verdict."""
    replaced: int
    """Labels left out, since a later one, or the review, says something else."""
    version: int
    """The version of the configuration that holds now; its certificate, if it had one, is void."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["labels from", "verdict", "number"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [origin, verdict.replace("_", " "), f"{count:,}"]
            for origin, found in self.counts.items()
            for verdict, count in found.items()
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{self.training.estimator} trained anew, saved in {self.training.file}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [f"version {self.version} holds; its certificate is void until fresh labels earn a new one"]
        if self.replaced:
            lines.append(
                f"{self.replaced:,} labels were left out: a later one, or the review, says something else"
            )
        return lines
