"""What checks, backtests and advice about alert rules say, in the form that every face shows."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.alerts.advice import Candidate
from workbench.alerts.backtest import Score
from workbench.alerts.estimates import Estimate, quantile_estimate
from workbench.workflows.results import Number, View, shown, shown_range


class EstimateView(BaseModel):
    """A value with its 95 % interval; null where there is none, or where it is infinite."""

    model_config = ConfigDict(frozen=True)

    value: Number
    low: Number
    high: Number

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateView:
        """Write an estimate."""
        return cls(value=estimate.value, low=estimate.low, high=estimate.high)

    def figures(self, scale: float = 1.0) -> str:
        """Write it as plain figures."""
        if self.value is None:
            return "-"
        low, high = (math.inf if end is None else end * scale for end in (self.low, self.high))
        return f"{self.value * scale:.3g} ({low:.3g}–{high:.3g})"

    def seconds(self) -> str:
        """Write it as a time."""
        if self.value is None:
            return "-"
        if self.high is None:
            return f"{shown(self.value)} ({shown(self.low)} or more)"
        return f"{shown(self.value)} ({shown_range(self.low, self.high)})"


class CheckedRule(BaseModel):
    """A rule that was checked."""

    model_config = ConfigDict(frozen=True)

    file: str
    rule: str
    severity: str
    hold_s: float
    condition: str
    """In PromQL, or the kind of what PromQL cannot say."""
    tests: int
    """Expectations of its tests."""
    mutants: int | None = None
    """Wrong copies of it that were tried on its tests; null where none were."""
    caught: int | None = None
    missed: list[str] = Field(default_factory=list)
    """What was wrong with those that no test noticed."""


class AlertCheckView(View):
    """Whether files of rules are right and their tests pass."""

    schema_: Literal["workbench.alert_check/1"] = Field("workbench.alert_check/1", alias="schema")
    rules: list[CheckedRule]
    mismatches: list[str]
    """What tests expected and did not get."""

    @property
    def passed(self) -> bool:
        """Whether all tests pass."""
        return not self.mismatches

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["rule", "severity", "for", "tests", "mutants", "condition"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.rule,
                one.severity,
                shown(one.hold_s),
                str(one.tests),
                "-" if one.mutants is None else f"{one.caught}/{one.mutants}",
                one.condition,
            ]
            for one in self.rules
        ]

    def title(self) -> str:
        """Give the line above the table."""
        verdict = "pass" if self.passed else "FAIL"
        return f"{len(self.rules)} rules, {sum(one.tests for one in self.rules)} expectations: {verdict}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        untested = [one.rule for one in self.rules if not one.tests]
        lines = [f"note: no test looks at {', '.join(untested)}"] if untested else []
        lines += [
            f"note: the tests of {one.rule} do not notice: {'; '.join(one.missed)}"
            for one in self.rules
            if one.missed and one.tests
        ]
        return self.mismatches + lines


class FindingView(BaseModel):
    """Something that is probably not meant."""

    model_config = ConfigDict(frozen=True)

    rule: str
    code: str
    message: str


class AlertLintView(View):
    """What is allowed in a file of rules and yet probably not meant."""

    schema_: Literal["workbench.alert_lint/1"] = Field("workbench.alert_lint/1", alias="schema")
    rules: int
    findings: list[FindingView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["rule", "finding", "what"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        found = [[one.rule, one.code, one.message] for one in self.findings]
        return found or [["all", "-", "nothing is found"]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{self.rules} rules, {len(self.findings)} findings"


class DetectionView(BaseModel):
    """How a rule did on one fault."""

    model_config = ConfigDict(frozen=True)

    incidents: int
    detected: int
    delay_p50_s: EstimateView


class ScoreView(BaseModel):
    """What a rule did over times of which the truth is known."""

    model_config = ConfigDict(frozen=True)

    rule: str
    incidents: int
    detected: int
    already_firing: int
    """Incidents that began while an alarm stood already; they count as missed."""
    false_alarms: int
    healthy_s: float
    false_per_day: EstimateView
    recall: EstimateView
    delay_p50_s: EstimateView
    """A missed incident counts as infinitely late."""
    delay_p90_s: EstimateView
    reset_p50_s: EstimateView
    """From the end of an incident to the end of the alarm."""
    faults: dict[str, DetectionView]
    """The same by fault."""

    @classmethod
    def of(cls, score: Score) -> ScoreView:
        """Write a score."""
        counts = ("rule", "incidents", "detected", "already_firing", "false_alarms", "healthy_s")
        return cls(
            **{name: getattr(score, name) for name in counts},
            false_per_day=EstimateView.of(score.false_per_day),
            recall=EstimateView.of(score.recall),
            delay_p50_s=EstimateView.of(score.delay(0.5)),
            delay_p90_s=EstimateView.of(score.delay(0.9)),
            reset_p50_s=EstimateView.of(score.reset(0.5)),
            faults={fault: _detection(score, fault) for fault in dict.fromkeys(score.faults)},
        )

    def cells(self) -> list[str]:
        """Write the figures for a table."""
        return [
            self.false_per_day.figures(),
            self.recall.figures(100.0),
            self.delay_p50_s.seconds(),
            self.delay_p90_s.seconds(),
            self.reset_p50_s.seconds(),
        ]


def _detection(score: Score, fault: str) -> DetectionView:
    delays = score.delays_of(fault)
    return DetectionView(
        incidents=len(delays),
        detected=sum(math.isfinite(delay) for delay in delays),
        delay_p50_s=EstimateView.of(quantile_estimate(delays, 0.5)),
    )


_FIGURES = ["false a day", "recall %", "delay p50", "p90", "reset p50"]


class MessageView(BaseModel):
    """A message that a receiver would have had."""

    model_config = ConfigDict(frozen=True)

    episode: str
    at_s: float
    receiver: str
    status: str
    """firing or resolved."""
    reason: str
    """Why it is told then."""
    alerts: list[str]
    """The rules that it is about."""


class BacktestView(View):
    """What rules would have done."""

    schema_: Literal["workbench.backtest/1"] = Field("workbench.backtest/1", alias="schema")
    name: str
    interval_s: float
    episodes: int
    incidents: int
    healthy_s: float
    scores: list[ScoreView]
    first: dict[str, dict[str, int]]
    """For each fault how often each rule's alarm came first."""
    messages: list[MessageView] = Field(default_factory=list)
    """What receivers would have been told, where receivers were given."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["rule", *_FIGURES]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [[one.rule, *one.cells()] for one in self.scores]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"{self.name}: {self.incidents} incidents in {self.episodes} episodes with "
            f"{shown(self.healthy_s)} of healthy time (in brackets 95 % intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = []
        for fault, counts in self.first.items():
            first = ", ".join(f"{rule} {count}x" for rule, count in counts.items())
            lines += [f"{fault}: first {first}; detected by {self._detections(fault)}"]
        masked = [f"{one.rule} ({one.already_firing})" for one in self.scores if one.already_firing]
        if masked:
            lines.append(f"note: fired already when an incident began, so told nobody: {', '.join(masked)}")
        by_receiver: dict[str, int] = {}
        for message in self.messages:
            by_receiver[message.receiver] = by_receiver.get(message.receiver, 0) + 1
        told = ", ".join(f"{receiver} {count}" for receiver, count in by_receiver.items())
        return [*lines, f"messages: {told}"] if told else lines

    def _detections(self, fault: str) -> str:
        found = [(one.rule, one.faults[fault]) for one in self.scores if fault in one.faults]
        texts = [
            f"{rule} {own.detected}/{own.incidents} in {shown(own.delay_p50_s.value)}"
            for rule, own in sorted(
                found, key=lambda pair: (-pair[1].detected, pair[1].delay_p50_s.value or 0)
            )
            if own.detected
        ]
        return ", ".join(texts) or "none"


class CandidateView(BaseModel):
    """One threshold and `for`, and what the rule does with it over the episodes it was chosen by."""

    model_config = ConfigDict(frozen=True)

    threshold: float
    hold_s: float
    score: ScoreView

    @classmethod
    def of(cls, candidate: Candidate) -> CandidateView:
        """Write a candidate."""
        return cls(threshold=candidate.threshold, hold_s=candidate.hold, score=ScoreView.of(candidate.score))

    def cells(self) -> list[str]:
        """Write the pair and its figures for a table, but for the reset."""
        return [f"{self.threshold:g}", shown(self.hold_s), *self.score.cells()[:-1]]


class AdviceView(View):
    """Which threshold and `for` to give a rule."""

    schema_: Literal["workbench.advice/1"] = Field("workbench.advice/1", alias="schema")
    rule: str
    signal: str
    """What is held against the threshold, in PromQL."""
    above: bool
    """Whether the rule is about values above the threshold, or below."""
    budget_per_day: float
    """False alarms a day that may be."""
    tried: int
    front: list[CandidateView]
    """Those that no other pair beats, by rising false alarms."""
    chosen: CandidateView | None
    """Null where no pair keeps to the budget."""
    confirmed: ScoreView | None
    """What the chosen pair does over episodes that had no part in its choice."""
    present: ScoreView
    """What the rule does as it is, over the same episodes."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", "threshold", "for", *_FIGURES[:-1]]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [["chosen" if one == self.chosen else "", *one.cells()] for one in self.front]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"{self.rule}: {len(self.front)} of {self.tried} pairs of threshold and `for`, which none beats "
            "(in brackets 95 % intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        sign = ">" if self.above else "<"
        budget = f"at most {self.budget_per_day:g} false alarms a day"
        if self.chosen is None or self.confirmed is None:
            return [f"answer: none; no pair detects anything with {budget}"]
        pair = f"{sign} {self.chosen.threshold:g} for {shown(self.chosen.hold_s)}"
        return [
            f"answer: {self.signal} {pair}; {budget}",
            f"over episodes that had no part in the choice: {_sentence(self.confirmed)}",
            f"the rule as it is, over the same: {_sentence(self.present)}",
        ]


def _sentence(score: ScoreView) -> str:
    figures, recall, median, *_ = score.cells()
    return f"{figures} false alarms a day, recall {recall} %, delay p50 {median}"
