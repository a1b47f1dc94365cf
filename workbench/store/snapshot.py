"""The catalogue as tables that DuckDB reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.store.records import Comparison, Run

RUN_COLUMNS: Mapping[str, str] = {
    "run_id": "INTEGER",
    "scenario": "VARCHAR",
    "strategy": "VARCHAR",
    "seed": "BIGINT",
    "replication": "INTEGER",
    "engine": "VARCHAR",
    "version": "VARCHAR",
    "state": "VARCHAR",
    "started": "TIMESTAMPTZ",
    "finished": "TIMESTAMPTZ",
    "reason": "VARCHAR",
    "requests": "BIGINT",
    "warm_up_us": "BIGINT",
    "end_us": "BIGINT",
    "drained_us": "BIGINT",
    "elapsed_s": "DOUBLE",
    "records": "DOUBLE",
    "revision": "BIGINT",
    "key": "VARCHAR",
    "scenario_json": "VARCHAR",
}
"""Columns of the table `runs`, with DuckDB's types."""

COMPARISON_COLUMNS: Mapping[str, str] = {
    "comparison_id": "INTEGER",
    "name": "VARCHAR",
    "metric": "VARCHAR",
    "replications": "INTEGER",
    "created": "TIMESTAMPTZ",
    "scenario_json": "VARCHAR",
    "result_json": "VARCHAR",
}
"""Columns of the table `comparisons`, with DuckDB's types."""

MEMBER_COLUMNS: Mapping[str, str] = {
    "comparison_id": "INTEGER",
    "strategy": "VARCHAR",
    "replication": "INTEGER",
    "run_id": "INTEGER",
}
"""Columns of the table `comparison_runs`: the runs of each comparison."""


def run_lists(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Lay runs out as one list a column of `RUN_COLUMNS`."""
    return _lists(runs, RUN_COLUMNS)


def comparison_lists(comparisons: Sequence[Comparison]) -> dict[str, list[Any]]:
    """Lay comparisons out as one list a column of `COMPARISON_COLUMNS`."""
    return _lists(comparisons, COMPARISON_COLUMNS)


def member_lists(comparisons: Sequence[Comparison]) -> dict[str, list[Any]]:
    """Lay the runs of comparisons out as one list a column of `MEMBER_COLUMNS`."""
    rows = [
        (comparison.comparison_id, strategy, replication, run_id)
        for comparison in comparisons
        for (strategy, replication), run_id in comparison.run_ids.items()
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(MEMBER_COLUMNS)}


def _lists(records: Sequence[Any], columns: Mapping[str, str]) -> dict[str, list[Any]]:
    return {
        name: [_value(getattr(record, name), kind) for record in records] for name, kind in columns.items()
    }


def _value(value: Any, kind: str) -> Any:
    # As text, because DuckDB needs pytz to take a time with a zone from Python.
    return value.isoformat() if kind == "TIMESTAMPTZ" and value is not None else value
