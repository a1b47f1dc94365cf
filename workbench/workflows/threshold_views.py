"""What thresholds would do, in the form that every face of the workbench shows."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.reconcile.certificate import Certificate, Trial, labels_expected, labels_needed
from workbench.reconcile.intervals import Estimate
from workbench.reconcile.outlook import Outlook
from workbench.workflows.results import View, shown

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Range(BaseModel):
    """A figure and its 95 % interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float


class CertificateView(BaseModel):
    """What labels certify."""

    model_config = ConfigDict(frozen=True)

    target: float
    miss_rate: float
    labels: int
    """Labelled proposals that count, in all."""
    threshold: float | None
    """The lowest confidence whose precision is certified; null where none is."""
    labels_above: int
    """Labelled proposals at that threshold or above."""
    errors_above: int
    next_threshold: float | None
    """The threshold that did not pass; null where all did or none could be tested."""
    needed: int | None
    """Labels still needed before that one can pass, if no further error comes."""


class ThresholdRow(BaseModel):
    """What one accept threshold would do."""

    model_config = ConfigDict(frozen=True)

    names: list[str]
    """What it is: now, costs, certificate, hand, chosen, given."""
    accept: float | None
    """Confidence from which proposals are accepted; null accepts none."""
    accepted: Range
    """Share accepted unseen, 0 to 1."""
    automatic: Range
    """Share accepted or rejected unseen, 0 to 1."""
    errors_per_10k: Range
    """Wrong matches accepted unseen, in 10,000 proposals."""
    more_per_10k: Range
    """How many more than now."""
    basis: Literal["labels", "confidences"]
    """Whether errors were counted on labels or expected from the confidences and their bands."""
    missed_per_10k: float
    """Right matches rejected unseen, in 10,000 proposals, expected from the confidences."""
    reviews_per_day: Range
    """Proposals to review on a day with a ledger, audits among them."""
    audits_per_day: float
    reviewers: int
    load: float
    """Work by what the reviewers can do; from 1 on the queue grows without end."""
    wait_p95: Range | None
    """Time until a reviewer begins, 95th percentile, seconds of the clock; null from a load of 1 on."""
    certified: bool
    """Whether labels certify the promised precision from here on."""
    needed: int | None
    """Labels still needed at this threshold if no further error comes; null where nothing is accepted."""
    expected: int | None
    """The same if errors go on as so far; null where that many errors can never pass."""

    def sentence(self) -> str:
        """Say it in one sentence."""
        at = "accepting nothing" if self.accept is None else f"at {self.accept:.4g}"
        wait = f"p95 wait {shown(self.wait_p95.value)}" if self.wait_p95 else "a wait without end"
        count = self.reviewers
        who = f"{_NUMBERS[count] if count < len(_NUMBERS) else count} reviewer{'' if count == 1 else 's'}"
        return (
            f"{at}: {_percent(self.automatic.value)} automatic, {_errors(self.more_per_10k)} in 10,000, "
            f"review queue {self.reviews_per_day.value:,.0f} a day, {wait} with {who}"
        )


class ThresholdsView(View):
    """Accept thresholds and their consequences."""

    schema_: Literal["workbench.thresholds/1"] = Field("workbench.thresholds/1", alias="schema")
    book: str
    version: int
    """The version of the configuration that holds, and that errors are compared with."""
    proposals: int
    contradicted: int
    """Proposals of which labels say different things; the latest was taken."""
    certificate: CertificateView
    chosen: float | None
    """The strictest of costs, certificate and hand; null accepts nothing."""
    chosen_from: str
    reject: float
    choices: list[ThresholdRow]
    applied: int | None
    """The version that the certificate was saved as; null where it was not."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["from", "", "auto", "errors/10k", "more", "review/day", "load", "p95 wait", "labels"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [_cells(row) for row in self.choices]

    def title(self) -> str:
        """Give the line above the table."""
        return (
            f"thresholds for {self.proposals:,} proposals, {self.certificate.labels:,} labels at random "
            "(in brackets 95 % intervals)"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        chosen = next(row for row in self.choices if "chosen" in row.names)
        basis = {
            "labels": "errors are counted on the labels",
            "confidences": "errors are expected from the confidences, in brackets from their bands: fewer "
            "than 100 labels are drawn from all proposals",
        }
        lines = [
            f"chosen, from {self.chosen_from.replace('_', ' ')}: {chosen.sentence()}",
            said_of(self.certificate),
            "labels: those still needed before the promise is certified from there on",
            basis[chosen.basis],
        ]
        if self.contradicted:
            lines.append(
                f"note: labels contradict each other on {self.contradicted} proposals; the latest counts"
            )
        applied = f"saved as version {self.applied}" if self.applied else "not applied; add --apply to do so"
        if any(row.needed is not None and row.expected is None for row in self.choices):
            lines.append("or never: at the rate of errors seen there no number of labels will do")
        return [*lines, applied]


class DecidedView(View):
    """What was decided, and why."""

    schema_: Literal["workbench.decided/1"] = Field("workbench.decided/1", alias="schema")
    file: str
    """Where the decided proposals were written."""
    version: int
    """The version of the configuration that decided."""
    proposals: int
    accept: float | None
    reject: float
    counts: dict[str, dict[str, int]]
    """Proposals by decision, then reason."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["decision", "reason", "proposals", "share"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [decision, reason, f"{count:,}", _percent(count / max(1, self.proposals))]
            for decision, reasons in self.counts.items()
            for reason, count in reasons.items()
        ]

    def title(self) -> str:
        """Give the line above the table."""
        accept = "nothing" if self.accept is None else f"from {self.accept:.5g}"
        return (
            f"{self.proposals:,} proposals decided by version {self.version}: accepts {accept}, "
            f"rejects up to {self.reject:.4g}"
        )

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"written to {self.file}"]


