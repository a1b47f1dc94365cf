"""Reading a recorded trace: a CSV or Parquet file with one row a request."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray
from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from workbench.errors import TraceError


def _find(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path.cwd())
    found = Path(folder, path).resolve()
    if not found.is_file():
        raise PydanticCustomError("trace_file", f"a file that exists, found from {Path(folder).resolve()}")
    return found


TraceFile = Annotated[Path, AfterValidator(_find)]
"""A file that exists; a relative path is found from the document's folder."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Columns of a trace as floats; times are seconds from the first request on, never decreasing."""

    file: Path
    columns: dict[str, NDArray[np.float64]]
    rows: NDArray[np.int64]
    """The row of the file, from 0, that each entry is; sorting changes the order."""


def read_trace(
    file: Path, columns: tuple[str, ...], *, time_column: str | None = None, sort: bool = False
) -> Trace:
    """Read columns of a trace.

    Args:
        file: a `.parquet` file, or a CSV with a header.
        columns: columns that hold numbers.
        time_column: the column that holds each request's time, as seconds or as ISO 8601.
        sort: put the rows in the order of time; otherwise a time that goes back is an error.

    Raises:
        TraceError: the file is missing, empty or corrupt, lacks a column, or holds what is no number.
    """
    return _read(*file_state(file), columns, time_column, sort)


def file_state(file: Path) -> tuple[Path, int, int]:
    """Give a file with what changes when it changes: its time of change, nanoseconds, and its size, bytes.

    Raises:
        TraceError: the file is not there.
    """
    try:
        found = file.stat()
    except OSError as error:
        raise TraceError(f"{file}: cannot be read ({error.strerror})") from None
    return file, found.st_mtime_ns, found.st_size


def read_texts(file: Path, column: str) -> list[str]:
    """Read a column as texts, in the order of the file.

    Raises:
        TraceError: the file is missing, empty or corrupt, or lacks the column.
    """
    try:
        table = _table(file, (column,))
    except FileNotFoundError as error:
        raise TraceError(f"{file}: cannot be read ({error.strerror})") from None
    if table.num_rows == 0:
        raise TraceError(f"{file}: the trace is empty: it has no row after the header")
    return ["" if text is None else str(text) for text in table[column].to_pylist()]


@lru_cache(maxsize=8)
def _read(
    file: Path, _changed: int, _size: int, columns: tuple[str, ...], time_column: str | None, sort: bool
) -> Trace:
    wanted = (*((time_column,) if time_column else ()), *columns)
    table = _table(file, wanted)
    if table.num_rows == 0:
        raise TraceError(f"{file}: the trace is empty: it has no row after the header")
    found = {name: _numbers(table[name], file, name) for name in columns}
    order = np.arange(table.num_rows)
    if time_column is not None:
        seconds = _seconds(table[time_column], file, time_column)
        order = np.argsort(seconds, kind="stable") if sort else order
        _check_order(seconds[order], file, time_column)
        found = {name: values[order] for name, values in found.items()}
        found[time_column] = seconds[order] - seconds[order[0]]
    return Trace(file, found, order)


def _table(file: Path, wanted: tuple[str, ...]) -> pa.Table:
    try:
        if file.suffix == ".parquet":
            names = pa.parquet.read_schema(file).names
            _check_columns(file, wanted, names)
            return pa.parquet.read_table(file, columns=list(wanted))
        with pa.csv.open_csv(file) as reader:
            names = reader.schema.names
        _check_columns(file, wanted, names)
        as_text = pa.csv.ConvertOptions(
            include_columns=list(wanted), column_types=dict.fromkeys(wanted, pa.string())
        )
        return _trimmed(pa.csv.read_csv(file, convert_options=as_text))
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise TraceError(_unreadable(file, error)) from None


def _trimmed(table: pa.Table) -> pa.Table:
    columns = [pc.utf8_trim_whitespace(column) for column in table.columns]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _check_columns(file: Path, wanted: tuple[str, ...], names: list[str]) -> None:
    if missing := [name for name in wanted if name not in names]:
        raise TraceError(f"{file}: no column {missing[0]!r}; the file has {', '.join(names)}")


