"""What the watch found, in the form that every face of the workbench shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.reconcile.drift import Drift
from workbench.reconcile.metrics import Metric
from workbench.reconcile.observed import ObservedCalibration
from workbench.reconcile.shift import PriorShift
from workbench.reconcile.watch import Watch
from workbench.workflows.results import Number, View, shown

_CERTIFICATE = {
    "valid": "the certificate holds",
    "void": "the certificate is void",
    "none": "there is no certificate",
}


class DiagramPoint(BaseModel):
    """One bin of a reliability diagram."""

    model_config = ConfigDict(frozen=True)

    count: int
    confidence: float
    share: float
    low: float
    high: float


class CalibrationView(BaseModel):
    """Confidences beside fresh labels of one origin."""

    model_config = ConfigDict(frozen=True)

    origin: str
    labels: int
    share: float
    confidence: float
    ece: float
    ece_floor: float
    ece_limit: float
    brier: float
    log_loss: float
    off: bool
    diagram: list[DiagramPoint]


class ShiftView(BaseModel):
    """The share of right proposals, trained and now."""

    model_config = ConfigDict(frozen=True)

    trained: float
    estimated: float
    low: float
    high: float
    alarm: bool


class DriftView(BaseModel):
    """How far a column has moved."""

    model_config = ConfigDict(frozen=True)

    column: str
    psi: float
    psi_limit: float
    ks: Number
    ks_limit: Number
    missing: float
    missing_before: float
    alarm: bool


class MetricView(BaseModel):
    """One metric."""

    model_config = ConfigDict(frozen=True)

    name: str
    labels: dict[str, str]
    value: float


class WatchView(View):
    """What the watch found."""

    schema_: Literal["workbench.watch/1"] = Field("workbench.watch/1", alias="schema")
    version: int
    """The version of the configuration that holds now."""
    proposals: int
    calibration: list[CalibrationView]
    shift: ShiftView | None
    drifts: list[DriftView]
    decisions: dict[str, float]
    coverage: dict[str, float]
    audit_labels: int
    audit_errors: int
    open_cases: int
    oldest_s: float
    certificate: Literal["valid", "void", "none"]
    voided: bool
    """Whether this watch voided it."""
    why: str
    """Why it is to be voided; empty where it is not."""
    alarms: list[str]
    corrected: str | None
    """File of the proposals with corrected confidences."""
    metrics: list[MetricView]

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["watched", "found", "allowed by chance", "alarm"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        rows = []
        for one in self.calibration:
            found = (
                f"{one.ece:.4f} (Brier {one.brier:.4f}, log loss {one.log_loss:.4f}, {one.labels:,} labels)"
            )
            allowed = f"{one.ece_floor:.4f}, at most {one.ece_limit:.4f}"
            rows.append([f"calibration error, {one.origin}", found, allowed, _alarm(one.off)])
        if self.shift is not None:
            now = f"{self.shift.estimated:.3f} (trained {self.shift.trained:.3f})"
            rows.append(
                [
                    "share of matches",
                    now,
                    f"{self.shift.low:.3f} to {self.shift.high:.3f}",
                    _alarm(self.shift.alarm),
                ]
            )
        if self.audit_labels:
            found = f"{self.audit_errors:,} errors in {self.audit_labels:,}"
            rows.append(["audit", found, "", _alarm("audit_below_target" in self.alarms)])
        for drift in self.drifts:
            ks = "" if drift.ks is None else f", KS {drift.ks:.3f}"
            limit = "" if drift.ks_limit is None else f", KS {drift.ks_limit:.3f}"
            rows.append(
                [f"drift of {drift.column}", f"PSI {drift.psi:.3f}{ks}", f"PSI {drift.psi_limit:.3f}{limit}",
                 _alarm(drift.alarm)]
            )  # fmt: skip
        rows += [[f"share to {name}", _percent(share), "", ""] for name, share in self.decisions.items()]
        rows += [
            [f"proposed of the {name}", _percent(share), "", ""] for name, share in self.coverage.items()
        ]
        return rows

    def title(self) -> str:
        """Give the line above the table."""
        raised = f"alarms: {', '.join(self.alarms).replace('_', ' ')}" if self.alarms else "no alarm"
        return f"watch over {self.proposals:,} proposals: {raised}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = []
        if self.voided:
            lines.append(f"the certificate is voided, by version {self.version}: {self.why}")
            lines.append(
                "nothing is accepted unseen until `workbench reconcile thresholds --apply` earns a new one"
            )
        elif self.why and self.certificate == "void":
            lines.append(f"the certificate is void: {self.why}")
        else:
            lines.append(_CERTIFICATE[self.certificate])
        if self.shift is None:
            lines.append("share of matches: not watched, for there is neither a certificate nor a reference")
        if not self.calibration:
            lines.append("calibration: not watched, for there are no fresh labels")
        if self.open_cases:
            lines.append(
                f"{self.open_cases:,} cases wait for a reviewer, the oldest for {shown(self.oldest_s)}"
            )
        if self.corrected:
            lines.append(f"proposals with corrected confidences written to {self.corrected}")
        return lines


def view_watch(
    found: Watch, metrics: Sequence[Metric], *, version: int, voided: bool, corrected: str | None
) -> WatchView:
    """Show what the watch found."""
    return WatchView(
        version=version,
        proposals=found.proposals,
        calibration=[_calibration(origin, one) for origin, one in found.calibration.items()],
        shift=None if found.shift is None else _shift(found.shift),
        drifts=[_drift(one) for one in found.drifts],
        decisions=dict(found.coverage.decisions),
        coverage=dict(found.coverage.proposed),
        audit_labels=found.audit.labels if found.audit else 0,
        audit_errors=found.audit.errors if found.audit else 0,
        open_cases=found.backlog.open if found.backlog else 0,
        oldest_s=found.backlog.oldest_s if found.backlog else 0.0,
        certificate=found.certificate,
        voided=voided,
        why=found.voids,
        alarms=[alarm.value for alarm in found.alarms],
        corrected=corrected,
        metrics=[MetricView(name=one.name, labels=dict(one.labels), value=one.value) for one in metrics],
    )


def _calibration(origin: str, found: ObservedCalibration) -> CalibrationView:
    return CalibrationView(
        origin=origin,
        labels=found.labels,
        share=found.share,
        confidence=found.confidence,
        ece=found.ece,
        ece_floor=found.ece_floor,
        ece_limit=found.ece_limit,
        brier=found.brier,
        log_loss=found.log_loss,
        off=found.off,
        diagram=[
            DiagramPoint(
                count=one.count,
                confidence=one.confidence,
                share=one.share.value,
                low=one.share.low,
                high=one.share.high,
            )
            for one in found.bins
        ],
    )


def _shift(found: PriorShift) -> ShiftView:
    return ShiftView(
        trained=found.trained, estimated=found.estimated, low=found.low, high=found.high, alarm=found.alarm
    )


def _drift(found: Drift) -> DriftView:
    return DriftView(
        column=found.column,
        psi=found.psi,
        psi_limit=found.psi_limit,
        ks=found.ks,
        ks_limit=found.ks_limit,
        missing=found.missing,
        missing_before=found.missing_before,
        alarm=found.alarm,
    )


def _alarm(raised: bool) -> str:
    return "ALARM" if raised else ""


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
