"""Reconciling two ledgers: training a model, matching, evaluating, and explaining."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import InputError, StoreError
from workbench.reconcile.blocking import RuleCounts, expected_matches, matches_found
from workbench.reconcile.evaluation import Calibration, calibration, match_quality, reliability
from workbench.reconcile.evidence import evidence_table
from workbench.reconcile.intervals import share_of
from workbench.reconcile.labels import Truth, read_labels, resolve_labels
from workbench.reconcile.matching import Matched, Prepared, match, read_and_block
from workbench.reconcile.model import ReconciliationModel
from workbench.reconcile.persistence import load_model, save_model
from workbench.reconcile.plan import Blocking, ReconciliationPlan, read_plan
from workbench.reconcile.proposal_files import write_table
from workbench.reconcile.results import Side
from workbench.reconcile.training import fingerprint, train, train_without_labels
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings, load_settings
from workbench.workflows.reconciliation_views import (
    CalibrationView,
    EvaluationView,
    FindingView,
    LedgersView,
    MatchView,
    QualityView,
    RuleView,
    TrainingView,
)

_STEPS = (0.0, 0.1, 0.5, 0.9, 0.97, 0.99, 0.999, 1.0)
_SEED = 0

PlanSource = ReconciliationPlan | Path | str
"""A plan, or its YAML file."""


def train_reconciliation(
    plan: PlanSource,
    *,
    labels: Path | pa.Table | None,
    complete: bool = False,
    estimator: str | None = None,
    model: Path | None = None,
    settings: Settings | None = None,
) -> TrainingView:
    """Train a model for the ledgers of a plan and save it.

    Args:
        plan: a plan, or its YAML file.
        labels: CSV with left_id and right_id, or a table of labels; None for a start without labels,
            whose confidences are not calibrated.
        complete: whether the labels name every match there is.
        estimator: gradient_boosting, logistic_on_splines or blend; by default what held-out labels prefer.
        model: file to save it in; in the lake by default.
        settings: where the lake is, threads and memory.

    Raises:
        DocumentError: the plan or a ledger cannot be used.
        InputError: the labels cannot be used, or a blocking rule would find too many pairs.
        ModelError: the model cannot be written.
    """
    given, place = resolved_plan(plan), settings or load_settings()
    file = model or model_file(given, place)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    with Workspace(place) as workspace:
        prepared = read_and_block(workspace, given)
        if labels is None:
            truth = None
            fitted = train_without_labels(workspace, given, created=created)
        else:
            truth = resolve_labels(workspace, _labels(labels), complete=complete)
            fitted = train(workspace, given, truth, created=created, estimator=estimator)
        save_model(fitted, file)
        return TrainingView(
            plan=given.name,
            file=str(file),
            estimator=fitted.facts.estimator,
            calibrated=fitted.calibrated,
            labelled_records=fitted.facts.labelled_records,
            labelled_pairs=fitted.facts.labelled_pairs,
            labelled_proposals=fitted.facts.labelled_proposals,
            tried={
                stage: losses
                for stage, losses in (
                    ("pairs", fitted.facts.pair_log_losses),
                    ("calibration of pairs", fitted.facts.pair_calibrator_log_losses),
                    ("calibration of proposals", fitted.facts.proposal_calibrator_log_losses),
                )
                if losses
            },
            held_out=fitted.facts.held_out,
            tilt=fitted.learned.tilt,
            ledgers=_ledgers(workspace, given.blocking, prepared, truth),
        )


def match_ledgers(
    plan: PlanSource,
    *,
    model: Path | None = None,
    labels: Path | pa.Table | None = None,
    complete: bool = False,
    folder: Path | None = None,
    evidence: bool = False,
    settings: Settings | None = None,
) -> MatchView:
    """Propose partners for the records of a plan's ledgers, and store proposals and breaks.

    Args:
        plan: a plan, or its YAML file.
        model: a saved model; that of the plan in the lake by default.
        labels: what is known, for the column `truth`.
        complete: whether the labels name every match there is.
        folder: where `proposals.parquet` and `breaks.parquet` go; in the lake by default.
        evidence: whether what each field adds is written too, for every pair, as `evidence.parquet`.
        settings: where the lake is, threads and memory.

    Raises:
        DocumentError: the plan or a ledger cannot be used.
        InputError: the labels cannot be used, or a blocking rule would find too many pairs.
        ModelError: the model is missing or does not fit.
        StoreError: the results cannot be written.
    """
    given, place = resolved_plan(plan), settings or load_settings()
    target = folder or results_folder(given, place)
    with _matched(given, place, model=model, labels=labels, complete=complete) as matching:
        workspace, fitted, found, truth, notes = matching
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{target}: cannot be written ({error.strerror})") from None
        write_table(target / "proposals.parquet", found.proposals)
        write_table(target / "breaks.parquet", found.breaks)
        if evidence:
            write_table(target / "evidence.parquet", evidence_table(workspace, fitted, found.proposals))
        else:  # that of an earlier matching is not of these proposals
            (target / "evidence.parquet").unlink(missing_ok=True)
        proposals = found.proposals
        confidence = proposals["confidence"].to_numpy()
        return MatchView(
            plan=given.name,
            proposals_file=str(target / "proposals.parquet"),
            breaks_file=str(target / "breaks.parquet"),
            evidence_file=str(target / "evidence.parquet") if evidence else None,
            calibrated=found.calibrated,
            proposals=proposals.num_rows,
            splits=found.splits.found,
            ambiguous=int(np.sum(proposals["ambiguous"].to_numpy())),
            by_confidence=_by_confidence(confidence),
            breaks=_break_counts(found.breaks),
            ledgers=_ledgers(
                workspace,
                given.blocking,
                found.prepared,
                truth,
                found=found,
                notes=notes + _split_notes(found),
            ),
        )


def evaluate_reconciliation(
    plan: PlanSource,
    *,
    labels: Path | pa.Table,
    complete: bool = False,
    model: Path | None = None,
    settings: Settings | None = None,
) -> EvaluationView:
    """Match the ledgers of a plan and hold the proposals against labels.

    Args:
        plan: a plan, or its YAML file.
        labels: CSV with left_id and right_id, or a table of labels.
        complete: whether the labels name every match there is.
        model: a saved model; that of the plan in the lake by default.
        settings: where the lake is, threads and memory.

    Raises:
        DocumentError: the plan or a ledger cannot be used.
        InputError: the labels cannot be used, or say nothing of any proposal.
        ModelError: the model is missing or does not fit.
    """
    given, place = resolved_plan(plan), settings or load_settings()
    with _matched(given, place, model=model, labels=labels, complete=complete) as matching:
        workspace, _, found, truth, notes = matching
        edges, proposed = found.edges, found.proposed
        assert truth is not None
        answer = truth.of_pairs(edges.left[proposed.edge], edges.right[proposed.edge])
        known = answer >= 0
        if not known.any():
            raise InputError("labels: given none of a record that has a proposal; allowed: some")
        confidence, right = proposed.confidence[known], answer[known] == 1
        likely = confidence >= 0.5
        rng = np.random.default_rng(_SEED)
        diagram = reliability(confidence, right)
        return EvaluationView(
            plan=given.name,
            quality=QualityView(**asdict(match_quality(confidence, right, true_matches=truth.matches))),
            all_proposals=_calibration(calibration(confidence, right, rng)),
            likely_proposals=(
                _calibration(calibration(confidence[likely], right[likely], rng)) if likely.any() else None
            ),
            diagram=list(
                zip(
                    diagram.confidence.tolist(),
                    diagram.share_right.tolist(),
                    diagram.count.tolist(),
                    strict=True,
                )
            ),
            unlabelled=int((~known).sum()),
            ledgers=_ledgers(workspace, given.blocking, found.prepared, truth, found=found, notes=notes),
        )


def results_folder(plan: ReconciliationPlan, settings: Settings) -> Path:
    """Name the folder of a plan's results in the lake."""
    return settings.lake / "reconciliation" / re.sub(r"[^a-z0-9]+", "-", plan.name.lower()).strip("-")


