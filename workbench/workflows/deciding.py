"""Choosing thresholds with their consequences in view, and deciding proposals by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from workbench.errors import InputError
from workbench.reconcile.case_book import Cases
from workbench.reconcile.certificate import Certificate
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import decide
from workbench.reconcile.earning import Sample, certified, earn, sample_of
from workbench.reconcile.labels import read_labels
from workbench.reconcile.outlook import outlook
from workbench.reconcile.proposal_files import read_proposals, write_table
from workbench.reconcile.thresholds import Source, Thresholds
from workbench.reconcile.truth import RANDOM, ProposalTruth, truth_of
from workbench.reconcile.versions import ConfigurationVersions
from workbench.settings import Settings
from workbench.workflows.decision_configuration import current_version, now, opened_book
from workbench.workflows.threshold_views import (
    DecidedView,
    ThresholdRow,
    ThresholdsView,
    said_of,
    view_certificate,
    view_choice,
)


def find_thresholds(
    proposals: Path,
    *,
    labels: Path | None = None,
    at: Sequence[float] = (),
    since: datetime | None = None,
    apply: bool = False,
    author: str = "",
    reason: str = "",
    seed: int = 1,
    time: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> ThresholdsView:
    """Show what accept thresholds would do, and earn a certificate from labels drawn at random.

    Labels are the proposals' own `truth`, those of a file, and the audits of the book; those of
    reviews do not count, for they were chosen by uncertainty. They must not have trained the model.

    Args:
        proposals: Parquet file of proposals, such as `workbench reconcile match` writes.
        labels: file of labels, CSV or Parquet.
        at: further accept thresholds to look at, 0 to 1.
        since: audits decided earlier do not count; by default those from before the last retraining.
        apply: save the certificate as the next version of the configuration.
        author: who applies it.
        reason: why.
        seed: of the simulation of the reviewers, 0 or more.
        time: when it is applied; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        InputError: a file cannot be used, there is no configuration, or there is nothing to apply.
        ConflictError: another version was saved meanwhile.
    """
    if wrong := [threshold for threshold in at if not 0.0 <= threshold <= 1.0]:
        raise InputError(f"at: given {wrong[0]}; allowed: 0 to 1")
    table = read_proposals(proposals)
    told = read_labels(labels) if labels is not None else None
    truth = truth_of(table, told, origins=RANDOM)
    with opened_book(book, settings) as opened:
        version = current_version(opened)
        audits = Cases(opened).listed(decided=True)
        fresh = since or version.configuration.fresh_since
        sample = sample_of(table, truth, version.configuration, cases=audits, since=fresh)
        certificate = earn(sample, version.configuration)
        chosen = version.configuration
        if certificate.at or certificate.stopped:  # with too few labels to test, what holds stays
            chosen = certified(chosen, certificate, truth, sample)
        thresholds = chosen.thresholds()
        choices = _Choices(table, version.configuration, chosen, truth, sample, certificate, seed)
        view = ThresholdsView(
            book=str(opened.file),
            version=version.version,
            proposals=table.num_rows,
            contradicted=truth.contradicted,
            certificate=view_certificate(certificate),
            chosen=thresholds.accept,
            chosen_from=thresholds.accept_from.value,
            reject=thresholds.reject,
            choices=choices.rows(at),
            applied=None,
        )
        if not apply:
            return view
        if certificate.threshold is None:
            raise InputError(f"apply: given {said_of(view.certificate)}; allowed: a certificate")
        saved = ConfigurationVersions(opened).save(
            chosen, based_on=version.version, author=author, at=time or now(), reason=reason
        )
        return view.model_copy(update={"applied": saved.version})


def decide_proposals(
    proposals: Path, output: Path, *, book: Path | None = None, settings: Settings | None = None
) -> DecidedView:
    """Fill in decision and reason of every proposal by the configuration that holds.

    Args:
        proposals: Parquet file of proposals.
        output: Parquet file that is written; it may be the same.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        InputError: the file cannot be used, or there is no configuration.
        StoreError: the output cannot be written.
    """
    table = read_proposals(proposals)
    with opened_book(book, settings) as opened:
        version = current_version(opened)
    decided = decide(table, version.configuration)
    write_table(output, decided)
    thresholds = version.configuration.thresholds()
    pairs = zip(decided.column("decision").to_pylist(), decided.column("reason").to_pylist(), strict=True)
    counts: dict[str, dict[str, int]] = {}
    for (decision, reason), count in sorted(Counter(pairs).items()):
        counts.setdefault(str(decision), {})[str(reason)] = count
    return DecidedView(
        file=str(output),
        version=version.version,
        proposals=table.num_rows,
        accept=thresholds.accept,
        reject=thresholds.reject,
        counts=counts,
    )


@dataclass(frozen=True)
class _Choices:
    """The thresholds that are looked at, each once, under all the names that it has."""

    proposals: pa.Table
    current: DecisionConfiguration
    chosen: DecisionConfiguration
    truth: ProposalTruth
    sample: Sample
    certificate: Certificate
    seed: int

    def rows(self, at: Sequence[float]) -> list[ThresholdRow]:
        """Look at the thresholds of now, costs, certificate and hand, those given, and the chosen one."""
        named = [
            ("now", self.current.thresholds().accept),
            ("costs", self.chosen.costs.accept),
            ("certificate", self.certificate.threshold),
            ("hand", self.chosen.accept),
            *(("given", threshold) for threshold in at),
            ("chosen", self.chosen.thresholds().accept),
        ]
        always = ("now", "chosen")
        names: dict[float | None, list[str]] = {}
        for name, threshold in named:
            if threshold is not None or name in always:
                names.setdefault(threshold, []).append(name)
        order = sorted(names, key=lambda threshold: -2.0 if threshold is None else -threshold)
        return [self._row(names[threshold], threshold) for threshold in order]

    def _row(self, names: list[str], threshold: float | None) -> ThresholdRow:
        base = self.current.thresholds() if names == ["now"] else self.chosen.thresholds()
        source = base.accept_from if threshold is None else Source.HAND
        looked_at: Thresholds = replace(base, accept=threshold, accept_from=source)
        found = outlook(
            self.proposals,
            self.chosen,
            truth=self.truth,
            thresholds=looked_at,
            compared_with=self.current,
            seed=self.seed,
        )
        target = self.certificate.target
        tested = None if threshold is None else self.sample.trial_at(threshold, target=target)
        return view_choice(names, found, tested, self.certificate, self.chosen.reviewers.count)