def view_certificate(certificate: Certificate) -> CertificateView:
    """Show a certificate, or that there is none."""
    at, stopped = certificate.at, certificate.stopped
    return CertificateView(
        target=certificate.target,
        miss_rate=certificate.miss_rate,
        labels=certificate.labels,
        threshold=certificate.threshold,
        labels_above=at.labels if at else 0,
        errors_above=at.errors if at else 0,
        next_threshold=stopped.threshold if stopped else None,
        needed=certificate.needed,
    )


def view_choice(
    names: list[str], found: Outlook, tested: Trial | None, certificate: Certificate, reviewers: int
) -> ThresholdRow:
    """Show what one threshold would do."""
    target, miss_rate, threshold = certificate.target, certificate.miss_rate, certificate.threshold
    accept = found.thresholds.accept
    certified = accept is not None and threshold is not None and accept >= threshold
    return ThresholdRow(
        names=names,
        accept=accept,
        accepted=_range(found.accepted),
        automatic=_range(found.automatic),
        errors_per_10k=_range(found.errors.per_10k),
        more_per_10k=_range(found.errors.more),
        basis=found.errors.basis,
        missed_per_10k=found.missed_per_10k,
        reviews_per_day=_range(found.reviews_per_day),
        audits_per_day=found.audits_per_day,
        reviewers=reviewers,
        load=found.load.load,
        wait_p95=_range(found.load.wait_p95) if found.load.wait_p95 else None,
        certified=certified,
        needed=None if tested is None else 0 if certified else labels_needed(tested, target, miss_rate),
        expected=None if tested is None else 0 if certified else labels_expected(tested, target, miss_rate),
    )


def said_of(certificate: CertificateView) -> str:
    """Say in one sentence what is certified, and what more would take."""
    target, needed = f"{100 * certificate.target:g} %", f"{certificate.needed or 0:,}"
    following = certificate.next_threshold
    if certificate.threshold is None:
        if following is None:
            return (
                f"no new certificate from {certificate.labels:,} labels, so one that holds stays; a "
                f"precision of {target} needs {needed} more without an error, drawn at random from what "
                "could be accepted"
            )
        return (
            f"no certificate: too many errors already from {following:.5g} on; a precision of {target} there "
            f"needs {needed} more labels without a further error"
        )
    told = (
        f"certificate: a precision of {target} from {certificate.threshold:.5g} on, by "
        f"{certificate.labels_above:,} labels with {certificate.errors_above} errors, wrong in at most "
        f"{100 * certificate.miss_rate:g} % of such certificates"
    )
    if following is None:
        return told
    return f"{told}; from {following:.5g} on it needs {needed} more labels without an error"


def _cells(row: ThresholdRow) -> list[str]:
    errors, more, reviews = row.errors_per_10k, row.more_per_10k, row.reviews_per_day
    return [
        "nothing" if row.accept is None else f"{row.accept:.5g}",
        ", ".join(row.names),
        _percent(row.automatic.value),
        f"{errors.value:.0f} ({errors.low:.0f}–{errors.high:.0f})",
        f"{more.value:+.0f} ({more.low:.0f} to {more.high:.0f})",
        f"{reviews.value:,.0f}",
        f"{100 * row.load:.0f} %",
        _wait(row),
        _needed(row),
    ]


def _range(estimate: Estimate) -> Range:
    return Range(value=estimate.value, low=estimate.low, high=estimate.high)


def _percent(share: float, unit: str = " %") -> str:
    digits = 1 if share < 0.99 else 2
    return f"{100 * share:.{digits}f}{unit}"


def _errors(more: Range) -> str:
    count = round(more.value)
    if count == 0:
        return "as many errors as now"
    return f"{abs(count)} {'more' if count > 0 else 'fewer'} errors"


def _wait(row: ThresholdRow) -> str:
    if row.wait_p95 is None:
        return "no end" if row.load >= 1.0 else "-"
    low, _, unit = shown(row.wait_p95.low).partition(" ")
    high = shown(row.wait_p95.high)
    both = f"{low}–{high.removesuffix(f' {unit}')}" if high.endswith(f" {unit}") else f"{low} {unit} – {high}"
    return f"{shown(row.wait_p95.value)} ({both})"


def _needed(row: ThresholdRow) -> str:
    if row.needed is None:
        return "-"
    if row.certified:
        return "certified"
    if row.expected is None:
        return f"{row.needed:,} or never"
    return f"{row.needed:,}" if row.expected == row.needed else f"{row.needed:,} to {row.expected:,}"
