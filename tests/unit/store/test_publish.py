"""The published file holds the lake as it was, and nobody is ever locked out of it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import duckdb
import pytest

from workbench.settings import Settings
from workbench.store import NewComparison, Store, maintenance, publish, publish_whole, write_parts
from workbench.store.views import VIEWS
from workbench.tables import RESULTS

HOLD_OPEN = """
import sys, duckdb
file = duckdb.connect(sys.argv[1], read_only=True)
counts = "select (select count(*) from requests), (select count(*) from runs)"
for line in sys.stdin:
    print(file.sql(counts).fetchall(), flush=True)
"""


def read(file, sql):
    with duckdb.connect(file, read_only=True) as opened:
        return opened.sql(sql).fetchall()


def test_published_file_holds_what_the_views_show(store, add_run):
    run_id = add_run("a", scenario="it's größe")
    store.add_comparison(NewComparison("x", "{}", "m", 1, {("random", 0): run_id}, "{}"))
    file = publish(store)
    assert file == store.lake / "workbench.duckdb"
    for view in VIEWS:
        rows = store.query(f"from {view}").num_rows
        assert read(file, f"select count(*) from {view}")[0][0] == rows
        assert (rows > 0) == (view not in RESULTS)  # nothing was reconciled here
    [(total, scenario)] = read(
        file, "select sum(response_us), any_value(scenario) from requests join runs using (run_id)"
    )
    expected = store.query("select sum(response_us)::BIGINT as total from requests").to_pylist()[0]["total"]
    assert (int(total), scenario) == (expected, "it's größe")


def test_empty_lake_is_published_with_every_table(store):
    file = publish(store)
    assert all(read(file, f"select count(*) from {view}") == [(0,)] for view in VIEWS)


def test_runs_without_requests_are_published(store, make):
    run_id = store.begin_run(make.new_run())
    tables = {"samples": make.samples(run_id), "summaries": make.summaries(run_id)}
    parts = write_parts(store.lake, run_id, tables)
    store.finish_run(run_id, make.result(make.requests(run_id)), parts)
    file = publish(store)
    assert read(file, "select (select count(*) from requests), (select count(*) from summaries)") == [(0, 5)]


def test_who_has_the_file_open_keeps_it_while_it_is_published_again(store, add_run):
    add_run("a")
    file = publish(store)
    reader = subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def ask():
        reader.stdin.write("\n")
        reader.stdin.flush()
        return reader.stdout.readline()

    assert ask() == "[(2000, 1)]\n"
    content = file.read_bytes()
    add_run("b")
    with file.open("rb") as opened:
        publish(store)
        assert opened.read() == content
    assert ask() == "[(2000, 1)]\n"
    assert read(file, "select (select count(*) from requests), (select count(*) from runs)") == [(4000, 2)]
    reader.communicate()
    assert reader.returncode == 0


def test_older_state_never_takes_the_place_of_a_newer_one(store, lake, add_run):
    add_run("a")
    with Store(Settings(lake=lake)) as slow:
        version = slow.version
        add_run("b")
        publish(store)
        placed = []
        assert not slow.catalogue.publish(version, lambda: placed.append("older"))
        assert slow.catalogue.publish(slow.version, lambda: placed.append("same"))
    assert placed == ["same"]


def test_publishing_changes_no_version_and_leaves_no_other_file(store, add_run):
    add_run("a")
    version = store.version
    publish(store)
    publish(store)
    assert store.version == version
    names = {path.name for path in store.lake.iterdir() if path.is_file()}
    assert names == {"catalogue.sqlite", "catalogue.sqlite-shm", "catalogue.sqlite-wal", "workbench.duckdb"}


def test_failed_publishing_leaves_the_file_from_before(store, add_run):
    add_run("a")
    file = publish(store)
    add_run("b")
    for part in store.parts("samples"):
        (store.lake / part.path).unlink()
    with pytest.raises(Exception, match="damaged or gone"):
        publish(store)
    assert read(file, "select count(*) from runs") == [(1,)]
    assert not list(store.lake.glob("*.tmp*"))


def everything(file):
    """All rows of all tables, in an order of their own."""
    with duckdb.connect(file, read_only=True) as opened:
        tables = {view: opened.sql(f"from {view}").to_arrow_table() for view in VIEWS}
    return {view: sorted(map(str, table.to_pylist())) for view, table in tables.items()}


def test_extended_file_is_what_a_new_one_would_be(store, add_run, tmp_path):
    for number in range(6):
        add_run(f"run {number}", seed=number, count=200)
        publish(store)
    add_run("run 1", seed=9, count=300)
    store.catalogue.runs.roll_up(1, ["requests"])
    maintenance.compact(store)
    extended = everything(publish(store))
    assert extended == everything(publish(store, anew=True))
    assert len(extended["requests"]) == 4 * 200 + 300


def test_extending_reads_the_new_runs_only(store, add_run):
    for number in range(6):
        add_run(f"run {number}", seed=number, count=200)
    publish(store)
    for name in ("samples", "summaries", "histograms"):
        shutil.rmtree(store.lake / name / "run_id=1")
    add_run("one more", count=200)
    file = publish(store)
    assert read(file, "select count(distinct run_id) from samples") == [(7,)]
    with pytest.raises(Exception, match="damaged or gone"):
        publish(store, anew=True)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_file_that_is_not_ours_is_built_anew(store, add_run, content):
    for number in range(3):
        add_run(f"run {number}", count=200)
    (store.lake / "workbench.duckdb").write_bytes(content)
    assert read(publish(store), "select count(*) from requests") == [(600,)]


def test_whole_file_needs_no_lake(store, add_run, tmp_path):
    add_run("a")
    file = publish_whole(store, tmp_path / "take along.duckdb")
    shutil.rmtree(store.lake / "requests")
    assert read(file, "select count(*), count(distinct outcome) from requests") == [(2000, 3)]


def test_file_that_is_replaced_while_it_is_extended_gives_no_row_twice(
    store, lake, add_run, make, monkeypatch
):
    for number in range(8):
        add_run(f"run {number}", seed=number, count=200)
    publish(store)
    copy = shutil.copyfile

    def overtaken(source, target):
        monkeypatch.setattr(shutil, "copyfile", copy)
        with Store(store.settings) as other:
            make.store_run(other, "of another process", count=200)
            publish(other)
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", overtaken)
    file = publish(store)
    assert read(file, "select count(*), count(distinct run_id) from samples") == [(9 * 200, 9)]
    assert everything(file) == everything(publish(store, anew=True))
