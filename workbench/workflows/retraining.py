"""Training anew with what the review has found."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from workbench.errors import InputError
from workbench.reconcile.book import Book
from workbench.reconcile.case_book import Cases
from workbench.reconcile.labels import read_labels
from workbench.reconcile.merging import merge_labels
from workbench.reconcile.review import labels_of
from workbench.reconcile.versions import ConfigurationVersions
from workbench.settings import Settings, load_settings
from workbench.workflows.decision_configuration import current_version, now, opened_book
from workbench.workflows.reconciling import train_reconciliation
from workbench.workflows.retraining_view import RetrainingView
from workbench.workflows.reviewing import count_labels

_WHY = "the model was trained anew"


def retrain(
    plan: Path,
    *,
    author: str,
    labels: Path | None = None,
    complete: bool = False,
    estimator: str | None = None,
    model: Path | None = None,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> RetrainingView:
    """Train a model with the review's labels, and void the certificate that the old model had earned.

    Each label keeps its origin. Verdicts given so far no longer count as fresh: they neither earn a
    certificate nor test the calibration of the new model.

    Args:
        plan: the reconciliation's plan.
        author: who has it trained.
        labels: further labels, from outside; the review's win over them.
        complete: whether those from outside name every match there is.
        estimator: as in training.
        model: file to save it in; that of the plan in the lake by default.
        at: when; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        InputError: there are no or too few labels, or they cannot be used.
        ConflictError: another version of the configuration was saved meanwhile; the model is saved.
    """
    place = settings or load_settings()
    with opened_book(book, place) as opened:
        version = current_version(opened)
        reviewed = labels_of(Cases(opened).listed(decided=True))
        if reviewed.num_rows == 0 and labels is None:
            raise InputError("labels: given none by the review and no --labels; allowed: either of them")
        merged = merge_labels(read_labels(labels) if labels is not None else None, reviewed)
        training = train_reconciliation(
            plan, labels=merged.labels, complete=complete, estimator=estimator, model=model, settings=place
        )
        saved = _start_afresh(opened, version.version, author, at or now())
    return RetrainingView(
        training=training, counts=count_labels(merged.labels), replaced=merged.replaced, version=saved
    )


def _start_afresh(book: Book, based_on: int, author: str, at: datetime) -> int:
    versions = ConfigurationVersions(book)
    afresh = versions.one(based_on).configuration.with_void(_WHY).model_copy(update={"fresh_since": at})
    return versions.save(afresh, based_on=based_on, author=author, at=at, reason=_WHY).version
