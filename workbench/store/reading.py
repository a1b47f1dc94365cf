"""Statements of a user, which read the lake and can do nothing else.

Each runs in a process of its own (`sandbox`): its limits are the operating system's, not the statement's
to lift.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.errors import InputError, StoreError
from workbench.quantities import format_duration
from workbench.settings import parse_bytes
from workbench.store import sandbox
from workbench.store.store import Store
from workbench.store.views import VIEWS, definition, result_files
from workbench.tables import RESULTS, SCHEMAS

_STARTING_S = 30.0
"""Time that the process may take to start and to learn the lake's tables, seconds."""


def read_only(store: Store, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """Run one statement of a user that yields rows: a select, `describe`, `show tables` or `summarize`.

    It sees every table and view of the lake as of now. It can write nothing, read no other file, and
    takes no more time, memory and rows than the settings say.

    Args:
        store: the lake.
        sql: the statement, with parameters as `$name`.
        parameters: their values by name: texts, numbers or lists of these.

    Raises:
        InputError: the statement is no select, is wrong, or takes or gives more than the settings allow.
        StoreError: a part cannot be read.
    """
    settings = store.settings
    request = json.dumps(_request(store, sql, parameters))
    begun = subprocess.Popen(
        [sys.executable, "-P", str(Path(sandbox.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with begun:
        try:
            rows, said = begun.communicate(request.encode(), timeout=settings.sql_time + _STARTING_S)
        except BaseException as error:
            begun.kill()
            begun.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise _too_long(settings.sql_time) from None
            raise
    if begun.returncode == 0:
        return _with_plain_sums(pa.ipc.open_stream(rows).read_all())
    if begun.returncode == -signal.SIGALRM:
        raise _too_long(settings.sql_time)
    raise _explained(store, begun.returncode, said.decode(errors="replace"), sql)


def _request(store: Store, sql: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    settings = store.settings
    with store.catalogue.reading():
        definitions = [
            (
                name,
                "view" if name in SCHEMAS else "table",
                *definition(name, store.catalogue, store.files.root, store.lake),
            )
            for name in VIEWS
        ]
        results = {str(file) for name in RESULTS for file in result_files(store.lake, name)}
        paths = sorted({f"{store.files.root}/{part.path}" for part in store.parts()} | results)
    return {
        "sql": sql,
        "parameters": dict(parameters or {}),
        "definitions": definitions,
        "paths": paths,
        "object_store": settings.parts,
        "threads": settings.duckdb_threads,
        "memory": settings.sql_memory,
        "memory_bytes": parse_bytes(settings.sql_memory),
        "seconds": settings.sql_time,
        "rows": settings.sql_rows,
    }


def _with_plain_sums(table: pa.Table) -> pa.Table:
    """Make whole numbers of DuckDB's sums of whole numbers, which Arrow has as decimals, where they fit."""
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            try:
                table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
            except pa.ArrowInvalid:
                continue
    return table


def _explained(store: Store, code: int, said: str, sql: str) -> InputError | StoreError:
    settings = store.settings
    try:
        found = json.loads(said.splitlines()[-1])
        kind, message = found["kind"], found["message"]
    except (ValueError, IndexError, KeyError):
        kind, message = "ended", f"signal {signal.Signals(-code).name}" if code < 0 else said.strip()
    match kind:
        case "refused":
            return InputError(f"sql: given {message}; allowed: one select, describe, show or summarize")
        case "memory" | "ended":
            return InputError(
                f"the statement took more memory than the {settings.sql_memory} that it may ({message}); "
                "ask for less at once, or raise sql_memory (WORKBENCH_SQL_MEMORY)"
            )
        case "rows":
            return InputError(
                f"the statement gives more than {message}; add a limit, or raise sql_rows "
                "(WORKBENCH_SQL_ROWS) or sql_memory (WORKBENCH_SQL_MEMORY)"
            )
        case "lake":
            return StoreError(f"the lake cannot be read: {message}")
    return InputError(f"{message}\n\nThe statement was:\n{sql.strip()}")


def _too_long(seconds: float) -> InputError:
    return InputError(
        f"the statement ran longer than the {format_duration(seconds)} that it may; ask for less at once, "
        "or raise sql_time (WORKBENCH_SQL_TIME)"
    )
