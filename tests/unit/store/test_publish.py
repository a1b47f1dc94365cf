"""The published file holds the lake as it was, and nobody is ever locked out of it."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from workbench.settings import Settings
from workbench.store import NewComparison, Store, publish, write_parts
from workbench.store.views import VIEWS

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
        assert read(file, f"select count(*) from {view}")[0][0] == store.query(f"from {view}").num_rows > 0
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
