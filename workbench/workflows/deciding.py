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
from workbench.reconcile.cases import Case
from workbench.reconcile.certificate import Certificate
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import decide
from workbench.reconcile.earning import Sample, certified, earn, sample_of
from workbench.reconcile.labels import read_labels
from workbench.reconcile.outlook import outlook
from workbench.reconcile.proposal_files import read_proposals, write_table
from workbench.reconcile.thresholds import Source
from workbench.reconcile.truth import RANDOM, ProposalTruth, truth_of
from workbench.reconcile.versions import ConfigurationVersions, Version
from workbench.settings import Settings
from workbench.workflows.decision_configuration import changed, current_version, now, opened_book
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
    changes: Sequence[str] = (),
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
        changes: of the configuration, such as `reviewers.count=3`, to see what they would do.
        since: audits decided earlier do not count; by default those from before the last retraining.
        apply: save the certificate, and the changes, as the next version of the configuration.
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
        changed_to = changed(version.configuration.content(), changes, version)
        cases = Cases(opened).listed(decided=True)
        choices = _choices(table, version, changed_to, truth, cases=cases, since=since, seed=seed)
        view = choices.view(str(opened.file), at)
        if not apply:
            return view
        if choices.certificate.threshold is None:
            raise InputError(f"apply: given {said_of(view.certificate)}; allowed: a certificate")
        saved = ConfigurationVersions(opened).save(
            choices.chosen, based_on=version.version, author=author, at=time or now(), reason=reason
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


def _choices(
    proposals: pa.Table,
    version: Version,
    configuration: DecisionConfiguration,
    truth: ProposalTruth,
    *,
    cases: Sequence[Case],
    since: datetime | None,
    seed: int,
) -> _Choices:
    """Earn what the labels certify; with too few labels to test, a certificate that holds stays."""
    fresh = since or version.configuration.fresh_since
    sample = sample_of(proposals, truth, configuration, cases=cases, since=fresh)
    certificate = earn(sample, configuration)
    chosen = configuration
    if certificate.at or certificate.stopped:
        chosen = certified(configuration, certificate, truth, sample)
    return _Choices(proposals, version, chosen, truth, sample, certificate, seed)


@dataclass(frozen=True)
class _Choices:
    """The thresholds that are looked at, each once, under all the names that it has."""

    proposals: pa.Table
    version: Version
    chosen: DecisionConfiguration
    truth: ProposalTruth
    sample: Sample
    certificate: Certificate
    seed: int

    def view(self, book: str, at: Sequence[float]) -> ThresholdsView:
        """Look at the thresholds of now, costs, certificate and hand, those given, and the chosen one."""
        thresholds = self.chosen.thresholds()
        return ThresholdsView(
            book=book,
            version=self.version.version,
            proposals=self.proposals.num_rows,
            contradicted=self.truth.contradicted,
            certificate=view_certificate(self.certificate),
            chosen=thresholds.accept,
            chosen_from=thresholds.accept_from.value,
            reject=thresholds.reject,
            choices=self._rows(at),
            applied=None,
        )

    def _rows(self, at: Sequence[float]) -> list[ThresholdRow]:
        current, chosen = self.version.configuration, self.chosen
        named = [
            ("costs", chosen.costs.accept),
            ("certificate", self.certificate.threshold),
            ("hand", chosen.accept),
            *(("given", threshold) for threshold in at),
        ]
        names: dict[float | None, list[str]] = {}
        for name, threshold in named:
            if threshold is not None:
                names.setdefault(threshold, []).append(name)
        names.setdefault(chosen.thresholds().accept, []).append("chosen")
        holds, alone = current.thresholds().accept, []
        if current.model_copy(update={"certified": chosen.certified}) == chosen and holds in names:
            names[holds].insert(0, "now")
        else:
            alone.append(self._row(["now"], holds, current))
        order = sorted(names, key=lambda threshold: -2.0 if threshold is None else -threshold)
        return [*alone, *(self._row(names[threshold], threshold, chosen) for threshold in order)]

    def _row(
        self, names: list[str], threshold: float | None, configuration: DecisionConfiguration
    ) -> ThresholdRow:
        base = configuration.thresholds()
        source = base.accept_from if threshold is None else Source.HAND
        found = outlook(
            self.proposals,
            configuration,
            truth=self.truth,
            thresholds=replace(base, accept=threshold, accept_from=source),
            compared_with=self.version.configuration,
            seed=self.seed,
        )
        target = self.certificate.target
        tested = None if threshold is None else self.sample.trial_at(threshold, target=target)
        return view_choice(names, found, tested, self.certificate, configuration.reviewers.count)
