"""How confident all matchings were that were watched, as a histogram that only rises.

Each matching counts once, however often it is watched, so that the increase over a time is that of
the matchings in it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import numpy as np
import pyarrow as pa

from workbench.reconcile.book import Book
from workbench.reconcile.decisions import column
from workbench.reconcile.metrics import Metric

NAME = "workbench_match_confidence"
"""Name of the histogram."""

BOUNDS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)
"""Upper bounds of its buckets."""


def count_confidences(book: Book, proposals: pa.Table, *, at: datetime) -> list[Metric]:
    """Add a matching to the histogram, unless it is in it, and give the histogram.

    Args:
        book: where the counts are kept.
        proposals: rows of the proposals table, of one matching.
        at: the time.
    """
    confidence = column(proposals, "confidence")
    ranked = np.sort(confidence)
    counts = [*np.searchsorted(ranked, BOUNDS, side="right").tolist(), len(ranked)]
    named = zip(column(proposals, "proposal_id").tolist(), confidence.tolist(), strict=True)
    fingerprint = hashlib.sha256(json.dumps(sorted(named)).encode()).hexdigest()
    with book.writing() as sqlite:
        sqlite.execute(
            "insert into matchings (fingerprint, at, counts, total) values (?, ?, ?, ?) "
            "on conflict (fingerprint) do nothing",
            (fingerprint, at.isoformat(), json.dumps(counts), float(ranked.sum())),
        )
    rows = book.rows("select counts, total from matchings")
    summed = np.sum([json.loads(row["counts"]) for row in rows], axis=0).tolist()
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    return [
        *(
            Metric(f"{NAME}_bucket", float(count), {"le": bound})
            for bound, count in zip(bounds, summed, strict=True)
        ),
        Metric(f"{NAME}_sum", float(sum(row["total"] for row in rows))),
        Metric(f"{NAME}_count", float(summed[-1])),
    ]
