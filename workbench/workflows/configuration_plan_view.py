"""What a change of a balancer would do, by simulation, before anything is applied."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.workflows.configuration_views import change_lines
from workbench.workflows.decision_views import ChangeView
from workbench.workflows.results import Number, View, shown

_SHARES = ("failed_share",)


class EffectView(BaseModel):
    """What a change does to one measure; all intervals of a plan hold together at its level."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    measure: str
    """A column of the summaries, such as `response_p99_s`, or `failed_share`."""
    label: str
    before: Number
    after: Number
    difference: Number
    difference_low: Number
    difference_high: Number
    relative: Number
    """The difference as a share of what was before; null where that is 0."""
    relative_low: Number
    relative_high: Number
    verdict: str
    """`better`, `worse`, `same`, `not told apart`, or `no answer` where nothing ended well."""
    values_before: list[Number]
    """The measure in each replication, in their order."""
    values_after: list[Number]

    def change(self) -> str:
        """Tell the change with its interval: `-18 % (-22, -14)`."""
        if self.verdict in ("same", "no answer"):
            return ""
        found = (self.relative, self.relative_low, self.relative_high)
        if None in found or self.measure in _SHARES:
            points = (self.difference, self.difference_low, self.difference_high)
            texts = [_signed(100 * (one or 0.0), points) for one in points]
            return f"{texts[0]} points ({texts[1]}, {texts[2]})"
        texts = [_signed(100 * (one or 0.0), found) for one in found]
        return f"{texts[0]} % ({texts[1]}, {texts[2]})"

    def figure(self, value: float | None) -> str:
        """Write a value of the measure."""
        if value is None or self.measure.endswith("_s"):
            return shown(value)
        return f"{100 * value:.3g} %" if self.measure in _SHARES else f"{value:.4g}"


def _signed(value: float, interval: tuple[float | None, ...]) -> str:
    digits = 0 if max(abs(one or 0.0) for one in interval) >= 0.1 else 1
    return f"{value:+.{digits}f}"


class ConfigurationPlanView(View):
    """What a change of a balancer would do to the measures of a load."""

    schema_: Literal["workbench.configuration_plan/1"] = Field(
        "workbench.configuration_plan/1", alias="schema"
    )
    balancer: str
    before: str
    """`version 3`."""
    after: str
    """`version 4`, or `version 3 with the changes`."""
    load: str
    """The name of the scenario whose load was simulated."""
    changes: list[ChangeView]
    effects: list[EffectView]
    replications: int
    level: float
    """Probability with which all intervals hold together."""
    method: str
    run_ids_before: list[int]
    run_ids_after: list[int]
    simulated: int
    """Runs that were simulated for this plan; the others lay in the store."""
    lake: str
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", "before", "after", "change", ""]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [one.label, one.figure(one.before), one.figure(one.after), one.change(), one.verdict]
            for one in self.effects
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"plan for {self.balancer}: {self.before} to {self.after} under the load of {self.load}, "
            f"{self.replications} replications (in brackets {100 * self.level:.0f} % intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [
            self.answer(),
            f"changed: {'; '.join(change_lines(self.changes)) or 'nothing'}",
            self.method,
            *(f"note: {note}" for note in self.notes),
        ]

    def answer(self) -> str:
        """Say in one sentence what is told apart: `answer: response p99 -18 % (-22, -14); ...`."""
        told = [f"{one.label} {one.change()}" for one in self.effects if one.verdict in ("better", "worse")]
        if not told:
            return "answer: nothing is told apart from before; more replications would tell smaller effects"
        return f"answer: {'; '.join(told)}"
