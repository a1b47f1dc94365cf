"""Parts hold exactly what was written, in the same bytes each time, or are not there at all."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import StoreError
from workbench.store import write_parts
from workbench.store.encodings import ROW_GROUP
from workbench.tables import SCHEMA_VERSION, SCHEMAS


def files(lake):
    return sorted(path for path in lake.rglob("*") if path.is_file())


def test_tables_come_back_as_they_were_written(lake, make):
    tables = {"requests": make.requests(7), "samples": make.samples(7), "summaries": make.summaries(7)}
    for part in write_parts(lake, 7, tables):
        stored = pq.read_table(lake / part.path, partitioning=None)
        assert stored.equals(tables[part.table])
        assert stored.schema.equals(SCHEMAS[part.table], check_metadata=False)
        assert stored.schema.field(1).metadata == SCHEMAS[part.table].field(1).metadata


def test_part_says_what_is_in_its_file(lake, make):
    table = make.requests(7)
    [part] = write_parts(lake, 7, {"requests": table})
    content = (lake / part.path).read_bytes()
    arrivals = table["arrival_us"].to_numpy()
    assert (part.table, part.run_id, part.schema_version) == ("requests", 7, SCHEMA_VERSION)
    assert (part.rows, part.bytes) == (table.num_rows, len(content))
    assert (part.min_us, part.max_us) == (arrivals.min(), arrivals.max())
    assert part.checksum == hashlib.sha256(content).hexdigest()
    assert part.path == f"requests/run_id=7/part-{part.checksum[:32]}.parquet"


def test_same_tables_give_the_same_bytes_however_they_are_chunked(tmp_path, make):
    table = make.requests(1, count=ROW_GROUP + 5000)
    pieces = pa.concat_tables([table.slice(start, 777) for start in range(0, table.num_rows, 777)])
    [whole] = write_parts(tmp_path / "a", 1, {"requests": table})
    [again] = write_parts(tmp_path / "b", 1, {"requests": pieces.select(pieces.column_names[::-1])})
    assert whole == again
    assert (tmp_path / "a" / whole.path).read_bytes() == (tmp_path / "b" / again.path).read_bytes()


def test_writing_a_run_again_leaves_one_file(lake, make):
    first = write_parts(lake, 1, {"requests": make.requests(1)})
    assert write_parts(lake, 1, {"requests": make.requests(1)}) == first
    assert files(lake) == [lake / first[0].path]


def test_columns_have_the_measured_encodings(lake, make):
    parts = write_parts(lake, 1, {"requests": make.requests(1, ROW_GROUP + 1), "samples": make.samples(1)})
    metadata = {part.table: pq.read_metadata(lake / part.path) for part in parts}
    groups = [metadata["requests"].row_group(place).num_rows for place in range(2)]
    columns = {
        column["path_in_schema"]: column
        for file in metadata.values()
        for column in file.row_group(0).to_dict()["columns"]
    }
    assert groups == [ROW_GROUP, 1]
    assert {column["compression"] for column in columns.values()} == {"ZSTD"}
    assert "DELTA_BINARY_PACKED" in columns["arrival_us"]["encodings"]
    assert "BYTE_STREAM_SPLIT" in columns["response_us"]["encodings"]
    assert "BYTE_STREAM_SPLIT" in columns["utilisation"]["encodings"]
    assert "RLE_DICTIONARY" in columns["outcome"]["encodings"]
    assert "RLE_DICTIONARY" not in columns["arrival_us"]["encodings"]


def test_file_bears_the_schema_version(lake, make):
    [part] = write_parts(lake, 1, {"summaries": make.summaries(1)})
    assert pq.read_metadata(lake / part.path).metadata[b"workbench_schema_version"] == b"%d" % SCHEMA_VERSION


def test_table_without_rows_is_a_part_without_rows(lake, make):
    [part] = write_parts(lake, 1, {"requests": make.requests(1).slice(0, 0)})
    assert (part.rows, part.min_us, part.max_us) == (0, None, None)
    assert pq.read_table(lake / part.path, partitioning=None).num_rows == 0


def test_every_problem_is_named_at_once_and_nothing_is_written(lake, make):
    requests = make.requests(1)
    requests = requests.drop_columns("wait_us").append_column("colour", pa.array(["red"] * len(requests)))
    requests = requests.set_column(2, "arrival_us", pa.array(np.zeros(len(requests))))
    requests = requests.set_column(1, "req_id", pa.array([None] * len(requests), pa.int32()))
    tables = {"requests": requests, "samples": make.samples(2), "moods": make.samples(1)}
    with pytest.raises(StoreError) as caught:
        write_parts(lake, 1, tables)
    assert str(caught.value).splitlines() == [
        "run 1 cannot be stored:",
        f"requests.colour: no such column; known are {', '.join(SCHEMAS['requests'].names)}",
        "requests.req_id: 2000 values are null; none may be",
        "requests.arrival_us: the type is double; it must be int64",
        "requests.wait_us: the column is missing",
        "samples.run_id: rows of run [2] among those of run 1",
        "moods: no such table; known are attempts, events, histograms, outages, requests, samples, summaries",
    ]
    assert not lake.exists()


def test_column_given_twice_is_refused(lake, make):
    twice = make.samples(1).append_column("ts_us", make.samples(1)["ts_us"])
    with pytest.raises(StoreError, match=r"samples\.ts_us: the column is given 2 times"):
        write_parts(lake, 1, {"samples": twice})


def test_file_in_the_place_of_the_lake_is_named_with_a_remedy(lake, make):
    lake.write_text("in the way")
    with pytest.raises(StoreError, match="is a file; move that file away") as caught:
        write_parts(lake, 1, {"samples": make.samples(1)})
    assert str(lake) in str(caught.value)
    assert lake.read_text() == "in the way"


def test_failure_at_one_table_removes_the_others(lake, make):
    (lake / "summaries").mkdir(parents=True)
    (lake / "summaries" / "run_id=1").write_text("in the way")
    with pytest.raises(StoreError, match="move it away"):
        write_parts(lake, 1, {"requests": make.requests(1), "summaries": make.summaries(1)})
    assert files(lake) == [lake / "summaries" / "run_id=1"]
    assert not (lake / "requests" / "run_id=1").exists()
