"""What the review shows, in the form that every face of the workbench shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.reconcile.cases import Case, GivenVerdict
from workbench.workflows.results import View, shown


class VerdictView(BaseModel):
    """A verdict as it was given."""

    model_config = ConfigDict(frozen=True)

    verdict: str
    left_ids: list[str]
    right_ids: list[str]
    blind: bool
    """Whether it was given before the confidence was shown."""
    by: str
    at: datetime
    note: str


class ScoreView(BaseModel):
    """What the model said; shown only once the case is decided."""

    model_config = ConfigDict(frozen=True)

    confidence: float
    confidence_low: float | None
    confidence_high: float | None
    decision: str
    reason: str
    origin: str
    """`review`, or `audit` for one of those accepted."""
    value: float
    """What deciding it unseen would have cost at worst, in the unit of the costs."""


class CaseView(View):
    """One case; without any score until it is decided."""

    schema_: Literal["workbench.review_case/1"] = Field("workbench.review_case/1", alias="schema")
    case_id: int
    kind: str
    left_ids: list[str]
    right_ids: list[str]
    evidence: dict[str, Any]
    """The records `left` and `right`, and `rival`, the best other claims, where ledgers were given."""
    held_until: datetime | None
    verdicts: list[VerdictView]
    score: ScoreView | None
    """Null until a verdict was given."""
    left: int
    """Cases that are open."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["", "id", "date", "amount", "text", "reference", "party"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        records = [
            (side, record)
            for side in ("left", "right")
            for record in self.evidence.get(side) or self._named(side)
        ]
        rivals = [(f"rival, {record.get('side', '')}", record) for record in self.evidence.get("rival", [])]
        return [_record(name, record) for name, record in [*records, *rivals]]

    def _named(self, side: str) -> list[dict[str, Any]]:
        """Give what the proposal itself tells of the records, where no ledger was given."""
        names = self.left_ids if side == "left" else self.right_ids
        known = {"cents": self.evidence.get(f"{side}_cents"), "currency": self.evidence.get("currency")}
        known |= {"date": self.evidence.get("date") or ""} if side == "left" else {}
        return [{"id": name, **(known if len(names) == 1 else {})} for name in names]

    def title(self) -> str:
        """Give the line above the table."""
        currency = self.evidence.get("currency")
        left, right = (money(self.evidence.get(f"{side}_cents"), currency) for side in ("left", "right"))
        return f"case {self.case_id}: {left} of the left ledger, {right} of the right; {self.left:,} open"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [_said(verdict) for verdict in self.verdicts]
        if self.score is not None:
            band = (
                ""
                if self.score.confidence_low is None or self.score.confidence_high is None
                else f" ({self.score.confidence_low:.3f} to {self.score.confidence_high:.3f})"
            )
            lines.append(
                f"the model said {self.score.confidence:.4f}{band}: {self.score.decision}, "
                f"{self.score.reason.replace('_', ' ')}"
            )
        return lines


class CasesView(View):
    """Cases, the open ones first in the order of the value of their label."""

    schema_: Literal["workbench.review_cases/1"] = Field("workbench.review_cases/1", alias="schema")
    book: str
    cases: list[CaseView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["case", "left", "right", "amount", "verdict", "by", "confidence"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                str(case.case_id),
                ", ".join(case.left_ids),
                ", ".join(case.right_ids),
                money(case.evidence.get("left_cents"), case.evidence.get("currency")),
                case.verdicts[-1].verdict if case.verdicts else "open",
                case.verdicts[-1].by if case.verdicts else "",
                "" if case.score is None else f"{case.score.confidence:.4f}",
            ]
            for case in self.cases
        ]

    def title(self) -> str:
        """Give the line above the table."""
        waiting = sum(1 for case in self.cases if not case.verdicts)
        return f"{waiting:,} open and {len(self.cases) - waiting:,} decided cases in {self.book}"


