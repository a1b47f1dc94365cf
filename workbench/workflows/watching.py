"""The watch over confidences, and what it does when the ground has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from workbench.errors import ConflictError, StoreError
from workbench.reconcile.book import Book
from workbench.reconcile.case_book import Cases
from workbench.reconcile.confidence_counts import count_confidences
from workbench.reconcile.decisions import decide
from workbench.reconcile.labels import read_labels
from workbench.reconcile.metrics import exposition, metrics
from workbench.reconcile.proposal_files import read_breaks, read_proposals, write_table
from workbench.reconcile.versions import ConfigurationVersions, Version
from workbench.reconcile.watch import DRIFT_COLUMNS, Watch, corrected, coverage_of, watch
from workbench.settings import Settings
from workbench.workflows.decision_configuration import current_version, now, opened_book
from workbench.workflows.watch_view import WatchView, view_watch

AUTHOR = "the watch"
"""Who voids certificates, in the history of the configuration."""

_ATTEMPTS = 5


def watch_proposals(
    proposals: Path,
    *,
    reference: Path | None = None,
    breaks: Path | None = None,
    labels: Path | None = None,
    since: datetime | None = None,
    columns: Sequence[str] = DRIFT_COLUMNS,
    void: bool = True,
    metrics_file: Path | None = None,
    corrected_file: Path | None = None,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> WatchView:
    """Look whether confidences still mean what they say, and void the certificate where it no longer holds.

    Args:
        proposals: Parquet file of proposals just made.
        reference: Parquet file of the proposals that the certificate was earned on, for drift.
        breaks: Parquet file of the breaks of the same matching, for coverage.
        labels: labels from outside that are fresher than the training.
        since: verdicts given earlier do not count as fresh; by default all since the certificate was applied.
        columns: columns of the proposals whose drift is looked at.
        void: whether a finding that voids the certificate is saved as a new version.
        metrics_file: file that the metrics are written to in Prometheus's text format.
        corrected_file: Parquet file that proposals are written to, their confidences carried over to the
            share of matches of now, and decided by them.
        at: the time; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        InputError: a file cannot be used, or there is no configuration.
        StoreError: a file cannot be written.
    """
    moment = at or now()
    table = read_proposals(proposals)
    missing = read_breaks(breaks) if breaks is not None else None
    with opened_book(book, settings) as opened:
        version = current_version(opened)
        table = decide(table, version.configuration)
        found = watch(
            table,
            version.configuration,
            at=moment,
            labels=read_labels(labels) if labels is not None else None,
            reference=read_proposals(reference) if reference is not None else None,
            breaks=missing,
            cases=Cases(opened).listed(),
            since=since or _fresh_since(opened, version),
            columns=columns,
        )
        voided = _void(opened, version, found, moment) if void and found.voids else None
        holding = voided or version
        if voided:
            found = replace(found, coverage=coverage_of(decide(table, holding.configuration), missing))
        told = [*metrics(found, holding.configuration), *count_confidences(opened, table, at=moment)]
    if metrics_file is not None:
        _write_text(metrics_file, exposition(told))
    if corrected_file is not None:
        write_table(corrected_file, _corrected(table, found, holding))
    return view_watch(
        found,
        told,
        version=holding.version,
        voided=voided is not None,
        corrected=None if corrected_file is None else str(corrected_file),
    )


def _fresh_since(book: Book, version: Version) -> datetime | None:
    """Tell when the certificate was applied or the model trained anew, whichever was later."""
    certified, trained = version.configuration.certified, version.configuration.fresh_since
    times = [] if trained is None else [trained]
    if certified is not None:
        earned = certified.model_copy(update={"void": ""})
        history = ConfigurationVersions(book).history()
        applied = [one.at for one in history if one.configuration.certified == earned]
        times += applied[-1:]  # the newest come first
    return max(times, default=None)


def _void(book: Book, version: Version, found: Watch, at: datetime) -> Version | None:
    """Save the configuration with its certificate voided; whoever else saves meanwhile is not overwritten."""
    versions = ConfigurationVersions(book)
    for _ in range(_ATTEMPTS):
        certified = version.configuration.certified
        if certified is None or certified.void:
            return None
        voided = version.configuration.with_void(found.voids)
        try:
            return versions.save(
                voided,
                based_on=version.version,
                author=AUTHOR,
                at=at,
                reason=f"certificate voided: {found.voids}",
            )
        except ConflictError:
            version = current_version(book)
    raise ConflictError(f"the certificate could not be voided: {_ATTEMPTS} others were faster; try again")


def _corrected(table: pa.Table, found: Watch, version: Version) -> pa.Table:
    if found.shift is not None:
        table = corrected(table, found.shift)
    return decide(table, version.configuration)


def _write_text(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written ({error.strerror})") from error
