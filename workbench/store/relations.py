"""SQL of the relations that queries read: stored tables over their parts, and catalogue tables.

Functions ending in `_sql` only build SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from workbench.tables import SCHEMAS, Outcome

_DUCKDB_TYPES = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
}


def stored_sql(table: str, files: Sequence[Path]) -> str:
    """Select a stored table from exactly these parts, with the columns that derive from others.

    Args:
        table: a name of `workbench.tables.SCHEMAS`. `requests` has its outcome as text, the stored
            code as `outcome_code`, and `network_us`, what the response spent on the way.
        files: the parts to read; none gives no rows.
    """
    return f"select {_columns_sql(table)} from {_parts_sql(table, files)}"


def rows_sql(columns: Mapping[str, str]) -> str:
    """Select rows that come as one list parameter a column, named as the column.

    This way nothing scans Python's memory, where DuckDB 2.0.0 has known faults.

    Args:
        columns: type of each column, by its name.

    >>> rows_sql({"run_id": "INTEGER"})
    'select unnest($run_id::INTEGER[]) as "run_id"'
    """
    return "select " + ", ".join(f'unnest(${name}::{kind}[]) as "{name}"' for name, kind in columns.items())


def text_sql(text: str) -> str:
    """Quote a text.

    >>> text_sql("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _columns_sql(table: str) -> str:
    names = SCHEMAS[table].names
    if table != "requests":
        return ", ".join(names)
    return ", ".join(
        [
            *(_outcome_sql() if name == "outcome" else name for name in names),
            "outcome as outcome_code",
            "response_us - wait_us - service_us as network_us",
        ]
    )


def _outcome_sql() -> str:
    cases = " ".join(f"when {outcome.value} then {text_sql(outcome.label)}" for outcome in Outcome)
    return f"case outcome {cases} end as outcome"


def _parts_sql(table: str, files: Sequence[Path]) -> str:
    if not files:
        return f"({_no_rows_sql(SCHEMAS[table])})"
    listed = ", ".join(text_sql(str(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"


def _no_rows_sql(schema: pa.Schema) -> str:
    columns = ", ".join(f"null::{_DUCKDB_TYPES[field.type]} as {field.name}" for field in schema)
    return f"select {columns} where false"