def model_file(plan: ReconciliationPlan, settings: Settings) -> Path:
    """Name the file of a plan's model in the lake."""
    return results_folder(plan, settings) / "model.zip"


@contextmanager
def _matched(
    plan: ReconciliationPlan,
    settings: Settings,
    *,
    model: Path | None,
    labels: Path | pa.Table | None,
    complete: bool,
) -> Iterator[tuple[Workspace, ReconciliationModel, Matched, Truth | None, list[str]]]:
    fitted = load_model(model or model_file(plan, settings))
    with Workspace(settings) as workspace:
        prepared = read_and_block(workspace, plan)
        truth = resolve_labels(workspace, _labels(labels), complete=complete) if labels is not None else None
        found = match(workspace, plan, fitted, prepared, truth=truth)
        notes = []
        if fitted.facts.labels and fitted.facts.ledgers == fingerprint(workspace):
            notes.append(
                "the model was trained on these very ledgers: of records whose labels it has seen it is too "
                "sure, and figures on those flatter; `workbench reconcile train` shows held-out ones"
            )
        yield workspace, fitted, found, truth, notes


def resolved_plan(plan: PlanSource) -> ReconciliationPlan:
    """Read a plan where it is a file.

    Raises:
        DocumentError: the file is missing or holds what a plan does not allow.
    """
    return plan if isinstance(plan, ReconciliationPlan) else read_plan(Path(plan))


