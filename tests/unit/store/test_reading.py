"""A user's statement reads the lake and can do nothing else, however it tries."""

from __future__ import annotations

import time

import pytest

from workbench.errors import InputError
from workbench.settings import Settings
from workbench.store import Store, read_only, write_parts


@pytest.fixture(scope="module")
def stored(tmp_path_factory, make):
    """A lake with a run of 2,000 requests, and limits that a test can reach."""
    folder = tmp_path_factory.mktemp("read only")
    (folder / "secret.csv").write_text("password\nhunter2\n")
    settings = Settings(lake=folder / "lake", sql_time=120, sql_memory="200MB", sql_rows=5000)
    with Store(settings) as store:
        make.store_run(store, "a", scenario="it's")
        yield store


@pytest.fixture
def files(stored):
    """Every file of the lake and beside it with its content, and again after the test."""

    def content():
        folder = stored.lake.parent
        return {
            path: path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith("catalogue.sqlite-")
        }

    before = content()
    yield before
    assert content() == before


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select count(*)::INTEGER as n from requests", [{"n": 2000}]),
        ("with r as (from runs) select scenario from r", [{"scenario": "it's"}]),
        ("select max(n)::INTEGER > 0 as some from histograms where timing = 'wait'", [{"some": True}]),
        ("  values (1); ", [{"col0": 1}]),
        (
            "select sum(req_id) as n, sum(1::HUGEINT << 100) as big from requests where req_id < 4",
            [{"n": 6, "big": 4 << 100}],
        ),
    ],
)
def test_statements_that_read_are_answered(stored, sql, expected):
    assert read_only(stored, sql).to_pylist() == expected


def test_every_table_is_there(stored):
    tables = read_only(stored, "show tables")["name"].to_pylist()
    assert {"runs", "comparisons", "requests", "samples", "histograms", "summaries"} <= set(tables)
    assert "outcome_code" in read_only(stored, "describe requests")["column_name"].to_pylist()


def test_parameters_are_values(stored):
    found = read_only(stored, "select run_id from runs where scenario = $name", {"name": "it's"})
    assert found.to_pylist() == [{"run_id": 1}]
    assert read_only(stored, "select $x as x", {"x": "'; drop table runs"})["x"].to_pylist() == [
        "'; drop table runs"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to '{folder}/out.csv'",
        "copy (select 1) to '{part}' (use_tmp_file false)",
        "copy requests to '{folder}/out.parquet'",
        "attach '{folder}/other.duckdb'",
        "attach ':memory:' as other",
        "attach '{lake}/catalogue.sqlite' (type sqlite)",
        "create table t as select 1",
        "drop view requests",
        "delete from runs",
        "update runs set state = 'failed'",
        "insert into runs select * from runs",
        "export database '{folder}/out'",
        "set memory_limit = '100GB'",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma threads = 64",
        "install httpfs",
        "load httpfs",
        "call enable_logging()",
        "explain analyze copy (select 1) to '{folder}/out.csv'",
        "prepare p as select 1",
        "begin",
        "select 1; drop view requests",
        "select 1; copy (select 1) to '{folder}/out.csv'",
        "",
        "-- nothing",
    ],
)
def test_statements_that_do_more_than_read_are_refused(stored, files, sql):
    [part] = stored.parts("summaries")
    places = {"folder": stored.lake.parent, "lake": stored.lake, "part": stored.lake / part.path}
    with pytest.raises(InputError, match="allowed: one select"):
        read_only(stored, sql.format(**places))


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '{folder}/secret.csv'",
        "select * from read_csv('{folder}/secret.csv')",
        "select * from read_text('{folder}/*')",
        "select * from read_blob('/etc/passwd')",
        "select * from sniff_csv('{folder}/secret.csv')",
        "select * from glob('{folder}/**')",
        "select * from read_parquet('{lake}/*/*/*.parquet')",
        "select * from read_parquet('{lake}/requests/../../secret.csv')",
        "select * from read_text('{lake}/catalogue.sqlite')",
        "select * from parquet_metadata('{folder}/secret.csv')",
        "select * from query('select * from read_text(''{folder}/secret.csv'')')",
        "select * from read_csv('http://127.0.0.1:9/x')",
        "select getenv('HOME')",
        "select * from json_execute_serialized_sql(json_serialize_sql("
        "'select * from read_text(''{folder}/secret.csv'')'))",
    ],
)
def test_files_that_are_none_of_the_lakes_parts_cannot_be_read(stored, files, sql):
    with pytest.raises(InputError) as caught:
        read_only(stored, sql.format(folder=stored.lake.parent, lake=stored.lake))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from range(1000000000000)",
        "select sum(hash(a.range + b.range)) from range(10000000) a, range(10000000) b",
        "with recursive t as (select 1 as a union all select a + 1 from t) select count(*) from t",
    ],
)
def test_statement_that_runs_long_is_ended(stored, sql):
    begun = time.monotonic()
    said = "ran longer than the 1 s that it may"
    hurried = stored.settings.model_copy(update={"sql_time": 1.0})
    with Store(hurried) as hasty, pytest.raises(InputError, match=said):
        read_only(hasty, sql)
    assert time.monotonic() - begun < 30  # on a busy machine the process starts slowly


@pytest.mark.parametrize(
    "sql",
    [
        "select list(range) from range(3000000000)",
        "select repeat('x', 2000000000)",
        "select string_agg(repeat(range::text, 1000)) from range(10000000)",
        "select quantile_cont(range, 0.5) from range(1000000000)",
        "select count(distinct hash(range)) from range(1000000000)",
    ],
)
def test_statement_that_takes_all_memory_is_ended(stored, sql):
    with pytest.raises(InputError, match="took more memory than the 200MB that it may"):
        read_only(stored, sql)


def test_statement_that_gives_too_much_is_ended(stored):
    with pytest.raises(InputError, match="gives more than 5,000 rows; add a limit"):
        read_only(stored, "select * from range(100000000)")
    assert read_only(stored, "select * from range(5000)").num_rows == 5000


def test_wrong_statement_is_shown_with_what_is_wrong(stored):
    with pytest.raises(InputError) as caught:
        read_only(stored, "select nothing from runs")
    assert 'column "nothing"' in str(caught.value).lower()
    assert "select nothing from runs" in str(caught.value)


@pytest.mark.parametrize("name", ["lake [1]*", "größe 'quoted'", 'a"b;--'])
def test_lake_of_any_name_is_read(tmp_path, make, name):
    with Store(Settings(lake=tmp_path / name)) as store:
        run_id = store.begin_run(make.new_run())
        requests = make.requests(run_id)
        parts = write_parts(store.lake, run_id, {"requests": requests})
        store.finish_run(run_id, make.result(requests), parts)
        assert read_only(store, "select count(*)::INTEGER as n from requests").to_pylist() == [{"n": 2000}]


def test_damaged_part_is_said_without_a_traceback(tmp_path, make):
    with Store(Settings(lake=tmp_path / "lake")) as store:
        make.store_run(store, "a")
        [part] = store.parts("requests")
        (store.lake / part.path).write_bytes(b"PAR1 nothing more")
        with pytest.raises(Exception, match=r"part-\w+\.parquet") as caught:
            read_only(store, "select sum(response_us) from requests")
        assert "Traceback" not in str(caught.value)
