"""The small tables in which a reconciliation is told: proposals, breaks and labels.

Amounts are whole cents, shares and probabilities 0 to 1, days whole days. A column's unit and
meaning stand in its field's metadata. Columns are only ever added, and each addition raises
`RESULTS_VERSION`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum

import pyarrow as pa

from workbench.tables import IDS, described

RESULTS_VERSION = 1


class Kind(StrEnum):
    """How many records a proposal joins."""

    ONE_TO_ONE = "one_to_one"
    SPLIT = "split"
    """One record of one side with several of the other, whose amounts sum to its own."""


class Decision(StrEnum):
    """What becomes of a proposal."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


class Reason(StrEnum):
    """Why a proposal was decided as it was, or why a record has no proposal."""

    CONFIDENT = "confident"
    """Accepted: the confidence reaches the accept threshold."""
    BELOW_ACCEPT = "below_accept"
    """Review: between the two thresholds."""
    BELOW_REJECT = "below_reject"
    """Rejected: the confidence is at most the reject threshold."""
    AMBIGUOUS = "ambiguous"
    """Review: another proposal is as good: a record alike in all that is compared, or another sum."""
    UNCALIBRATED = "uncalibrated"
    """Review: the confidence comes from no labels."""
    NO_CERTIFICATE = "no_certificate"
    """Review: too few labels certify the precision that is asked for."""
    CERTIFICATE_VOID = "certificate_void"
    """Review: the precision was certified under a share of matches that no longer holds."""
    OVER_LIMIT = "over_limit"
    """Review: the amount is above what may be accepted unseen."""
    NO_CANDIDATE = "no_candidate"
    """Break: no blocking rule found a partner."""
    OTHER_CURRENCY = "other_currency"
    """Break: the other ledger has no record in its currency."""
    RIVALS_WON = "rivals_won"
    """Break: each candidate went to a better partner or is too unlikely."""


class Side(StrEnum):
    """One of the two ledgers."""

    LEFT = "left"
    RIGHT = "right"


class Verdict(StrEnum):
    """What a label says of its records."""

    MATCH = "match"
    NO_MATCH = "no_match"


class Origin(StrEnum):
    """Where a label comes from; these are never mixed, for they are drawn differently."""

    LABELLED = "labelled"
    """Given from outside, such as last year's reconciliation."""
    REVIEW = "review"
    """A reviewer's verdict on what was sent to review: chosen by uncertainty, so biased."""
    AUDIT = "audit"
    """A verdict on a random sample of what was accepted."""


LABELS = pa.schema(
    [
        described("left_ids", IDS, "left records, sorted; several of a split; none: no partner"),
        described("right_ids", IDS, "right records, sorted; several of a split; none: no partner"),
        described("verdict", pa.string(), "match, or no_match of just these records"),
        described("origin", pa.string(), "labelled, review or audit"),
        described("at", pa.timestamp("us", "UTC"), "when it was given", nullable=True),
        described("by", pa.string(), "who gave it", nullable=True),
        described(
            "confidence",
            pa.float64(),
            "the proposal's, when the label was given; null without",
            nullable=True,
        ),
        described(
            "drawn_above",
            pa.float64(),
            "the confidence from which it was drawn at random, of an audit; null without",
            nullable=True,
        ),
    ]
)
"""One row a label.

`match` with an empty side says that the records have no partner at all; `no_match` says only that
these are not partners of each other.
"""


EVIDENCE = pa.schema(
    [
        described("proposal_id", pa.string(), "the proposal, a pair"),
        described("typical", pa.float64(), "log odds of a typical candidate that is no match"),
        *(
            described(field, pa.float64(), f"what {meaning} adds to the log odds", nullable=True)
            for field, meaning in (
                ("text", "the text"),
                ("reference", "the reference"),
                ("party", "the party"),
                ("amount", "the amount"),
                ("date", "the date"),
                ("rivals", "the number of candidates that its records have"),
            )
        ),
    ]
)
"""One row a proposal of a pair: with `typical`, the fields add up to the log odds of the pair alone."""


def proposal_id(left_ids: Sequence[str], right_ids: Sequence[str]) -> str:
    """Name a proposal by the records that it joins, in whatever order they are given.

    >>> proposal_id(["a"], ["b"]) == proposal_id(["b"], ["a"])
    False
    """
    parts = ["\x1f".join(sorted(ids)) for ids in (left_ids, right_ids)]
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:16]