def _numbers(column: pa.ChunkedArray[Any], file: Path, name: str) -> NDArray[np.float64]:
    values = _cast(column, pa.float64(), file, name, "a number")
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise TraceError(
            f"{_row(file, bad[0])}: {name}: given {column[int(bad[0])]}; allowed: a number of 0 or more"
        )
    return values


def _seconds(column: pa.ChunkedArray[Any], file: Path, name: str) -> NDArray[np.float64]:
    """Read times of the kind that the first one is of."""
    if _castable(column.slice(0, 1), pa.float64()):
        seconds = _cast(column, pa.float64(), file, name, "seconds, as in the first row")
        endless = np.flatnonzero(~np.isfinite(seconds))
        if len(endless):
            raise TraceError(f"{_row(file, endless[0])}: {name}: not a finite time")
        return seconds
    zoned = _castable(column.slice(0, 1), pa.timestamp("ns", "UTC"))
    allowed = "seconds, or a time such as 2023-11-16 18:15:46.68, all rows alike"
    stamps = _cast(column, pa.timestamp("ns", "UTC" if zoned else None), file, name, allowed)
    return (stamps.astype("int64") - int(stamps[:1].astype("int64")[0])) / 1e9


def _cast(
    column: pa.ChunkedArray[Any], kind: pa.DataType, file: Path, name: str, allowed: str
) -> NDArray[Any]:
    try:
        values = column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = None
    if values is None or values.null_count:
        row = _first_bad(column, kind)
        raise TraceError(f"{_row(file, row)}: {name}: given {str(column[row])!r}; allowed: {allowed}")
    return np.asarray(values.to_numpy())


def _first_bad(column: pa.ChunkedArray[Any], kind: pa.DataType) -> int:
    """Find the first row that cannot be cast, by halving."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        if _castable(column.slice(low, middle - low), kind):
            low = middle
        else:
            high = middle
    return low


def _castable(column: pa.ChunkedArray[Any], kind: pa.DataType) -> bool:
    try:
        return bool(column.cast(kind).null_count == 0)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False


def _check_order(seconds: NDArray[np.float64], file: Path, name: str) -> None:
    back = np.flatnonzero(np.diff(seconds) < 0)
    if len(back):
        raise TraceError(
            f"{_row(file, back[0] + 1)}: {name}: the time goes back; sort the file or set `sort: true`"
        )


def _row(file: Path, row: int | np.integer[Any]) -> str:
    """Name a row, from 0: by the line of a CSV on which it begins, or by its number in a Parquet file."""
    if file.suffix == ".parquet":
        return f"{file}:row {int(row) + 1}"
    for number, (line, _) in enumerate(_csv_rows(file)):
        if number == int(row) + 1:
            return f"{file}:{line}"
    return str(file)


def _unreadable(file: Path, error: Exception) -> str:
    """Say where a CSV is corrupt, as far as it can be found."""
    rest = f"the trace cannot be read ({error})"
    if file.suffix == ".parquet" or isinstance(error, OSError):
        return f"{file}: {rest}"
    content = _content(file)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = content.count(b"\n", 0, bad.start) + 1
        return f"{file}:{line}: not UTF-8 text"
    width = 0
    for number, (line, row) in enumerate(_csv_rows(file)):
        width = len(row) if number == 0 else width
        if len(row) != width:
            return f"{file}:{line}: given {len(row)} values; allowed: {width}, as in the header"
    return f"{file}: {rest}"


def _csv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a CSV that are not empty, the header first, each with the line on which it begins."""
    text = _content(file).decode("utf-8-sig", errors="replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error:
        return


def _content(file: Path) -> bytes:
    """Read a file that may be compressed, as Arrow does by its ending."""
    with pa.input_stream(str(file)) as content:
        return content.read()
