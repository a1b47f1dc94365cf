"""Rows of samples and histograms, as they are stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from workbench.tables import HISTOGRAMS, SAMPLES

Rows = Callable[[list[dict[str, Any]]], pa.Table]


def _table(schema: pa.Schema, rows: list[dict[str, Any]], defaults: dict[str, Any]) -> pa.Table:
    filled = [{"run_id": 1, **defaults, **row} for row in rows]
    return pa.table(
        {field.name: pa.array([row[field.name] for row in filled], field.type) for field in schema},
        schema=schema,
    )


@pytest.fixture
def samples() -> Rows:
    """Give a function from rows to a table; a row that says nothing else is a second of an idle server."""
    idle = {
        "server_id": 0,
        "interval_us": 1_000_000,
        "queue_depth": 0.0,
        "queue_max": 0,
        "in_service": 0.0,
        "utilisation": 0.0,
        "arrivals": 0,
        "completions": 0,
        "refused": 0,
        "oldest_us": 0,
    }
    return lambda rows: _table(SAMPLES, rows, idle)


@pytest.fixture
def histograms() -> Rows:
    """Give a function from rows to a table; a row that says nothing else is of ok responses in 10 s."""
    plain = {"timing": 0, "outcome": 0, "ts_us": 0, "interval_us": 10_000_000}
    return lambda rows: _table(HISTOGRAMS, rows, plain)
