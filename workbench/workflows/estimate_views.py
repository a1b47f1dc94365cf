"""What is said of how exact results are: estimates to a precision, plans, selections."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.quantities import format_duration
from workbench.workflows.results import Number, View, shown, shown_range
from workbench.workflows.theory_views import TheoryView


class EstimateView(View):
    """A measure of one scenario, simulated until it is known to a precision."""

    schema_: Literal["workbench.estimate/1"] = Field("workbench.estimate/1", alias="schema")
    scenario: str
    strategy: str
    seed: int
    lake: str
    measure: str
    measure_label: str
    value: Number
    """Mean over the replications, seconds."""
    low: Number
    high: Number
    level: float
    precision: float
    """The error that was allowed, as a share of the true value."""
    reached: bool
    """Whether it is as exact as that."""
    relative: Number
    """Half-width of the interval, as a share of the value."""
    replications: int
    needed: int | None
    """Replications that it would take, where the limit came first."""
    requests: int
    """Measured requests, all replications together."""
    values: list[Number]
    run_ids: list[int]
    simulated: int
    """Runs that were simulated now."""
    reused: int
    theory: TheoryView
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return [self.measure_label, f"{100 * self.level:.0f} % interval", "replications", "requests"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        relative = "" if self.relative is None else f" (±{100 * self.relative:.2g} %)"
        interval = f"{shown_range(self.low, self.high)}{relative}"
        return [[shown(self.value), interval, f"{self.replications:,}", f"{self.requests:,}"]]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"{self.scenario} under {self.strategy}, to within {100 * self.precision:g} % (seed {self.seed})"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [self.answer(), *self.theory.lines(), *(f"note: {note}" for note in self.notes)]

    def answer(self) -> str:
        """Say whether the precision is reached, and else what it takes."""
        counted = (
            f"{self.replications:,} replications "
            f"({self.simulated:,} simulated, {self.reused:,} from the store)"
        )
        if self.reached:
            return f"reached with {counted}"
        more = f": about {self.needed:,} are needed: --most {self.needed}" if self.needed else ""
        return f"not reached with {counted}, the limit{more}"


class NeedView(BaseModel):
    """What a measure takes to be known to a precision."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    measure: str
    measure_label: str
    value: Number
    """As the pilots have it, seconds."""
    relative: Number
    """Half-width at 95 %, as a share of the value, of one run of the scenario as it is."""
    requests: int
    """Requests to simulate in all, warm-ups included."""
    replications: int
    """Replications of the scenario as it is."""
    processor_s: float
    """Processor time of one core, seconds."""


class PlanView(View):
    """How long to simulate a scenario for a precision."""

    schema_: Literal["workbench.plan/1"] = Field("workbench.plan/1", alias="schema")
    scenario: str
    strategy: str
    precision: float
    needs: list[NeedView]
    engine: str
    engine_reason: str
    requests_per_s: float
    """Requests that the engine simulates in a second of processor time, as the pilots had it."""
    jobs: int
    """Simulations at once."""
    horizon: int
    """Requests of one replication of the scenario."""
    warm_up: int
    """Requests that the scenario's own warm-up leaves out of each."""
    settled: int | None
    """Requests that MSER-5 leaves out, over the average of the pilots; null where there is no long run."""
    pilots: int
    pilot_requests: int
    """Requests of one pilot."""
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        percent = f"±{100 * self.precision:g} %"
        return ["measure", "about", "one run", f"requests for {percent}", "replications", "processor time"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.measure_label,
                shown(one.value),
                "-" if one.relative is None else f"±{100 * one.relative:.2g} %",
                rounded(one.requests),
                f"{one.replications:,}",
                format_duration(one.processor_s),
            ]
            for one in self.needs
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"plan for {self.scenario} under {self.strategy}: to within {100 * self.precision:g} % at 95 %"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        longest = max(one.processor_s for one in self.needs) / self.jobs
        lines = [
            f"from {self.pilots} pilots of {self.pilot_requests:,} requests, nothing stored; "
            f"{self.engine} engine ({self.engine_reason}): {rounded(self.requests_per_s)} requests a second; "
            f"the longest takes about {format_duration(longest)} with {self.jobs} jobs",
        ]
        if self.settled is not None:
            enough = (
                "enough" if self.warm_up >= self.settled else f"too short: warm_up: {self.settled} requests"
            )
            lines.append(
                f"warm-up: MSER-5 leaves out the first {self.settled:,} requests, "
                f"the scenario leaves out {self.warm_up:,}: {enough}"
            )
        return lines + [f"note: {note}" for note in self.notes]


class CandidateView(BaseModel):
    """One strategy of a selection; seconds."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    strategy: str
    value: Number
    """Mean of its replications."""
    difference: Number
    """Its mean minus that of the selected one, over the replications that both have."""
    replications: int
    dropped_after: int | None
    """Replications after which it was out; null where it was not."""
    verdict: str
    """`selected`, `dropped`, or `not selected`."""
    run_ids: list[int]


class SelectionView(View):
    """The best of several strategies, with a stated probability."""

    schema_: Literal["workbench.selection/1"] = Field("workbench.selection/1", alias="schema")
    scenario: str
    lake: str
    measure: str
    measure_label: str
    method: str
    """`kn` or `ocba`."""
    probability: float
    """Asked for under `kn`; under `ocba` estimated from below, by Bonferroni."""
    indifference_s: float | None
    """A difference that does not matter, seconds."""
    budget: int | None
    decided: bool
    """Whether the promise holds; false where the limit came first."""
    candidates: list[CandidateView]
    runs: int
    """Replications of all strategies together."""
    simulated: int
    reused: int
    notes: list[str]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["strategy", self.measure_label, "vs selected", "replications", "verdict"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.strategy,
                shown(one.value),
                "" if one.verdict == "selected" else f"+{shown(one.difference)}".replace("+-", "-"),
                f"{one.replications:,}",
                one.verdict + (f" after {one.dropped_after:,}" if one.dropped_after else ""),
            ]
            for one in self.candidates
        ]

    def title(self) -> str:
        """Give the line above the table."""
        how = "KN" if self.method == "kn" else f"OCBA, {self.budget:,} replications"
        return f"the best of {len(self.candidates)} for {self.scenario} ({how})"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [self.answer(), *(f"note: {note}" for note in self.notes)]

    def answer(self) -> str:
        """Say who is selected and what that is worth."""
        best = self.candidates[0].strategy
        spent = f"{self.runs:,} replications ({self.simulated:,} simulated, {self.reused:,} from the store)"
        if self.method == "ocba":
            return (
                f"answer: {best}, the best with a probability of {100 * self.probability:.4g} % or more "
                f"(Bonferroni on normal means, as estimated); {spent}"
            )
        within = f"the best or within {shown(self.indifference_s)} of it"
        if not self.decided:
            return f"no answer yet: {spent}, the limit; {best} is ahead"
        return (
            f"answer: {best}, with probability {100 * self.probability:g} % or more {within} "
            f"(Kim and Nelson 2001); {spent}"
        )


def rounded(number: float) -> str:
    """Write a large number as people say it, such as 17 M.

    >>> rounded(17_034_000), rounded(950)
    ('17 M', '950')
    """
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= scale * 0.9995:
            return f"{number / scale:.3g} {unit}"
    return f"{number:.3g}"
