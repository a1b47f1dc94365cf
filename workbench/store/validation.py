"""Checks on tables before they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import StoreError
from workbench.tables import SCHEMAS


def validated(tables: Mapping[str, pa.Table], run_id: int) -> dict[str, pa.Table]:
    """Return the tables with exactly the columns, the order and the metadata of their schemas.

    Args:
        tables: tables by name, as in `workbench.tables.SCHEMAS`.
        run_id: the run that every row must belong to.

    Raises:
        StoreError: all that is wrong with them, each with table and column.
    """
    problems = [problem for name, table in tables.items() for problem in _problems(name, table, run_id)]
    if problems:
        raise StoreError(f"run {run_id} cannot be stored:\n" + "\n".join(problems))
    return {name: _conformed(table, SCHEMAS[name]) for name, table in tables.items()}


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([table.column(name) for name in schema.names], schema=schema)


def _problems(name: str, table: pa.Table, run_id: int) -> Iterator[str]:
    if name not in SCHEMAS:
        yield f"{name}: no such table; known are {', '.join(sorted(SCHEMAS))}"
        return
    schema = SCHEMAS[name]
    for column in table.schema.names:
        if column not in schema.names:
            yield f"{name}.{column}: no such column; known are {', '.join(schema.names)}"
    for field in schema:
        if problem := _column_problem(table, field, run_id):
            yield f"{name}.{field.name}: {problem}"


def _column_problem(table: pa.Table, field: pa.Field[Any], run_id: int) -> str:
    found = table.schema.get_all_field_indices(field.name)
    if len(found) != 1:
        return "the column is missing" if not found else f"the column is given {len(found)} times"
    column = table.column(found[0])
    if column.type != field.type:
        return f"the type is {column.type}; it must be {field.type}"
    if column.null_count and not field.nullable:
        return f"{column.null_count} values are null; none may be"
    if field.name == "run_id" and (strangers := _other_runs(column, run_id)):
        return f"rows of run {strangers} among those of run {run_id}"
    return ""


def _other_runs(column: pa.ChunkedArray[Any], run_id: int) -> list[int]:
    bounds = {pc.min(column).as_py(), pc.max(column).as_py()}
    return sorted(bounds - {None, run_id})
