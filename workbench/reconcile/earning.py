"""Earning a certificate: which labels count, and what they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.reconcile.cases import Case
from workbench.reconcile.certificate import Certificate, Trial, certify, trial_at
from workbench.reconcile.configuration import DecisionConfiguration
from workbench.reconcile.decisions import column, eligible
from workbench.reconcile.results import Origin
from workbench.reconcile.review import judged
from workbench.reconcile.truth import ProposalTruth


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled proposals that were drawn at random and could be accepted, one entry each."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    drawn_above: NDArray[np.float64]
    """The confidence from which each was drawn at random; 0 where it was drawn from all."""

    def trial_at(self, threshold: float, *, target: float) -> Trial:
        """Test one threshold that was chosen without looking at these labels."""
        counts = self.drawn_above <= threshold
        return trial_at(self.confidence[counts], self.right[counts], threshold, target=target)


def sample_of(
    proposals: pa.Table,
    truth: ProposalTruth,
    configuration: DecisionConfiguration,
    *,
    cases: Sequence[Case] = (),
    since: datetime | None = None,
) -> Sample:
    """Gather the labels that may earn a certificate.

    Args:
        proposals: rows of the proposals table.
        truth: what labels drawn at random say of them.
        configuration: which proposals could be accepted at all.
        cases: the review's cases, of which the audits count.
        since: audits decided earlier do not count, such as those of an earlier model.
    """
    own = truth.known & eligible(proposals, configuration)
    audits = judged(cases, since=since)
    known = set(column(proposals, "proposal_id")[own].tolist())
    of = np.array(
        [
            origin == Origin.AUDIT.value and name not in known
            for origin, name in zip(audits.origin, audits.proposal_id, strict=True)
        ],
        np.bool_,
    )
    return Sample(
        np.concatenate((column(proposals, "confidence")[own], audits.confidence[of])),
        np.concatenate((truth.right[own], audits.right[of])),
        np.concatenate((truth.drawn_above[own], audits.drawn_above[of])),
    )


def earn(sample: Sample, configuration: DecisionConfiguration) -> Certificate:
    """Find the lowest threshold that the labels certify at the promised precision."""
    return certify(
        sample.confidence,
        sample.right,
        target=configuration.promise.target,
        miss_rate=configuration.promise.miss_rate,
        drawn_above=sample.drawn_above,
    )


def certified(
    configuration: DecisionConfiguration, certificate: Certificate, truth: ProposalTruth, sample: Sample
) -> DecisionConfiguration:
    """Put a certificate into a configuration, with the share of right proposals that it was earned under.

    The share is that of labels drawn from all proposals; half a label of either kind is added, so that
    it is never just 0 or 1. Where there are only audits, it is that of the certificate before.
    """
    drawn = truth.known & (truth.drawn_above == 0.0)
    count, before = int(drawn.sum()), configuration.certified
    if count or before is None:
        right, count = (
            (int(truth.right[drawn].sum()), count) if count else (int(sample.right.sum()), len(sample.right))
        )
        share = (right + 0.5) / (count + 1.0)
    else:
        share, count = before.trained, before.trained_on
    return configuration.with_certificate(certificate, trained=share, trained_on=max(1, count))
