"""Queries see what the catalogue lists, read no more than they need, and say what went wrong."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from workbench.errors import CatalogueError, StoreError
from workbench.settings import Settings
from workbench.store import Store, publish, write_parts
from workbench.store.store import CATALOGUE_FILE
from workbench.store.views import VIEWS
from workbench.tables import SCHEMAS, Outcome


@pytest.mark.parametrize("view", VIEWS)
def test_empty_lake_has_every_view_with_the_columns_of_a_full_one(store, add_run, view):
    empty = store.query(f"select * from {view}")
    assert empty.num_rows == 0
    run_id = add_run()
    if view in SCHEMAS or view == "runs":
        full = store.query(f"select * from {view}")
        assert full.num_rows > 0
        assert full.schema == empty.schema
        assert set(full["run_id"].to_pylist()) == {run_id}
    if view in ("samples", "summaries"):
        assert empty.schema.equals(pa.schema([field.with_nullable(True) for field in SCHEMAS[view]]))


def test_requests_show_their_outcome_and_their_time_on_the_way(store, add_run, make):
    run_id = add_run()
    table = make.requests(run_id)
    found = store.query("select outcome, outcome_code, network_us from requests order by req_id")
    assert found["outcome"].to_pylist() == [Outcome(code).label for code in table["outcome"].to_pylist()]
    assert found["outcome_code"].to_pylist() == table["outcome"].to_pylist()
    assert set(found["network_us"].to_pylist()) == {500}


def test_sums_and_counts_are_those_of_what_was_written(store, add_run, make):
    tables = [make.requests(add_run(str(seed), seed=seed), seed=seed) for seed in (1, 2, 3)]
    whole = pa.concat_tables(tables).to_pandas()
    names = [
        "run_id",
        "req_id",
        "arrival_us",
        "server_id",
        "queue_depth",
        "wait_us",
        "service_us",
        "response_us",
    ]
    sums = ", ".join(f"sum({name})::BIGINT as {name}" for name in names)
    found = store.query(f"select count(*) as n, {sums} from requests").to_pylist()[0]
    assert found == {"n": len(whole)} | {name: int(whole[name].sum()) for name in names}


def test_views_follow_what_another_process_commits(store, lake, make, add_run):
    add_run("a")
    assert store.query("select count(*) as n from runs").to_pylist() == [{"n": 1}]
    with Store(Settings(lake=lake)) as other:
        other.begin_run(make.new_run("b"))
    found = store.query("select scenario, state, started from runs order by run_id").to_pylist()
    assert [row["state"] for row in found] == ["complete", "running"]
    assert found[1]["started"] == store.run(2).started


def test_run_that_is_not_finished_is_not_in_the_views(store, make):
    run_id = store.begin_run(make.new_run())
    write_parts(store.lake, run_id, {"requests": make.requests(run_id)})
    assert store.query("select * from requests").num_rows == 0


def test_relation_of_a_run_reads_the_parts_of_no_other(store, add_run):
    first, second = add_run("a"), add_run("b")
    shutil.rmtree(store.lake / "requests" / f"run_id={first}")
    relation = store.relation_sql("requests", run_ids=[second])
    assert store.query(f"select count(*) as n from {relation}", views=()).to_pylist() == [{"n": 2000}]
    with pytest.raises(StoreError, match="damaged or gone"):
        store.query("select count(*) from requests")


def test_relation_of_no_runs_has_no_rows(store, add_run):
    add_run()
    relation = store.relation_sql("requests", run_ids=[])
    assert store.query(f"select * from {relation}").num_rows == 0


def test_failing_statement_stands_in_the_error(store):
    sql = "select nothing_such from runs where run_id = $run_id"
    with pytest.raises(StoreError) as caught:
        store.query(sql, {"run_id": 17})
    assert sql in str(caught.value)
    assert "'run_id': 17" in str(caught.value)


def test_parameters_are_values_and_never_sql(store, add_run):
    add_run()
    name = "x' or 1=1; drop table runs; --"
    assert store.query("select * from runs where scenario = $name", {"name": name}).num_rows == 0
    assert store.runs(scenario=name) == []
    assert store.query("select * from runs").num_rows == 1


def test_name_in_a_statement_is_never_a_python_variable(store):
    runs_of_mine = pa.table({"a": [1]})
    with pytest.raises(StoreError, match="does not exist"):
        store.query("select * from runs_of_mine")
    assert runs_of_mine.num_rows == 1


def test_query_uses_no_more_of_the_machine_than_the_settings_say(lake):
    with Store(Settings(lake=lake, duckdb_threads=1, duckdb_memory="64MB")) as store:
        sql = "select current_setting('threads') as t, current_setting('memory_limit') as m"
        assert store.query(sql).to_pylist() == [{"t": 1, "m": "61.0 MiB"}]
        # Too much to hold: it spills into the lake, and nothing of that stays.
        rows = "select range as x, hash(range) as h from range(3_000_000)"
        ranked = f"select x, row_number() over (order by h) as place from ({rows})"
        found = store.query(f"select max(place) as n from ({ranked})").to_pylist()
    assert found == [{"n": 3_000_000}]
    assert list((lake / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", ["lake [1]*", "größe 'quoted'", 'a"b;--'])
def test_folder_of_any_name_serves(tmp_path, make, name):
    with Store(Settings(lake=tmp_path / name)) as store:
        run_id = store.begin_run(make.new_run())
        requests = make.requests(run_id)
        store.finish_run(
            run_id, make.result(requests), write_parts(store.lake, run_id, {"requests": requests})
        )
        assert store.query("select count(*) as n from requests").to_pylist() == [{"n": 2000}]
        assert publish(store).is_file()


def test_question_mark_in_the_folder_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(StoreError, match="question mark"):
        Store(Settings(lake=tmp_path / "why?"))
    assert list(tmp_path.iterdir()) == []


def test_lake_stays_where_it_was_when_the_working_folder_changes(tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    with Store(Settings(lake=Path("lake"))) as store:
        monkeypatch.chdir("/")
        assert store.lake == tmp_path / "lake"
        store.begin_run(make.new_run())
        assert store.query("select * from runs").num_rows == 1


def test_file_in_the_place_of_the_lake_is_named(lake):
    lake.write_text("in the way")
    with pytest.raises(StoreError, match="move it away") as caught:
        Store(Settings(lake=lake))
    assert str(lake) in str(caught.value)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can become a user without rights"
)
def test_catalogue_that_may_not_be_written_is_named_with_a_remedy(make):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        lake = Path(folder) / "lake"
        with Store(Settings(lake=lake)) as store:
            store.begin_run(make.new_run())
        os.seteuid(65534)
        try:
            with pytest.raises(CatalogueError, match="give this user the right") as caught:
                Store(Settings(lake=lake))
        finally:
            os.seteuid(0)
        assert str(lake / CATALOGUE_FILE) in str(caught.value)
