"""The small tables in which a reconciliation is told: proposals, breaks and labels.

Amounts are whole cents, shares and probabilities 0 to 1, days whole days. A column's unit and
meaning stand in its field's metadata. Columns are only ever added, and each addition raises
`RESULTS_VERSION`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import pyarrow as pa

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


def _column(
    name: str, kind: pa.DataType, meaning: str, *, unit: str = "", nullable: bool = False
) -> pa.Field[Any]:
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning, "unit": unit})


_IDS = pa.list_(pa.field("item", pa.string(), nullable=False))

PROPOSALS = pa.schema(
    [
        _column("proposal_id", pa.string(), "hash of the records that it joins"),
        _column("kind", pa.string(), "one_to_one, or split: one with several"),
        _column("left_ids", _IDS, "records of the left ledger, sorted; one, or several of a split"),
        _column("right_ids", _IDS, "records of the right ledger, sorted; one, or several of a split"),
        _column("left_cents", pa.int64(), "amount of the left records, their sum", unit="cents"),
        _column("right_cents", pa.int64(), "amount of the right records, their sum", unit="cents"),
        _column("currency", pa.string(), "currency of the amounts", nullable=True),
        _column("date", pa.date32(), "date of the left record, the latest of several", nullable=True),
        _column("confidence", pa.float64(), "probability that the proposal is right"),
        _column(
            "confidence_low", pa.float64(), "Venn-Abers p0, the band's lower end; null without", nullable=True
        ),
        _column(
            "confidence_high",
            pa.float64(),
            "Venn-Abers p1, the band's upper end; null without",
            nullable=True,
        ),
        _column("calibrated", pa.bool_(), "whether labels stand behind the confidence"),
        _column("pair_probability", pa.float64(), "of the pair by itself, no rival seen", nullable=True),
        _column("marginal", pa.float64(), "of the pair among its rivals, before calibration", nullable=True),
        _column("rival_left_id", pa.string(), "the best other claim: its left record", nullable=True),
        _column("rival_right_id", pa.string(), "the best other claim: its right record", nullable=True),
        _column("margin", pa.float64(), "marginal less that of the rival, -1 to 1", nullable=True),
        _column("ambiguous", pa.bool_(), "whether another proposal is exactly as good"),
        _column("rule", pa.string(), "the blocking rule that found it first"),
        _column("rules", pa.int32(), "how many rules found it"),
        _column(
            "decision", pa.string(), "accept, review or reject; null before it is decided", nullable=True
        ),
        _column("reason", pa.string(), "why it was decided so", nullable=True),
        _column("truth", pa.bool_(), "whether it is right, where labels tell", nullable=True),
    ]
)
"""One row a proposal, sorted by its records' content, not by id or the order of the files."""

BREAKS = pa.schema(
    [
        _column("side", pa.string(), "left or right"),
        _column("record_id", pa.string(), "the record"),
        _column(
            "cents", pa.int64(), "its amount; null where it could not be read", unit="cents", nullable=True
        ),
        _column("currency", pa.string(), "its currency", nullable=True),
        _column("date", pa.date32(), "its date", nullable=True),
        _column("reason", pa.string(), "no_candidate, rivals_won, other_currency, or why it was set aside"),
    ]
)
"""One row a record that no proposal has; with the proposals, every record of both ledgers."""

LABELS = pa.schema(
    [
        _column("left_ids", _IDS, "records of the left ledger, sorted; several of a split; none: no partner"),
        _column(
            "right_ids", _IDS, "records of the right ledger, sorted; several of a split; none: no partner"
        ),
        _column("verdict", pa.string(), "match, or no_match of just these records"),
        _column("origin", pa.string(), "labelled, review or audit"),
        _column("at", pa.timestamp("us", "UTC"), "when it was given", nullable=True),
        _column("by", pa.string(), "who gave it", nullable=True),
        _column(
            "confidence",
            pa.float64(),
            "the proposal's, when the label was given; null without",
            nullable=True,
        ),
        _column(
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
        _column("proposal_id", pa.string(), "the proposal, a pair"),
        _column("typical", pa.float64(), "log odds of a typical candidate that is no match"),
        *(
            _column(field, pa.float64(), f"what {meaning} adds to the log odds", nullable=True)
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