def _labels(labels: Path | pa.Table) -> pa.Table:
    return labels if isinstance(labels, pa.Table) else read_labels(Path(labels))


def _ledgers(
    workspace: Workspace,
    blocking: Blocking,
    prepared: Prepared,
    truth: Truth | None,
    *,
    found: Matched | None = None,
    notes: Sequence[str] = (),
) -> LedgersView:
    each: list[int] | None = None
    recall = None
    if truth is not None and truth.matches:
        known = np.flatnonzero(truth.left >= 0)
        each, anyone = matches_found(workspace, blocking, known, truth.left[known])
        recall = anyone / truth.matches
    marginal = found.proposed.marginal if found is not None else np.empty(0)
    expected = expected_matches(workspace, blocking, marginal) if found is not None else None
    total = float(marginal.sum())
    return LedgersView(
        left=prepared.ledgers.left,
        right=prepared.ledgers.right,
        set_aside=prepared.ledgers.set_aside,
        pairs=prepared.pairs,
        rules=[
            _rule(
                rule,
                found=each[number] if each else None,
                matches=truth.matches if truth is not None else 0,
                expected=expected[number] if expected else None,
                total=total,
            )
            for number, rule in enumerate(prepared.rules)
        ],
        recall=recall,
        findings=[FindingView(**asdict(one)) for one in prepared.ledgers.findings],
        notes=[*notes, *_ledger_notes(prepared, truth)],
    )


def _ledger_notes(prepared: Prepared, truth: Truth | None) -> list[str]:
    told = []
    if truth is not None and truth.outside:
        told.append(
            f"{truth.outside:,} labels name a record that is not in the ledgers; the other one counts as "
            "without a partner"
        )
    if prepared.ledgers.set_aside:
        told.append(f"{prepared.ledgers.set_aside:,} records could not be used; they are among the breaks")
    return told


def _rule(
    rule: RuleCounts, *, found: int | None, matches: int, expected: float | None, total: float
) -> RuleView:
    recall = share_of(found, matches) if found is not None else None
    return RuleView(
        rule=rule.rule,
        pairs=rule.pairs,
        new_pairs=rule.new_pairs,
        expected_matches=expected,
        expected_share=expected / total if expected is not None and total > 0 else None,
        true_matches=found,
        recall=recall.value if recall else None,
        recall_low=recall.low if recall else None,
        recall_high=recall.high if recall else None,
    )


def _calibration(found: Calibration) -> CalibrationView:
    return CalibrationView(
        proposals=found.count,
        ece=found.ece,
        ece_floor=found.ece_floor,
        brier=found.brier,
        log_loss=found.log_loss,
    )


def _by_confidence(confidence: NDArray[np.float64]) -> list[tuple[float, float, int, float]]:
    found = []
    for low, high in pairwise(_STEPS):
        inside = (confidence >= low) & ((confidence < high) | (high == 1.0))
        found.append((low, high, int(inside.sum()), float(confidence[inside].sum())))
    return found[::-1]


def _break_counts(breaks: pa.Table) -> dict[str, dict[str, int]]:
    rows = breaks.group_by(["side", "reason"]).aggregate([([], "count_all")]).sort_by("reason").to_pylist()
    return {
        side.value: {row["reason"]: row["count_all"] for row in rows if row["side"] == side} for side in Side
    }


def _split_notes(found: Matched) -> list[str]:
    if not found.splits.too_large:
        return []
    return [
        f"{found.splits.too_large:,} records share their split key with more records than `most_pool` "
        "allows; no split was sought for them"
    ]
