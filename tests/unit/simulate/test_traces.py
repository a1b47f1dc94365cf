"""What a trace may hold, and that a trace that cannot be used says where and why."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import TraceError
from workbench.simulate.traces import Trace, read_trace

GARBAGE = np.random.default_rng(1).integers(0, 256, 2000, dtype=np.uint8).tobytes()


def write(folder: Path, content: str | bytes | pa.Table, name: str = "trace.csv") -> Path:
    file = folder / name
    if isinstance(content, pa.Table):
        pq.write_table(content, file)
    else:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def read(file: Path, **options: Any) -> Trace:
    return read_trace(file, ("size",), **{"time_column": "time"} | options)


def test_times_count_from_the_first_request_on(tmp_path: Path):
    trace = read(write(tmp_path, "time,size\n100.5,3\n101,4\n101,5\n107.25,6\n"))
    assert trace.columns["time"].tolist() == [0.0, 0.5, 0.5, 6.75]
    assert trace.columns["size"].tolist() == [3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("first", "second", "seconds"),
    [
        ("2023-11-16 18:15:46.6805900", "2023-11-16 18:15:50.9951690", 4.314579),
        ("2023-11-16T18:15:46", "2023-11-16T18:16:46.5", 60.5),
        ("2023-11-16 23:59:59.999999999", "2023-11-17 00:00:00", 1e-9),
        ("1700000000", "1700000001.5", 1.5),
        ("-2", "1e3", 1002.0),
        (" 1 ", "2 ", 1.0),
    ],
)
def test_times_are_seconds_or_iso_8601_with_up_to_nine_digits(
    tmp_path: Path, first: str, second: str, seconds: float
):
    trace = read(write(tmp_path, f"time,size\n{first},1\n{second},1\n"))
    assert trace.columns["time"][1] == pytest.approx(seconds, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2023-11-16T18:15:46Z", "2023-11-16T18:15:50Z"),
        ("2023-11-16T18:15:46+01:00", "2023-11-16T17:15:50Z"),
    ],
)
def test_times_may_name_their_zone(tmp_path: Path, first: str, second: str):
    trace = read(write(tmp_path, f"time,size\n{first},1\n{second},1\n"))
    assert trace.columns["time"].tolist() == [0.0, 4.0]


@pytest.mark.parametrize(
    "content",
    [
        "time,size,note\r\n0,1,a\r\n1,2,b\r\n",
        "\ufefftime,size\n0,1\n1,2\n",
        '"size","time"\n"1","0"\n"2","1"\n',
        "size,extra,time\n1,,0\n2,x,1",
        "time,size,note\n0,1,\xe9\n1,2,b\n".encode("latin-1"),
    ],
    ids=["CRLF", "byte order mark", "quotes", "no last newline", "Latin-1 in another column"],
)
def test_a_csv_is_read_as_programs_write_it(tmp_path: Path, content: str | bytes):
    trace = read(write(tmp_path, content))
    assert trace.columns["time"].tolist() == [0.0, 1.0]
    assert trace.columns["size"].tolist() == [1.0, 2.0]


def test_a_compressed_csv_is_read(tmp_path: Path):
    trace = read(write(tmp_path, gzip.compress(b"time,size\n0,1\n1,2\n"), "trace.csv.gz"))
    assert trace.columns["size"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("row", ["1,2,3", "1,bad"])
def test_the_line_of_a_bad_row_is_named_in_a_compressed_csv(tmp_path: Path, row: str):
    file = write(tmp_path, gzip.compress(f"time,size\n0,1\n{row}\n".encode()), "trace.csv.gz")
    with pytest.raises(TraceError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}:3: ")


@pytest.mark.parametrize(
    "times",
    [
        pa.array([5.0, 6.5]),
        pa.array([5_000, 6_500], pa.timestamp("ms")),
        pa.array([5_000_000_000, 6_500_000_000], pa.timestamp("ns", "UTC")),
        pa.array(["5", "6.5"]),
        pa.array(["2020-01-01 00:00:05", "2020-01-01 00:00:06.5"]),
    ],
    ids=lambda times: str(times.type),
)
def test_parquet_gives_the_same_as_csv(tmp_path: Path, times: pa.Array):
    table = pa.table({"size": pa.array([1, 2]), "other": pa.array(["a", None]), "time": times})
    trace = read(write(tmp_path, table, "trace.parquet"))
    assert trace.columns["time"].tolist() == [0.0, 1.5]
    assert trace.columns["size"].tolist() == [1.0, 2.0]


def test_sorting_puts_rows_in_the_order_of_time_and_keeps_equals_in_theirs(tmp_path: Path):
    trace = read(write(tmp_path, "time,size\n5,10\n2,11\n5,12\n3,13\n2,14\n"), sort=True)
    assert trace.columns["time"].tolist() == [0.0, 0.0, 1.0, 3.0, 3.0]
    assert trace.columns["size"].tolist() == [11.0, 14.0, 13.0, 10.0, 12.0]
    assert trace.rows.tolist() == [1, 4, 3, 0, 2]


@pytest.mark.parametrize(
    "later",
    [pytest.param(1, id="later"), pytest.param(0, id="within a tick of the clock")],
)
def test_a_file_that_has_changed_is_read_again(tmp_path: Path, later: int):
    lengths = []
    for number in range(2):
        file = write(tmp_path, "time,size\n" + "0,1\n" * (number + 1))
        os.utime(file, ns=(0, number * later))
        lengths.append(len(read(file).columns["size"]))
    assert lengths == [1, 2]


def long_csv(bad: str) -> str:
    return "time,size\n" + "".join(f"{row},1\n" for row in range(200_000)) + bad + "200002,1\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", ": the trace cannot be read (Empty CSV file)"),
        ("\n\n", ": the trace cannot be read ("),
        ("time,size\n", ": the trace is empty: it has no row after the header"),
        ("time,size", ": the trace cannot be read ("),
        ("time;size\n0;1\n", ": no column 'time'; the file has time;size"),
        ("time,sizes\n0,1\n", ": no column 'size'; the file has time, sizes"),
        ("time,size\n0,1\n1,two\n2,3\n", ":3: size: given 'two'; allowed: a number"),
        ("time,size\n0,1\n1,\n2,3\n", ":3: size: given ''; allowed: a number"),
        ("time,size\n0,1\n1,NaN\n", ":3: size: given NaN; allowed: a number of 0 or more"),
        ("time,size\n0,inf\n", ":2: size: given inf; allowed: a number of 0 or more"),
        ("time,size\n0,1\n1,1e400\n", ":3: size: given 1e400; allowed: a number of 0 or more"),
        ("time,size\n0,1\n1,2\n2,-3\n", ":4: size: given -3; allowed: a number of 0 or more"),
        ("time,size\n0,1\n2,1\n1,1\n", ":4: time: the time goes back; sort the file or set `sort: true`"),
        ("time,size\n0,1\nNaN,1\n2,1\n", ":3: time: not a finite time"),
        ("time,size\n0,1\n1,1\nsoon,1\n2,1\n", ":4: time: given 'soon'; allowed: seconds"),
        ("time,size\nsoon,1\n2,1\n", ":2: time: given 'soon'; allowed: seconds, or a time such as 2023-"),
        (
            "time,size\n2023-11-16 18:15:46,1\n2023-11-16 18:75:50,1\n",
            ":3: time: given '2023-11-16 18:75:50'",
        ),
        (
            "time,size\n2023-11-16 18:15:46,1\n12,1\n",
            ":3: time: given '12'; allowed: seconds, or a time such",
        ),
        (
            "time,size,note\n0,1,a\n1,2\n",
            ":3: given 2 values; allowed: 3, as in the header",
        ),
        ("time,size\n0,1\n1,2,3\n", ":3: given 3 values; allowed: 2, as in the header"),
        (b"time,size\n0,1\n1,\xe9\n", ":3: not UTF-8 text"),
        ("time,size\n0,1\n".encode("utf-16"), ":1: not UTF-8 text"),
        (GARBAGE, ":1: not UTF-8 text"),
        (b"time,size\n0,1\n" + GARBAGE, ":3: not UTF-8 text"),
        (bytes(1000), ": the trace cannot be read ("),
        (long_csv("bad,1\n"), ":200002: time: given 'bad'; allowed: seconds"),
        (long_csv("200001,bad\n"), ":200002: size: given 'bad'; allowed: a number"),
    ],
    ids=lambda value: repr(value[:24]) if len(value) < 100_000 else f"long, {value[-14:-10]!r}",
)
def test_a_csv_that_cannot_be_used_says_where_and_why(tmp_path: Path, content: str | bytes, problem: str):
    file = write(tmp_path, content)
    with pytest.raises(TraceError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}{problem}")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"time": [0.0, 1.0], "size": [1, None]}, ":row 2: size: given 'None'; allowed: a number"),
        ({"time": [0.0, None], "size": [1, 2]}, ":row 2: time: given 'None'; allowed: seconds"),
        ({"time": [0.0, 1.0], "size": ["1", "x"]}, ":row 2: size: given 'x'; allowed: a number"),
        ({"time": [0.0, 1.0], "size": [[1], [2]]}, ":row 1: size: given '[1]'; allowed: a number"),
        (
            {"time": [0.0, 1.0], "size": [0.5, -0.5]},
            ":row 2: size: given -0.5; allowed: a number of 0 or more",
        ),
        ({"time": [1.0, 0.0], "size": [1, 2]}, ":row 2: time: the time goes back"),
        ({"time": [0.0, 1.0]}, ": no column 'size'; the file has time"),
    ],
    ids=str,
)
def test_a_parquet_file_that_cannot_be_used_says_where_and_why(
    tmp_path: Path, table: dict[str, list[Any]], problem: str
):
    file = write(tmp_path, pa.table(table), "trace.parquet")
    with pytest.raises(TraceError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}{problem}")


def test_an_empty_parquet_file_is_an_empty_trace(tmp_path: Path):
    table = pa.table({"time": pa.array([], pa.float64()), "size": pa.array([], pa.int64())})
    with pytest.raises(TraceError, match="the trace is empty"):
        read(write(tmp_path, table, "trace.parquet"))


@pytest.mark.parametrize("name", ["trace.parquet", "trace.csv.gz"])
def test_a_truncated_file_cannot_be_read(tmp_path: Path, name: str):
    rows = pa.table({"time": np.arange(5000.0), "size": np.arange(5000)})
    whole = write(
        tmp_path, rows if "parquet" in name else gzip.compress(b"time,size\n" + b"0,1\n" * 5000), name
    )
    file = write(tmp_path, whole.read_bytes()[:40], f"short-{name}")
    with pytest.raises(TraceError, match=r"the trace cannot be read \("):
        read(file)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(TraceError, match=r"gone\.csv: cannot be read \(No such file or directory\)"):
        read(tmp_path / "gone.csv")


def test_of_two_bad_rows_the_first_is_named(tmp_path: Path):
    rows = ["0,1"] * 100
    rows[37] = rows[38] = rows[80] = "0,?"
    with pytest.raises(TraceError, match=r":39: size: given '\?'"):
        read(write(tmp_path, "\n".join(["time,size", *rows])))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("time,size,note\n0,1,a\n1,2\n", 3),
        ("time,size\n0,1\n1,2,3\n", 3),
        (b"time,size\n0,1\n1,\xe9\n", 3),
        ('time,size,note\n0,1,"two\nlines"\n1,bad,c\n', 4),
        ("time,size\n0,1\n\n1,bad\n", 4),
    ],
    ids=[
        "too few values",
        "too many values",
        "not UTF-8",
        "after a value of two lines",
        "after an empty line",
    ],
)
def test_the_line_of_a_corrupt_row_is_named(tmp_path: Path, content: str | bytes, line: int):
    file = write(tmp_path, content)
    with pytest.raises(TraceError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}:{line}: ")


def test_a_time_that_is_no_number_is_found_where_it_stands_also_when_sorting(tmp_path: Path):
    with pytest.raises(TraceError) as error:
        read(write(tmp_path, "time,size\n0,1\nNaN,1\n2,1\n"), sort=True)
    assert ":3: time:" in str(error.value)
