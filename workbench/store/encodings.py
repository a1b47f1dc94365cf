"""How parts are encoded: what was measured fastest and smallest.

Five million requests encode at twice the rate of pyarrow's defaults and take little more than half
the room. A dictionary pays only where few values occur; elsewhere differences suit integers, and
splitting bytes suits floats.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

ROW_GROUP = 262_144
"""Rows of a row group."""

_FEW_VALUES = frozenset({"run_id", "balancer_id", "server_id", "outcome", "queue_depth", "queue_max"})


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Options for `pyarrow.parquet.ParquetWriter` that suit the schema.

    The dictionary is new at each call, because pyarrow changes the `column_encoding` that it gets.
    """
    encoding = {
        field.name: "BYTE_STREAM_SPLIT" if pa.types.is_floating(field.type) else "DELTA_BINARY_PACKED"
        for field in schema
        if not _has_few_values(field)
    }
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [field.name for field in schema if _has_few_values(field)],
        "column_encoding": encoding,
    }


def _has_few_values(field: pa.Field[Any]) -> bool:
    return field.name in _FEW_VALUES and pa.types.is_integer(field.type)
