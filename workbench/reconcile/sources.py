"""Reading a ledger's file or query as texts, row by row as it is."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet

from workbench.errors import LedgerError, Problem
from workbench.reconcile.plan import Ledger
from workbench.reconcile.results import Side
from workbench.reconcile.workspace import Workspace

FIELDS = ("id", "date", "amount", "currency", "text", "reference", "party")

_LONGEST_LINE = 16_000_000
"""Bytes of a CSV's line; longer ones are refused with their line."""

_NUMBERS = re.compile(r"(DOUBLE|FLOAT|DECIMAL|.*INT)")


def read_source(workspace: Workspace, ledger: Ledger, side: Side) -> str:
    """Read a ledger into the table `<side>_raw`: its row, from 1, and its fields as texts.

    Returns:
        What the ledger is called in messages.

    Raises:
        LedgerError: the source is missing, damaged or empty, or lacks a column.
    """
    name = str(ledger.file) if ledger.file else f"the {side} ledger's query"
    if ledger.query is not None:
        table = _queried(ledger, name)
        workspace.keep(f"{side}_source", table)
        relation = f"{side}_source"
    else:
        file = ledger.file or Path()
        relation = _parquet(file) if file.suffix == ".parquet" else _csv(file, ledger.delimiter, name)
    try:
        types = _types(workspace, relation)
        _check_columns(ledger, list(types), name)
        workspace.run(_raw_sql(ledger, side, relation, types))
    except Exception as error:
        raise _explained(error, name) from None
    count = workspace.rows(f"select count(*) as count from {side}_raw")[0]["count"]
    if count == 0:
        raise LedgerError([Problem(name, 0, "", "no record", "a ledger with at least one record")])
    return name


def _queried(ledger: Ledger, name: str) -> pa.Table:
    database = str(ledger.database) if ledger.database else ":memory:"
    try:
        with duckdb.connect(database, read_only=ledger.database is not None) as connection:
            connection.execute(f"set file_search_path = {_quoted(str(ledger.folder))}")
            return cast(pa.Table, connection.sql(ledger.query or "").to_arrow_table())
    except duckdb.Error as error:
        raise LedgerError(
            [Problem(name, 0, "query", str(error).splitlines()[0], "a query that DuckDB runs")]
        ) from None


def _parquet(file: Path) -> str:
    return f"read_parquet({_quoted(str(file))})"


def _csv(file: Path, delimiter: str, name: str) -> str:
    """Spell out how a CSV is read: where DuckDB may guess, it leaves out lines that it cannot explain."""
    try:
        # What is no UTF-8 is reported by DuckDB, with its line.
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            header = next(csv.reader(stream, delimiter=delimiter), [])
    except (OSError, csv.Error) as error:
        raise LedgerError([Problem(name, 1, "", f"what cannot be read ({error})", "CSV in UTF-8")]) from None
    if not header or len(set(header)) < len(header):
        given = "a column name twice" if header else "no header"
        raise LedgerError([Problem(name, 1, "", given, "a header with each column's name once")])
    columns = ", ".join(f"{_quoted(column)}: 'VARCHAR'" for column in header)
    return (
        f"read_csv({_quoted(str(file))}, columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = {_quoted(delimiter)}, quote = '\"', escape = '\"', max_line_size = {_LONGEST_LINE})"
    )


def _types(workspace: Workspace, relation: str) -> dict[str, str]:
    described = workspace.rows(f"describe select * from {relation}")
    return {row["column_name"]: row["column_type"] for row in described}


def _check_columns(ledger: Ledger, there: list[str], name: str) -> None:
    problems = [
        Problem(name, 1, f"columns.{field}", repr(column), f"one of {', '.join(there)}")
        for field, column in ledger.columns.named().items()
        if column not in there
    ]
    if problems:
        raise LedgerError(problems)


def _raw_sql(ledger: Ledger, side: Side, relation: str, types: dict[str, str]) -> str:
    named = ledger.columns.named()
    fields = [
        f"{_as_text(column, types[column], ledger) if (column := named.get(field)) else 'null::varchar'} "
        f"as {field}"
        for field in FIELDS
    ]
    return (
        f"create or replace table {side}_raw as "
        f"select row_number() over () as row, {', '.join(fields)} from {relation}"
    )


def _as_text(column: str, kind: str, ledger: Ledger) -> str:
    """Write a column as text; numbers with the decimal mark of the ledger, floats to the millionth."""
    name = '"' + column.replace('"', '""') + '"'
    if not _NUMBERS.match(kind) or column != ledger.columns.amount:
        return f"nullif(trim({name}::varchar), '')"
    exact = f"try_cast({name} as decimal(28, 6))" if kind in ("DOUBLE", "FLOAT") else name
    text = f"{exact}::varchar"
    return f"replace({text}, '.', ',')" if ledger.decimal == "," else text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _explained(error: Exception, name: str) -> Exception:
    """Turn what DuckDB says of a damaged file into its place and cause."""
    if isinstance(error, LedgerError):
        return error
    text = str(error)
    line = re.search(r"Line: (\d+)", text)
    causes: tuple[tuple[str, str, str], ...] = (
        ("Expected Number of Columns", _columns_found(text), "as many values as the header has columns"),
        ("Maximum line size", f"a line of more than {_LONGEST_LINE:,} bytes", "shorter lines"),
        ("utf-8", "what is not UTF-8 text", "CSV in UTF-8"),
        ("unterminated quote", "a quotation mark that does not end", "CSV"),
    )
    for words, given, allowed in causes:
        if words in text:
            return LedgerError([Problem(name, int(line[1]) if line else 0, "", given, allowed)])
    first: Any = text.splitlines()[0] if text else "nothing"
    return LedgerError([Problem(name, 0, "", f"what cannot be read ({first})", "CSV, or Parquet")])


def _columns_found(text: str) -> str:
    found = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    return f"{found[2]} values" if found else "a line of another width"