class ReviewStatusView(View):
    """How far the review is."""

    schema_: Literal["workbench.review_status/1"] = Field("workbench.review_status/1", alias="schema")
    book: str
    open: dict[str, int]
    """Open cases by origin."""
    decided: dict[str, dict[str, int]]
    """Decided cases by origin, then verdict."""
    oldest_s: float
    """Age of the oldest open case, seconds."""
    changed: int
    """Verdicts that a reviewer changed after seeing the confidence."""
    added: int | None = None
    """Cases that this command added."""
    updated: int | None = None
    """Open cases whose proposal came again."""
    known: int | None = None
    """Proposals that were decided already."""
    withdrawn: int | None = None
    """Open cases taken out, since their proposal no longer needs a review."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["origin", "open", "decided", "accept", "reject", "repair", "split"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                origin,
                f"{self.open.get(origin, 0):,}",
                f"{sum(found.values()):,}",
                *(f"{found.get(verdict, 0):,}" for verdict in ("accept", "reject", "repair", "split")),
            ]
            for origin in ("review", "audit")
            for found in (self.decided.get(origin, {}),)
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"review in {self.book}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = []
        if self.added is not None:
            lines.append(
                f"{self.added:,} cases added, {self.updated or 0:,} updated, {self.known or 0:,} decided "
                f"before, {self.withdrawn or 0:,} withdrawn"
            )
        if sum(self.open.values()):
            lines.append(f"the oldest waits for {shown(self.oldest_s)}")
        if self.changed:
            lines.append(f"{self.changed:,} verdicts were changed after the confidence was shown")
        return lines


class LabelsView(View):
    """Labels that the review gave, written to a file."""

    schema_: Literal["workbench.review_labels/1"] = Field("workbench.review_labels/1", alias="schema")
    file: str
    counts: dict[str, dict[str, int]]
    """Labels by origin, then verdict."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["origin", "verdict", "labels"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [origin, verdict, f"{count:,}"]
            for origin, found in self.counts.items()
            for verdict, count in found.items()
        ]

    def title(self) -> str:
        """Give the line above the table."""
        total = sum(sum(found.values()) for found in self.counts.values())
        return f"{total:,} labels written to {self.file}"


def view_case(case: Case, *, left: int) -> CaseView:
    """Show a case; its score only once it is decided."""
    decision = "accept" if case.origin.value == "audit" else "review"
    return CaseView(
        case_id=case.case_id,
        kind=case.kind,
        left_ids=list(case.left_ids),
        right_ids=list(case.right_ids),
        evidence=dict(case.evidence),
        held_until=case.held_until,
        verdicts=[_verdict(given) for given in case.verdicts],
        score=ScoreView(
            confidence=case.confidence,
            confidence_low=case.confidence_low,
            confidence_high=case.confidence_high,
            decision=decision,
            reason=case.reason,
            origin=case.origin.value,
            value=case.value,
        )
        if case.decided
        else None,
        left=left,
    )


def money(cents: int | None, currency: str | None = None) -> str:
    """Write whole cents as money.

    >>> money(-123456, "GBP")
    '-1,234.56 GBP'
    """
    if cents is None:
        return "-"
    units, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{units:,}.{rest:02d}{f' {currency}' if currency else ''}"


def _record(name: str, record: dict[str, Any]) -> list[str]:
    texts = [str(record.get(field, "")) for field in ("text", "reference", "party")]
    amount = money(record.get("cents"), record.get("currency")) if "cents" in record else ""
    return [name, str(record["id"]), str(record.get("date", "")), amount, *texts]


def _verdict(given: GivenVerdict) -> VerdictView:
    return VerdictView(
        verdict=given.verdict.value,
        left_ids=list(given.left_ids),
        right_ids=list(given.right_ids),
        blind=given.blind,
        by=given.by,
        at=given.at,
        note=given.note,
    )


def _said(verdict: VerdictView) -> str:
    records = f": {', '.join(verdict.left_ids) or 'none'} with {', '.join(verdict.right_ids) or 'none'}"
    when = "" if verdict.blind else ", having seen the confidence"
    note = f" ({verdict.note})" if verdict.note else ""
    shown_records = records if verdict.verdict in ("repair", "split") else ""
    return f"{verdict.verdict}{shown_records}, by {verdict.by} at {verdict.at:%Y-%m-%d %H:%M}{when}{note}"
