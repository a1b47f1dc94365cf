"""Proposals whose confidence is exact: each is right with just the probability that it states."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from workbench.reconcile.results import proposal_id
from workbench.tables import PROPOSALS

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""


def confidences(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw confidences of which most are near 1, some near 0 and a few between."""
    kind = rng.random(count)
    return np.where(
        kind < 0.9, 1.0 - rng.exponential(0.004, count).clip(0, 0.5),
        np.where(kind < 0.95, rng.exponential(0.01, count).clip(0, 0.5), rng.random(count)),
    )  # fmt: skip


def table(confidence: np.ndarray, right: np.ndarray | None = None, /, **given: object) -> pa.Table:
    """Give proposals of these confidences; further columns as lists, or one value for all rows."""
    count = len(confidence)
    columns: dict[str, list[object]] = {
        "proposal_id": [proposal_id([f"L{n}"], [f"R{n}"]) for n in range(count)],
        "kind": ["one_to_one"] * count,
        "left_ids": [[f"L{n}"] for n in range(count)],
        "right_ids": [[f"R{n}"] for n in range(count)],
        "left_cents": [10_000 + n for n in range(count)],
        "right_cents": [10_000 + n for n in range(count)],
        "currency": ["GBP"] * count,
        "date": [date(2026, 3, 2) + timedelta(days=n % 10) for n in range(count)],
        "confidence": list(confidence),
        "confidence_low": [None] * count,
        "confidence_high": [None] * count,
        "calibrated": [True] * count,
        "ambiguous": [False] * count,
        "rule": ["memo"] * count,
        "rules": [1] * count,
        "truth": [None] * count if right is None else [bool(one) for one in right],
    }
    for name, values in given.items():
        columns[name] = values if isinstance(values, list) else [values] * count
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return pa.Table.from_pylist(rows, schema=PROPOSALS)
