"""What reconciliations say, in the form that every face of the workbench shows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.workflows.results import Number, View


class RuleView(BaseModel):
    """What one blocking rule found."""

    model_config = ConfigDict(frozen=True)

    rule: str
    pairs: int
    new_pairs: int
    """Of these, found by no rule before it."""
    expected_matches: Number
    """Matches that it is expected to find, by their probabilities; null before anything is scored."""
    expected_share: Number
    """Of the expected matches of all rules, the share that it finds; what every rule misses is not seen."""
    true_matches: int | None
    """Labelled matches among its pairs; null without labels."""
    recall: Number
    """Share of the labelled matches that it finds."""
    recall_low: Number
    """Lower end of the exact 95 % interval."""
    recall_high: Number


class FindingView(BaseModel):
    """Something about a ledger that its owner should know."""

    model_config = ConfigDict(frozen=True)

    side: str
    what: str
    count: int
    meaning: str


class LedgersView(BaseModel):
    """What was read and which pairs are looked at."""

    model_config = ConfigDict(frozen=True)

    left: int
    """Records of the left ledger that can be used."""
    right: int
    set_aside: int
    pairs: int
    rules: list[RuleView]
    recall: Number
    """Share of the labelled matches that any rule finds."""
    findings: list[FindingView]
    notes: list[str]

    def remarks(self) -> list[str]:
        """Say what was read, and what the owner should know."""
        lines = [
            f"{self.left:,} left and {self.right:,} right records, {self.pairs:,} candidate pairs "
            f"({self.pairs / max(1, self.left):.2f} a left record)"
        ]
        lines += [_rule_line(rule) for rule in self.rules]
        lines += [f"{one.side}: {one.count:,} {one.what}: {one.meaning}" for one in self.findings]
        return lines + [f"note: {note}" for note in self.notes]


class CalibrationView(BaseModel):
    """How far confidences agree with labels."""

    model_config = ConfigDict(frozen=True)

    proposals: int
    ece: float
    """Expected calibration error, 15 bins of equal mass."""
    ece_floor: float
    """What it would be on average if each confidence were exactly right."""
    brier: float
    log_loss: float
    """Nats a proposal."""


class QualityView(BaseModel):
    """Proposals of a confidence of 1/2 or more against labels."""

    model_config = ConfigDict(frozen=True)

    true_matches: int
    proposed: int
    right: int
    precision: float
    recall: float
    f1: float


class TrainingView(View):
    """A model that was trained."""

    schema_: Literal["workbench.training/1"] = Field("workbench.training/1", alias="schema")
    plan: str
    file: str
    """Where the model was saved."""
    estimator: str
    calibrated: bool
    labelled_records: int
    labelled_pairs: int
    labelled_proposals: int
    tried: dict[str, dict[str, float]]
    """Cross-validated log loss, nats, of what was tried, by stage; the least is what is used."""
    held_out: dict[str, float]
    """Quality of the labelled proposals from held-out probabilities."""
    tilt: float
    """Added to the log odds of pairs before rivals meet."""
    ledgers: LedgersView

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["stage", "tried", "log loss"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        tried = [
            [stage, name, f"{loss:.5f}"]
            for stage, losses in self.tried.items()
            for name, loss in sorted(losses.items(), key=lambda item: item[1])
        ]
        return tried or [["pairs", self.estimator, "no labels to tell"]]

    def title(self) -> str:
        """Give the line above the table."""
        return f"model of {self.plan}: {self.estimator}, saved in {self.file}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [
            f"{self.labelled_records:,} labelled left records, {self.labelled_pairs:,} labelled pairs, "
            f"{self.labelled_proposals:,} labelled proposals"
        ]
        if not self.calibrated:
            lines = [
                "no labels: the confidences are not calibrated, and nothing may be accepted by them alone"
            ]
        if self.held_out:
            held = self.held_out
            lines.append(
                f"held out: F1 {held['f1']:.4f}, ECE {held['ece']:.4f} (floor {held['ece_floor']:.4f}), "
                f"Brier {held['brier']:.4f}, log loss {held['log_loss']:.4f}"
            )
        return lines + self.ledgers.remarks()


class MatchView(View):
    """Proposals for two ledgers, by confidence."""

    schema_: Literal["workbench.matches/1"] = Field("workbench.matches/1", alias="schema")
    plan: str
    proposals_file: str
    breaks_file: str
    evidence_file: str | None
    """Where what each field adds is written; null where it was not asked for."""
    calibrated: bool
    proposals: int
    splits: int
    """Of these, split payments."""
    ambiguous: int
    """Proposals with another that is as good."""
    by_confidence: list[tuple[float, float, int, float]]
    """From, to, number of proposals, and how many of them are expected to be right."""
    breaks: dict[str, dict[str, int]]
    """Records without a proposal, by side and reason."""
    ledgers: LedgersView

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["confidence", "proposals", "expected right"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [f"{low:g} to {high:g}", f"{count:,}", f"{right:,.1f}"]
            for low, high, count, right in self.by_confidence
        ]

    def title(self) -> str:
        """Give the line above the table."""
        kind = "" if self.calibrated else " (not calibrated: the model had no labels)"
        return f"{self.plan}: {self.proposals:,} proposals{kind}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = []
        if self.splits or self.ambiguous:
            lines.append(f"{self.splits:,} split payments; {self.ambiguous:,} ambiguous proposals")
        for side, reasons in self.breaks.items():
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            lines.append(f"{side} records without a proposal: {told or 'none'}")
        lines.append(f"proposals in {self.proposals_file}, breaks in {self.breaks_file}")
        return lines + self.ledgers.remarks()


class EvaluationView(View):
    """Proposals against labels."""

    schema_: Literal["workbench.evaluation/1"] = Field("workbench.evaluation/1", alias="schema")
    plan: str
    quality: QualityView
    all_proposals: CalibrationView
    likely_proposals: CalibrationView | None
    """Those of a confidence of 1/2 or more; null where there is none."""
    diagram: list[tuple[float, float, int]]
    """Reliability diagram: mean confidence, share right, number of proposals."""
    unlabelled: int
    """Proposals of which the labels say nothing."""
    ledgers: LedgersView

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["proposals", "number", "ECE", "its floor", "Brier", "log loss"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        likely = [("confidence of 1/2 or more", self.likely_proposals)] if self.likely_proposals else []
        return [
            [
                name,
                f"{one.proposals:,}",
                f"{one.ece:.4f}",
                f"{one.ece_floor:.4f}",
                f"{one.brier:.4f}",
                f"{one.log_loss:.4f}",
            ]
            for name, one in [("all", self.all_proposals), *likely]
        ]

    def title(self) -> str:
        """Give the line above the table."""
        found = self.quality
        return (
            f"{self.plan}: F1 {found.f1:.4f} (precision {found.precision:.4f}, recall {found.recall:.4f} "
            f"of {found.true_matches:,} true matches)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        rest = f"{self.unlabelled:,} proposals of which the labels say nothing are left out"
        return ([rest] if self.unlabelled else []) + self.ledgers.remarks()


class FieldView(BaseModel):
    """What one field says of a pair."""

    model_config = ConfigDict(frozen=True)

    field: str
    log_odds: float
    """What it adds to the log odds; below 0 it speaks against."""
    compared: dict[str, float]


class CandidateView(BaseModel):
    """One candidate of the record that was asked about."""

    model_config = ConfigDict(frozen=True)

    left_id: str
    right_id: str
    pair_probability: float
    """By itself, no rival seen."""
    records: dict[str, dict[str, Any]]
    """Both records as they were read."""
    fields: list[FieldView]
    typical: float
    """Log odds of a typical candidate that is no match, to which the fields add."""


class EvidenceView(View):
    """Why a record was matched as it was."""

    schema_: Literal["workbench.evidence/1"] = Field("workbench.evidence/1", alias="schema")
    plan: str
    record_id: str
    side: str
    proposal: dict[str, Any] | None
    """Its proposal; null where it has none."""
    break_reason: str | None
    """Why it has no proposal."""
    candidates: list[CandidateView]
    """Its most probable candidates, that of the proposal first."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", *(f"{one.left_id} – {one.right_id}" for one in self.candidates)]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        found = [
            _field_rows(
                field, [next((f for f in one.fields if f.field == field), None) for one in self.candidates]
            )
            for field in (field.field for field in (self.candidates[0].fields if self.candidates else []))
        ]
        return [
            *([["left", *(_record(one.records["left"]) for one in self.candidates)]] if found else []),
            *([["right", *(_record(one.records["right"]) for one in self.candidates)]] if found else []),
            *([["pair alone", *(f"{one.pair_probability:.4f}" for one in self.candidates)]] if found else []),
            *found,
        ]

    def title(self) -> str:
        """Give the line above the table."""
        if self.proposal is None:
            return f"{self.side} record {self.record_id}: no proposal ({self.break_reason})"
        one = self.proposal
        band = (
            f" (band {one['confidence_low']:.4f} to {one['confidence_high']:.4f})"
            if one["confidence_low"] is not None
            else ""
        )
        joined = f"{' + '.join(one['left_ids'])} – {' + '.join(one['right_ids'])}"
        kind = "" if one["calibrated"] else ", not calibrated"
        return f"{joined}: confidence {one['confidence']:.4f}{band}{kind}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        if self.proposal is None:
            return []
        one = self.proposal
        lines = [f"found by {one['rule']!r}", *self._steps(one), *self._rival(one)]
        if one["ambiguous"]:
            lines.append("ambiguous: another proposal is as good, or better by itself")
        return [*lines, f"{one['decision']}: {one['reason']}" if one["decision"] else "not decided yet"]

    @staticmethod
    def _steps(one: dict[str, Any]) -> list[str]:
        if one["pair_probability"] is None:
            return []
        return [
            f"the pair alone {one['pair_probability']:.4f}, among its rivals {one['marginal']:.4f}, "
            f"as a proposal {one['confidence']:.4f}"
        ]

    @staticmethod
    def _rival(one: dict[str, Any]) -> list[str]:
        if not one["rival_left_id"]:
            return ["no rival"]
        margin = f", margin {one['margin']:+.4f}" if one["margin"] is not None else ""
        return [f"best rival {one['rival_left_id']} – {one['rival_right_id']}{margin}"]


def _field_rows(field: str, found: list[FieldView | None]) -> list[str]:
    return [field, *(f"{one.log_odds:+.2f}" if one else "" for one in found)]


def _record(record: dict[str, Any]) -> str:
    shown = [str(record[name]) for name in ("date", "text", "reference", "party") if record.get(name)]
    cents = int(record["cents"])
    amount = f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return ", ".join([*shown, f"{amount} {record.get('currency') or ''}".strip()])


def _rule_line(rule: RuleView) -> str:
    line = f"rule {rule.rule!r}: {rule.pairs:,} pairs, {rule.new_pairs:,} of them new"
    if rule.expected_matches is not None and rule.expected_share is not None:
        share = f" ({rule.expected_share:.4f} of all)" if rule.expected_share < 1 else ""
        line += f"; {rule.expected_matches:,.0f} matches expected{share}"
    if rule.recall is None:
        return line
    return (
        f"{line}; finds {rule.recall:.4f} of the labelled matches "
        f"({rule.recall_low:.4f} to {rule.recall_high:.4f})"
    )
