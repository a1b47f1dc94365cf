"""Checks on tables before they are written: their columns, by what the schemas say of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import StoreError
from workbench.store.invariants import broken_invariants
from workbench.tables import SCHEMAS

_SLACK = 1e-6
"""Share by which a float may pass its bound, as rounding does."""


def validated(tables: Mapping[str, pa.Table], run_id: int) -> dict[str, pa.Table]:
    """Return the tables with exactly the columns, the order and the metadata of their schemas.

    Args:
        tables: tables by name, as in `workbench.tables.SCHEMAS`.
        run_id: the run that every row must belong to.

    Raises:
        StoreError: all that is wrong with them, each with table and column; where the columns are as
            they should be, what is wrong with the rows.
    """
    problems = [problem for name, table in tables.items() for problem in _problems(name, table, run_id)]
    if not problems:
        conformed = {name: _conformed(table, SCHEMAS[name]) for name, table in tables.items()}
        problems = list(broken_invariants(conformed))
        if not problems:
            return conformed
    raise StoreError(f"run {run_id} cannot be stored:\n" + "\n".join(problems))


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
    if pa.types.is_floating(field.type) and (odd := _not_finite(column)):
        return f"{odd} values are not finite"
    if not pa.types.is_integer(field.type) and not pa.types.is_floating(field.type):
        return ""
    low, high = (value.as_py() for value in pc.min_max(column).values())
    if low is None:
        return ""
    if field.name == "run_id" and (strangers := sorted({low, high} - {run_id})):
        return f"rows of run {strangers} among those of run {run_id}"
    return _range_problem(column, field, low, high)


def _not_finite(column: pa.ChunkedArray[Any]) -> int:
    return int(np.count_nonzero(~np.isfinite(column.drop_null().to_numpy())))


def _range_problem(column: pa.ChunkedArray[Any], field: pa.Field[Any], low: float, high: float) -> str:
    metadata = field.metadata or {}
    if b"codes" in metadata:
        labels = {int(code): label for code, label in json.loads(metadata[b"codes"]).items()}
        unknown = [code for code in (low, high) if code not in labels]
        if not unknown and len(labels) <= max(labels) - min(labels):  # there are gaps between the codes
            found = pc.unique(column).to_pylist()
            unknown = [code for code in found if code is not None and code not in labels]
        known = ", ".join(f"{code} {label}" for code, label in labels.items())
        return f"code {unknown[0]} is unknown; known are {known}" if unknown else ""
    least, most = (float(metadata.get(key, default)) for key, default in _BOUNDS)
    slack = _SLACK if pa.types.is_floating(field.type) else 0.0
    if low >= least - slack and high <= most + slack:
        return ""
    bounds = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
    return f"the values go from {low:g} to {high:g}; allowed are {bounds}"


_BOUNDS: tuple[tuple[bytes, float], ...] = ((b"least", -math.inf), (b"most", math.inf))
