"""Run one statement that only reads, in a process that can do nothing else: a program, not a module.

Reads a request as JSON from standard input, writes the rows as an Arrow stream to standard output. What
went wrong is one line of JSON on standard error, `kind` and `message`, and exit code 1. Before the
statement is looked at DuckDB may open the listed files and no others, its configuration is locked, and
the operating system has been told that this process may write no file, start no core dump and take no
more memory, and to end it when its time is over.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import duckdb
import pyarrow as pa

_ROOM = 768 << 20
"""Memory that the interpreter, its threads and an answer take beside DuckDB's own, bytes."""


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    try:
        connection = _prepare(request)
    except (duckdb.Error, OSError) as error:
        _fail("lake", str(error))
    _limit(request["memory_bytes"], request["seconds"])
    try:
        _check(request["sql"])
        # Of a relation, because execute would hold the whole answer first.
        relation = connection.sql(request["sql"], params=request["parameters"] or None)
        _send(relation.to_arrow_reader(10_000), rows=request["rows"], most=request["memory_bytes"])
    except duckdb.OutOfMemoryException as error:
        _fail("memory", str(error).splitlines()[0])
    except duckdb.Error as error:
        _fail("statement", str(error))
    except MemoryError:
        _fail("memory", "no more could be had from the operating system")


def _prepare(request: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    config = {
        "threads": request["threads"],
        "memory_limit": request["memory"],
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("set TimeZone = 'UTC'")
    if request["object_store"]:
        _reach(connection, request["object_store"])
    for name, kind, sql, parameters in request["definitions"]:
        connection.execute(f"create {kind} {name} as {sql}", parameters or None)
    connection.execute("set allowed_directories = []")
    connection.execute("set allowed_paths = $paths", {"paths": request["paths"]})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _reach(connection: duckdb.DuckDBPyConnection, address: str) -> None:
    import fsspec

    connection.register_filesystem(fsspec.filesystem(address.partition("://")[0]))


def _limit(memory: int, seconds: float) -> None:
    for what, most in (
        (resource.RLIMIT_AS, _address_space() + memory + _ROOM),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    # Nobody handles the alarm, so it ends the process, whatever DuckDB is doing.
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 16 << 30  # no Linux; what is asked for here is only ever too much


def _check(sql: str) -> None:
    statements = duckdb.extract_statements(sql)
    kinds = [statement.type.name.lower() for statement in statements]
    if kinds != ["select"]:
        given = f"{len(kinds)} statements ({', '.join(kinds)})" if len(kinds) != 1 else f"{kinds[0]}"
        _fail("refused", given)


def _send(reader: pa.RecordBatchReader, *, rows: int, most: int) -> None:
    sent = size = 0
    with pa.ipc.new_stream(cast("io.BufferedWriter", sys.stdout.buffer), reader.schema) as stream:
        for batch in reader:
            sent, size = sent + batch.num_rows, size + batch.nbytes
            if sent > rows:
                _fail("rows", f"{rows:,} rows")
            if size > most:
                _fail("rows", f"{most / 1e6:,.0f} MB")
            stream.write_batch(batch)


def _fail(kind: str, message: str) -> NoReturn:
    print(json.dumps({"kind": kind, "message": message}), file=sys.stderr, flush=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
