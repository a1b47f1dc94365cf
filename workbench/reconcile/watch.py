"""The watch over confidences: calibration, share of matches, drift, coverage and the certificate.

Each finding is a figure with what chance allows beside it, and an alarm only where it is beyond
that. Two alarms void the certificate, for each shows that what it was earned on is no longer so:
the share of matches moved, or an audit found more errors than were promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import bdtrc

from workbench.reconcile.cases import Case
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import column
from workbench.reconcile.drift import Drift, drift
from workbench.reconcile.intervals import Estimate, share_of
from workbench.reconcile.observed import ObservedCalibration, observed_calibration
from workbench.reconcile.results import Decision, Origin, Side
from workbench.reconcile.review import Judged, judged
from workbench.reconcile.shift import PriorShift, prior_shift
from workbench.reconcile.truth import truth_of

DRIFT_COLUMNS = ("confidence", "pair_probability", "marginal", "margin", "left_cents", "currency", "rule")
"""Columns of the proposals table whose drift is looked at by default."""

_CHANCE = 0.01
"""Chance of an alarm of the audit where the precision is just the target."""


class WatchAlarm(StrEnum):
    """What the watch raises an alarm about."""

    CALIBRATION_OFF = "calibration_off"
    """The calibration error on fresh labels is more than chance explains."""
    MATCH_SHARE_MOVED = "match_share_moved"
    """The share of right proposals is no longer that of the training; voids the certificate."""
    AUDIT_BELOW_TARGET = "audit_below_target"
    """An audit found more errors than the promise allows; voids the certificate."""
    DRIFT = "drift"
    """A column no longer looks like the reference."""


VOIDING = (WatchAlarm.MATCH_SHARE_MOVED, WatchAlarm.AUDIT_BELOW_TARGET)
"""Alarms that void the certificate."""


@dataclass(frozen=True)
class Audit:
    """What an audit of accepted proposals found."""

    labels: int
    errors: int
    precision: Estimate
    """Share of them that was right, 0 to 1."""
    below_target: bool
    """Whether so many errors are too unlikely under the promised precision."""


@dataclass(frozen=True)
class Coverage:
    """How much of the ledgers is decided, and how."""

    decisions: Mapping[str, float]
    """Share of the proposals by decision, 0 to 1."""
    proposed: Mapping[str, float]
    """Share of the records that a proposal has, by side, 0 to 1; empty where the breaks are not known."""


@dataclass(frozen=True)
class Backlog:
    """What waits for reviewers."""

    open: int
    oldest_s: float
    """Age of the oldest open case, seconds; 0 where none is open."""
    changed: int
    """Verdicts that a reviewer changed after seeing the confidence."""


@dataclass(frozen=True)
class Watch:
    """What the watch found."""

    proposals: int
    calibration: Mapping[str, ObservedCalibration]
    """On fresh labels, by their origin; those of reviews were chosen by uncertainty."""
    shift: PriorShift | None
    """None where no share is known that the confidences were calibrated to."""
    drifts: Sequence[Drift]
    coverage: Coverage
    audit: Audit | None
    backlog: Backlog | None
    certificate: Literal["valid", "void", "none"]
    """How it stands after what was found."""
    alarms: tuple[WatchAlarm, ...]

    @property
    def voids(self) -> str:
        """Why the certificate is to be voided; empty where it is not."""
        causes = {
            WatchAlarm.MATCH_SHARE_MOVED: _moved(self.shift),
            WatchAlarm.AUDIT_BELOW_TARGET: _found(self.audit),
        }
        return "; ".join(causes[alarm] for alarm in self.alarms if alarm in VOIDING)


def watch(
    proposals: pa.Table,
    configuration: DecisionConfiguration,
    *,
    at: datetime,
    labels: pa.Table | None = None,
    reference: pa.Table | None = None,
    breaks: pa.Table | None = None,
    cases: Sequence[Case] | None = None,
    since: datetime | None = None,
    columns: Sequence[str] = DRIFT_COLUMNS,
) -> Watch:
    """Look whether confidences, and the certificate, still hold.

    Args:
        proposals: rows of the proposals table that were decided now.
        configuration: the one that holds, with its certificate.
        at: the time, for the age of open cases.
        labels: labels from outside that are fresher than the training, rows of the labels table.
        reference: proposals that the model was made from or the certificate was earned on.
        breaks: rows of the breaks table of the same matching as the proposals.
        cases: the review's cases, of whatever matching.
        since: verdicts given earlier do not count as fresh; all do by default.
        columns: columns whose drift is looked at, where there is a reference.

    Raises:
        InputError: there is no proposal, or a column is not there.
    """
    verdicts = judged(cases or (), since=since)
    calibration = dict(_calibrations(proposals, labels, verdicts))
    shift = _shift(proposals, configuration, reference)
    drifts = drift(reference, proposals, columns=columns) if reference is not None else []
    audit = _audit(verdicts, configuration)
    alarms = tuple(
        alarm
        for alarm, raised in (
            (WatchAlarm.CALIBRATION_OFF, any(found.off for found in calibration.values())),
            (WatchAlarm.MATCH_SHARE_MOVED, shift is not None and shift.alarm),
            (WatchAlarm.AUDIT_BELOW_TARGET, audit is not None and audit.below_target),
            (WatchAlarm.DRIFT, any(found.alarm for found in drifts)),
        )
        if raised
    )
    return Watch(
        proposals=proposals.num_rows,
        calibration=calibration,
        shift=shift,
        drifts=drifts,
        coverage=coverage_of(proposals, breaks),
        audit=audit,
        backlog=None if cases is None else _backlog(cases, at),
        certificate=_certificate(configuration, alarms),
        alarms=alarms,
    )


def corrected(proposals: pa.Table, shift: PriorShift) -> pa.Table:
    """Carry the confidences of proposals, and their bands, over to the share of matches of now."""
    for name in ("confidence", "confidence_low", "confidence_high"):
        place = proposals.schema.get_field_index(name)
        values = column(proposals, name).astype(np.float64)
        array = pa.array(shift.correct(values), pa.float64(), from_pandas=True)
        proposals = proposals.set_column(place, proposals.schema.field(name), array)
    return proposals


def _calibrations(
    proposals: pa.Table, labels: pa.Table | None, verdicts: Judged
) -> Iterator[tuple[str, ObservedCalibration]]:
    truth = truth_of(proposals, labels, origins=(Origin.LABELLED,))
    if truth.known.any():
        yield Origin.LABELLED.value, observed_calibration(*truth.of(column(proposals, "confidence")))
    for origin in (Origin.REVIEW, Origin.AUDIT):
        of = verdicts.origin == origin.value
        if of.any():
            yield origin.value, observed_calibration(verdicts.confidence[of], verdicts.right[of])


def _shift(
    proposals: pa.Table, configuration: DecisionConfiguration, reference: pa.Table | None
) -> PriorShift | None:
    certified = configuration.certified
    if certified is not None:
        trained, count = certified.trained, certified.trained_on
    elif reference is not None and reference.num_rows:
        trained, count = float(column(reference, "confidence").mean()), reference.num_rows
    else:
        return None
    return prior_shift(
        column(proposals, "confidence"), trained=trained, trained_on=count, alarm=configuration.alarm
    )


def _audit(verdicts: Judged, configuration: DecisionConfiguration) -> Audit | None:
    of = verdicts.origin == Origin.AUDIT.value
    count, errors = int(of.sum()), int((of & ~verdicts.right).sum())
    if not count:
        return None
    # The chance of so many errors or more if the precision were just the target.
    p_value = float(bdtrc(errors - 1, count, 1.0 - configuration.promise.target)) if errors else 1.0
    return Audit(count, errors, share_of(count - errors, count), p_value <= _CHANCE)


def coverage_of(proposals: pa.Table, breaks: pa.Table | None) -> Coverage:
    """Tell how decided proposals, and the records of both ledgers, are covered."""
    decided = column(proposals, "decision")
    shares = {one.value: float(np.mean(decided == one.value)) for one in Decision}
    if breaks is None:
        return Coverage(shares, {})
    sides = breaks.column("side").to_pylist()
    proposed = {}
    for side in Side:
        records = pc.sum(pc.list_value_length(proposals.column(f"{side.value}_ids"))).as_py() or 0
        proposed[side.value] = records / max(1, records + sides.count(side.value))
    return Coverage(shares, proposed)


def _backlog(cases: Sequence[Case], at: datetime) -> Backlog:
    waiting = [case for case in cases if not case.decided]
    oldest = max(((at - case.opened).total_seconds() for case in waiting), default=0.0)
    changed = sum(1 for case in cases if case.changed)
    return Backlog(len(waiting), max(0.0, oldest), changed)


def _certificate(
    configuration: DecisionConfiguration, alarms: Sequence[WatchAlarm]
) -> Literal["valid", "void", "none"]:
    if configuration.certified is None:
        return "none"
    voided = configuration.certified.void or any(alarm in VOIDING for alarm in alarms)
    return "void" if voided else "valid"


def _moved(shift: PriorShift | None) -> str:
    if shift is None:
        return ""
    return (
        f"the share of right proposals moved from {shift.trained:.3f} to {shift.estimated:.3f} "
        f"({shift.low:.3f} to {shift.high:.3f})"
    )


def _found(audit: Audit | None) -> str:
    return "" if audit is None else f"an audit found {audit.errors} errors in {audit.labels}"
