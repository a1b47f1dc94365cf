"""SQL of the relations that queries read: stored tables over their parts, and catalogue tables.

Functions ending in `_sql` only build SQL.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.errors import SchemaVersionError
from workbench.store.records import Part
from workbench.tables import BIN_RATIO, IDS, RESULTS, SCHEMA_VERSION, SCHEMAS, bin_middle_sql

_DUCKDB_TYPES = {
    IDS: "VARCHAR[]",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.string(): "VARCHAR",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
}

_DERIVED = {
    "requests": ("response_us - wait_us - service_us as network_us",),
    "histograms": (
        f"case when bin < 0 then 0.0 else pow({BIN_RATIO!r}, bin) end as lower_us",
        f"case when bin < 0 then 0.0 else pow({BIN_RATIO!r}, bin + 1) end as upper_us",
        f"{bin_middle_sql('bin')} as middle_us",
    ),
}
"""Columns of a table that are computed when it is read."""


def stored_sql(table: str, parts: Sequence[Part], root: str) -> str:
    """Select a stored table from exactly these parts, with the columns that derive from others.

    Codes are shown as text, with the stored code as `<column>_code`; `requests` has `network_us`, what
    the response spent on the way, and `histograms` the edges of its bins.

    Args:
        table: a name of `workbench.tables.SCHEMAS`.
        parts: the parts to read; none gives no rows.
        root: folder or address that their paths begin at.
    """
    return f"select {_columns_sql(table)} from ({_parts_sql(table, parts, root)})"


def raw_sql(table: str, parts: Sequence[Part], root: str) -> str:
    """Select a stored table from exactly these parts, with its stored columns only."""
    return f"select {', '.join(SCHEMAS[table].names)} from ({_parts_sql(table, parts, root)})"


def result_sql(table: str, files: Sequence[Path]) -> str:
    """Select the table of a reconciliation from the files of all plans, with `plan`, the folder's name.

    Args:
        table: a name of `workbench.tables.RESULTS`.
        files: one a plan, each in a folder of its own; none gives no rows.
    """
    schema = RESULTS[table]
    if not files:
        return f"select null::VARCHAR as plan, * from ({_no_rows_sql(schema)})"
    listed = ", ".join(text_sql(str(file)) for file in files)
    read = f"read_parquet([{listed}], filename = true, union_by_name = true, hive_partitioning = false)"
    return f"select parse_path(filename)[-2] as plan, {', '.join(schema.names)} from {read}"


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
    schema = SCHEMAS[table]
    coded = [field.name for field in schema if _codes(field)]
    return ", ".join(
        [
            *(_label_sql(field) if _codes(field) else field.name for field in schema),
            *(f"{name} as {name}_code" for name in coded),
            *_DERIVED.get(table, ()),
        ]
    )


def _codes(field: pa.Field[Any]) -> dict[str, str]:
    codes: dict[str, str] = json.loads((field.metadata or {}).get(b"codes", b"{}"))
    return codes


def _label_sql(field: pa.Field[Any]) -> str:
    cases = " ".join(f"when {code} then {text_sql(label)}" for code, label in _codes(field).items())
    return f"case {field.name} {cases} end as {field.name}"


def _parts_sql(table: str, parts: Sequence[Part], root: str) -> str:
    """Select the rows of parts, each file opened once.

    Files of one run alone, whose folder says which, are pruned by it without being opened. A file in
    which not all runs are asked for, or live, is read by itself.
    """
    members: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.schema_version > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{root}/{part.path} has schema version {part.schema_version}; this workbench knows up to "
                f"version {SCHEMA_VERSION}. Update it, or choose another folder (WORKBENCH_LAKE)"
            )
        members[part.path].append(part)
    whole: dict[tuple[bool, bool], list[str]] = defaultdict(list)
    selects = []
    for path, owned in members.items():
        current, single = owned[0].schema_version == SCHEMA_VERSION, owned[0].runs == 1
        if len(owned) == owned[0].runs:
            whole[current, single].append(path)
        else:
            runs = ", ".join(str(part.run_id) for part in owned)
            read = _read_sql(table, [path], root, current=current, single=single)
            selects.append(f"select * from ({read}) where run_id in ({runs})")
    for (current, single), paths in whole.items():
        selects.append(_read_sql(table, paths, root, current=current, single=single))
    return " union all ".join(selects) or _no_rows_sql(SCHEMAS[table])


def _read_sql(table: str, paths: Sequence[str], root: str, *, current: bool, single: bool) -> str:
    listed = ", ".join(text_sql(f"{root}/{path}") for path in paths)
    options = "hive_partitioning = false"
    if single:
        options = "hive_partitioning = true, hive_types = {'run_id': INTEGER}"
    schema = SCHEMAS[table]
    names = ", ".join(schema.names)
    if current:
        return f"select {names} from read_parquet([{listed}], {options})"
    # Columns that did not exist yet come from the empty table.
    found = f"select * from read_parquet([{listed}], {options}, union_by_name = true)"
    columns = ", ".join(_before_sql(field) for field in schema)
    return f"select {columns} from ({found} union all by name {_no_rows_sql(schema)})"


def _before_sql(field: pa.Field[Any]) -> str:
    before = (field.metadata or {}).get(b"before", b"").decode()
    return f"coalesce({field.name}, {before}) as {field.name}" if before else field.name


def _no_rows_sql(schema: pa.Schema) -> str:
    columns = ", ".join(f"null::{_DUCKDB_TYPES[field.type]} as {field.name}" for field in schema)
    return f"select {columns} where false"
