"""Training: grouped cross-fitting, two calibrated stages, and bands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from workbench.errors import InputError
from workbench.reconcile.assignment import assign
from workbench.reconcile.calibration import LEAST, Chosen, Uncalibrated, choose_calibrator, fit_sigmoid
from workbench.reconcile.comparisons import NAMES, compare
from workbench.reconcile.estimators import BLENDS, ESTIMATORS
from workbench.reconcile.evaluation import calibration, match_quality
from workbench.reconcile.fellegi_sunter import FellegiSunter
from workbench.reconcile.labels import Truth
from workbench.reconcile.marginals import Edges, find_tilt, one_to_one_marginals
from workbench.reconcile.model import (
    Learned,
    ModelFacts,
    ReconciliationModel,
    blended,
    plan_fields,
    plan_rules,
    predicted,
    seen,
)
from workbench.reconcile.plan import ReconciliationPlan
from workbench.reconcile.scoring import score
from workbench.reconcile.venn_abers import VennAbers
from workbench.reconcile.workspace import Workspace

FOLDS = 5
LEAST_LABELS = 100
"""Labelled records that training asks for."""

MOST_PAIRS = 1_000_000
"""Candidates that a model learns from at most; of more, every so many transactions are taken."""

DEPENDENCIES = ("scikit-learn", "numpy", "rapidfuzz")

Floats = NDArray[np.float64]


class _Labelled(NamedTuple):
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    values: NDArray[np.float32]
    right_answer: NDArray[np.bool_]
    folds: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Fitted:
    estimators: tuple[Any, ...]
    name: str
    held_out: Floats
    """Probability of each labelled pair from a model that saw no pair of its transaction."""
    losses: dict[str, float]


def train(
    workspace: Workspace,
    plan: ReconciliationPlan,
    truth: Truth,
    *,
    created: str,
    estimator: str | None = None,
) -> ReconciliationModel:
    """Train on the candidates in a workspace.

    Every calibrator is fitted to probabilities from models that did not see the label.

    Args:
        workspace: holds ledgers and candidates.
        plan: what made them.
        truth: labels.
        created: the time, ISO 8601.
        estimator: a name of `ESTIMATORS`; by default the one of least cross-validated log loss.

    Raises:
        InputError: too few labels, or labels of one kind only.
    """
    labelled = _labelled(workspace, truth)
    names = _used(labelled.values)
    with threadpool_limits(1):  # the same result whatever the number of processors
        fitted = _fit(labelled, names, estimator)
    pair = choose_calibrator(fitted.held_out[:, None], labelled.right_answer, labelled.folds)
    facts = ModelFacts(
        plan=plan.name,
        created=created,
        estimator=fitted.name,
        comparisons=names,
        typical=_typical(labelled.values[~labelled.right_answer], names),
        ledgers=fingerprint(workspace),
        labels=_label_fingerprint(truth),
        blocking=plan_rules(plan),
        fields=plan_fields(plan),
        labelled_records=truth.labelled,
        labelled_pairs=len(labelled.left),
        matches=truth.matches,
        labelled_proposals=0,
        pair_log_losses=fitted.losses,
        pair_calibrator_log_losses=pair.log_losses,
        proposal_calibrator_log_losses={},
        versions={name: version(name) for name in DEPENDENCIES},
    )
    first = ReconciliationModel(
        facts, Learned(pair=pair.calibrator, proposal=Uncalibrated()), fitted.estimators
    )
    return _second_stage(workspace, first, labelled, fitted.held_out, truth)


def train_without_labels(
    workspace: Workspace, plan: ReconciliationPlan, *, created: str
) -> ReconciliationModel:
    """Learn Fellegi-Sunter weights from the candidates alone; the confidences are not calibrated.

    Raises:
        InputError: there are no candidates, or they do not differ.
    """
    step = _step(workspace)
    values = [part.values for part in compare(workspace, where=f"(l + r) % {step} = 0")]
    stacked = np.concatenate(values) if values else np.empty((0, len(NAMES)), np.float32)
    sizes = workspace.rows(
        "select least((select count(*) from left_records), (select count(*) from right_records)) as most"
    )
    weights = FellegiSunter.fit(stacked, most_matches=max(1, sizes[0]["most"] // step))
    names = tuple(weights.weights)
    facts = ModelFacts(
        plan=plan.name,
        created=created,
        estimator="fellegi_sunter",
        comparisons=names,
        typical=_typical(stacked, names),
        ledgers=fingerprint(workspace),
        labels="",
        blocking=plan_rules(plan),
        fields=plan_fields(plan),
        labelled_records=0,
        labelled_pairs=0,
        matches=0,
        labelled_proposals=0,
        pair_log_losses={},
        pair_calibrator_log_losses={},
        proposal_calibrator_log_losses={},
        versions={name: version(name) for name in DEPENDENCIES},
    )
    learned = Learned(pair=Uncalibrated(), proposal=Uncalibrated(), fellegi_sunter=weights)
    tilt = find_tilt(score(workspace, ReconciliationModel(facts, learned, ())))
    return ReconciliationModel(facts, learned.model_copy(update={"tilt": tilt}), ())


def fingerprint(workspace: Workspace) -> str:
    """Name what two ledgers hold, whatever the order of their records and their ids."""
    parts = []
    for side in ("left", "right"):
        found = workspace.rows(
            "select count(*) as count, sum(md5_number_lower(concat_ws(chr(31), cents, "
            "coalesce(date::varchar, ''), coalesce(currency, ''), coalesce(text, ''), "
            "coalesce(reference, ''), coalesce(party, '')))"
            f"::hugeint)::varchar as total from {side}_records"
        )[0]
        parts.append(f"{found['count']}:{found['total']}")
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _label_fingerprint(truth: Truth) -> str:
    return hashlib.sha256(truth.left.tobytes() + truth.right.tobytes() + truth.denied.tobytes()).hexdigest()[
        :32
    ]


def _labelled(workspace: Workspace, truth: Truth) -> _Labelled:
    """Gather the candidates whose label is known, and the part with which each is held out."""
    if truth.labelled < LEAST_LABELS:
        raise InputError(
            f"labels: given {truth.labelled} of left records that are in the ledgers; allowed: "
            f"{LEAST_LABELS} or more, or none at all for a start that is not calibrated (--without-labels)"
        )
    lefts, rights, values, answers = [], [], [], []
    step = _step(workspace)
    for part in compare(workspace):
        answer = truth.of_pairs(part.left, part.right)
        known = (answer >= 0) & (truth.transactions(part.left, part.right) % step == 0)
        lefts.append(part.left[known])
        rights.append(part.right[known])
        values.append(part.values[known])
        answers.append(answer[known] == 1)
    left, right = np.concatenate(lefts), np.concatenate(rights)
    right_answer = np.concatenate(answers)
    if right_answer.all() or not right_answer.any():
        raise InputError(
            f"labels: given {int(right_answer.sum())} candidate pairs that match and "
            f"{int((~right_answer).sum())} that do not; allowed: some of both"
        )
    # Records are numbered by what they hold, so that parts taken in turn depend on no order or id.
    place = np.unique(truth.transactions(left, right), return_inverse=True)[1]
    return _Labelled(left, right, np.concatenate(values), right_answer, (place % FOLDS).astype(np.int64))


def _step(workspace: Workspace) -> int:
    """Give how far apart the transactions are that a model learns from, so that its memory has a bound."""
    candidates = workspace.rows("select count(*) as count from candidates")[0]["count"]
    return 1 + int(candidates) // MOST_PAIRS


def _used(values: NDArray[np.float32]) -> tuple[str, ...]:
    """Name the comparisons that differ somewhere; what is missing everywhere says nothing."""
    used = []
    for place, name in enumerate(NAMES):
        column = values[:, place]
        there = ~np.isnan(column)
        if there.any() and (not there.all() or column[there].min() < column[there].max()):
            used.append(name)
    return tuple(used)


def _typical(values: NDArray[np.float32], names: tuple[str, ...]) -> tuple[float | None, ...]:
    columns = [values[:, place] for place in seen(names)]
    known = [column[~np.isnan(column)] for column in columns]
    return tuple(float(np.median(column)) if len(column) else None for column in known)


def _fit(labelled: _Labelled, names: tuple[str, ...], wanted: str | None) -> _Fitted:
    """Cross-fit the estimators and fit the best of them, or of their blends, to all labels."""
    if wanted is not None and wanted not in BLENDS:
        raise InputError(f"estimator: given {wanted!r}; allowed: {', '.join(BLENDS)}")
    values, right = labelled.values[:, seen(names)].astype(np.float64), labelled.right_answer
    choices = {wanted: BLENDS[wanted]} if wanted else dict(BLENDS)
    each = {
        name: _held_out(name, values, right, labelled.folds)
        for name in ESTIMATORS
        if any(name in parts for parts in choices.values())
    }
    held_out = {name: blended([each[part] for part in parts]) for name, parts in choices.items()}
    losses = {
        name: float(-np.mean(np.log(np.clip(np.where(right, told, 1 - told), LEAST, 1))))
        for name, told in held_out.items()
    }
    best = min(losses, key=lambda name: losses[name])
    fitted = tuple(ESTIMATORS[part](len(right)).fit(values, right) for part in choices[best])
    return _Fitted(fitted, best, held_out[best], losses)


def _held_out(
    name: str, values: NDArray[np.float64], right: NDArray[np.bool_], folds: NDArray[np.int64]
) -> Floats:
    told = np.empty(len(right))
    for fold in range(FOLDS):
        out = folds == fold
        if len(np.unique(right[~out])) < 2:
            raise InputError("labels: given too few of one kind to hold some out; allowed: more of both")
        told[out] = predicted([ESTIMATORS[name](len(right)).fit(values[~out], right[~out])], values[out])
    return told


def _second_stage(
    workspace: Workspace,
    model: ReconciliationModel,
    labelled: _Labelled,
    held_out: Floats,
    truth: Truth,
) -> ReconciliationModel:
    """Calibrate the proposals: among all candidates, with the labelled ones as held-out models see them."""
    edges = score(workspace, model)
    width = len(truth.right)
    keys = edges.left.astype(np.int64) * width + edges.right
    place = np.searchsorted(keys, labelled.left.astype(np.int64) * width + labelled.right)
    probability = edges.probability.copy()
    probability[place] = model.learned.pair(held_out[:, None])
    edges = Edges(edges.left, edges.right, probability)
    fold = np.full(len(keys), -1, np.int64)
    fold[place] = labelled.folds
    answer = np.zeros(len(keys), np.bool_)
    answer[place] = labelled.right_answer
    tilt = find_tilt(edges)
    marginal = one_to_one_marginals(edges, tilt=tilt)
    chosen = assign(edges, marginal)
    chosen = chosen[fold[chosen] >= 0]
    scores = np.column_stack((probability[chosen], marginal[chosen]))
    proposal = _proposal_calibrator(scores, answer[chosen], fold[chosen])
    facts = model.facts.model_copy(
        update={
            "labelled_proposals": len(chosen),
            "proposal_calibrator_log_losses": proposal.log_losses,
            "held_out": _held_out_quality(proposal.calibrator(scores), answer[chosen], truth.matches),
        }
    )
    learned = Learned(
        pair=model.learned.pair,
        tilt=tilt,
        proposal=proposal.calibrator,
        bands=VennAbers.fit(marginal[chosen], answer[chosen]),
    )
    return ReconciliationModel(facts, learned, model.estimators)


def _held_out_quality(confidence: Floats, right: NDArray[np.bool_], true_matches: int) -> dict[str, float]:
    if len(confidence) == 0:
        return {}
    measured = calibration(confidence, right, np.random.default_rng(0))
    found = match_quality(confidence, right, true_matches=true_matches)
    return {
        "f1": found.f1,
        "precision": found.precision,
        "recall": found.recall,
        "ece": measured.ece,
        "ece_floor": measured.ece_floor,
        "brier": measured.brier,
        "log_loss": measured.log_loss,
    }


def _proposal_calibrator(scores: Floats, right: NDArray[np.bool_], folds: NDArray[np.int64]) -> Chosen:
    if right.all() or not right.any():  # few labels may have no wrong proposal; nothing can be chosen by them
        return Chosen(calibrator=fit_sigmoid(scores[:, -1:], right), log_losses={})
    return choose_calibrator(scores, right, folds)
