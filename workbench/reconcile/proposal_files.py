"""Proposals and breaks in Parquet files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from workbench.errors import InputError, StoreError
from workbench.tables import BREAKS, PROPOSALS

_ADDED_LATER = frozenset({"decision", "reason", "truth", "confidence_low", "confidence_high"})
"""Columns that a table from elsewhere may lack; they are null then."""


def read_proposals(file: Path) -> pa.Table:
    """Read rows of the proposals table; of a folder, its `proposals.parquet`.

    Raises:
        InputError: the file is missing or damaged, lacks a column, or holds what the column does not allow.
    """
    table = _read(file, PROPOSALS, "proposals.parquet")
    confidence = table.column("confidence").to_numpy()
    if not ((confidence >= 0.0) & (confidence <= 1.0)).all():
        raise InputError(f"{file}: confidence: given what is no probability; allowed: 0 to 1 in every row")
    return table


def read_breaks(file: Path) -> pa.Table:
    """Read rows of the breaks table; of a folder, its `breaks.parquet`.

    Raises:
        InputError: the file is missing or damaged, lacks a column, or holds what the column does not allow.
    """
    return _read(file, BREAKS, "breaks.parquet")


def write_table(file: Path, table: pa.Table) -> None:
    """Write a table as Parquet: all of it or nothing.

    Raises:
        StoreError: the file cannot be written.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        pyarrow.parquet.write_table(table, partial)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{file}: cannot be written ({error.strerror or error})") from error


def _read(file: Path, schema: pa.Schema, name: str) -> pa.Table:
    if file.is_dir():
        file /= name
    try:
        table = pyarrow.parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        reason = (
            "there is no such file" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
        )
        raise InputError(f"{file}: given what cannot be read ({reason}); allowed: a Parquet file") from None
    columns = [_column(table, field, file) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(table: pa.Table, field: pa.Field[Any], file: Path) -> pa.ChunkedArray[Any]:
    if field.name not in table.column_names:
        if field.name not in _ADDED_LATER:
            given = ", ".join(table.column_names) or "no columns"
            raise InputError(f"{file}: given {given}; allowed: a table that has {field.name!r} among others")
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    try:
        column = table.column(field.name).cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        kind = table.column(field.name).type
        raise InputError(f"{file}: {field.name}: given {kind}; allowed: {field.type}") from None
    if column.null_count and not field.nullable:
        raise InputError(f"{file}: {field.name}: given {column.null_count} nulls; allowed: none")
    return column
