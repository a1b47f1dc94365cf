"""The catalogue keeps runs and comparisons, and says what is wrong with its file."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from workbench.errors import CatalogueError, NotFoundError, SchemaVersionError, StoreError
from workbench.settings import Settings
from workbench.store import NewComparison, RunResult, Store, write_parts
from workbench.store.catalogue import CATALOGUE_VERSION, connection
from workbench.store.catalogue.connection import Connection
from workbench.store.store import CATALOGUE_FILE
from workbench.tables import SCHEMAS

ODD_NAMES = ["O'Brien; drop table runs --", "größe/测试 🙂", '"quoted" $name %s ?', "", " \t\n"]


def test_run_goes_from_running_to_complete(store, make, add_run):
    run_id = store.begin_run(make.new_run("a", strategy="power_of_two(choices=3)", seed=2**63 - 1))
    running = store.run(run_id)
    assert (running.state, running.finished, running.requests) == ("running", None, None)
    assert store.find_run("a") is None
    assert add_run("a", strategy="power_of_two(choices=3)", seed=1) == run_id
    complete = store.find_run("a")
    assert complete == store.run(run_id)
    assert (complete.state, complete.strategy, complete.requests) == (
        "complete",
        "power_of_two(choices=3)",
        2000,
    )
    assert complete.started <= complete.finished
    assert complete.started.tzinfo is not None


def test_times_come_from_the_clock(lake, make):
    now = datetime(2026, 2, 3, 4, 5, 6, 789, UTC)
    with Store(Settings(lake=lake), clock=lambda: now) as store:
        run_id = store.begin_run(make.new_run())
        now += timedelta(minutes=1)
        store.fail_run(run_id, "no server named")
        run = store.run(run_id)
    assert (run.started, run.finished) == (now - timedelta(minutes=1), now)
    assert (run.state, run.reason) == ("failed", "no server named")


def test_run_that_failed_is_taken_over_under_its_number(store, make):
    first = store.begin_run(make.new_run("a"))
    other = store.begin_run(make.new_run("b"))
    store.fail_run(first, "disk full")
    assert store.begin_run(make.new_run("a")) == first != other
    assert (store.run(first).state, store.run(first).reason, store.run(first).finished) == (
        "running",
        None,
        None,
    )


def test_complete_run_stays_complete_when_it_is_begun_or_fails_again(store, make, add_run):
    run_id = add_run("a")
    parts = store.parts()
    assert store.begin_run(make.new_run("a")) == run_id
    store.fail_run(run_id, "too late")
    assert store.run(run_id).state == "complete"
    assert store.parts() == parts


def test_finishing_twice_lists_the_parts_once(store, make, add_run):
    run_id = add_run("a")
    parts = store.parts()
    assert len(parts) == len(SCHEMAS)
    add_run("a")
    assert store.parts(run_ids=[run_id]) == parts


def test_part_that_is_not_there_is_not_listed(store, make):
    run_id = store.begin_run(make.new_run())
    requests = make.requests(run_id)
    [part] = write_parts(store.lake, run_id, {"requests": requests})
    (store.lake / part.path).write_bytes(b"half")
    with pytest.raises(StoreError, match="not there in full"):
        store.finish_run(run_id, make.result(requests), [part])
    assert (store.parts(), store.run(run_id).state) == ([], "running")


def test_part_of_another_run_is_not_listed(store, make):
    run_id = store.begin_run(make.new_run())
    parts = write_parts(store.lake, 99, {"requests": make.requests(99)})
    with pytest.raises(StoreError, match="belongs to run 99"):
        store.finish_run(run_id, make.result(make.requests(99)), parts)


def test_runs_are_listed_newest_first_and_chosen(store, make, add_run):
    a, b = add_run("a"), add_run("b", scenario="batch")
    c = store.begin_run(make.new_run("c"))
    store.fail_run(c, "why not")
    d = store.begin_run(make.new_run("d"))
    assert [run.run_id for run in store.runs()] == [d, c, b, a]
    assert [run.run_id for run in store.runs(limit=2)] == [d, c]
    assert [run.run_id for run in store.runs(scenario="web", state="complete")] == [a]
    assert [run.run_id for run in store.runs(state="running", limit=5)] == [d]
    assert store.runs(limit=0) == store.runs(state="running", limit=0) == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_come_back_unchanged_and_choose_only_themselves(store, add_run, name):
    add_run("plain")
    run_id = add_run(name, scenario=name, strategy=name, scenario_json=name)
    assert [(run.run_id, run.scenario, run.strategy) for run in store.runs(scenario=name)] == [
        (run_id, name, name)
    ]
    found = store.query("select key, scenario_json from runs where scenario = $name", {"name": name})
    assert found.to_pylist() == [{"key": name, "scenario_json": name}]
    assert len(store.runs()) == 2


def test_what_does_not_exist_is_said_with_where_to_look(store):
    with pytest.raises(NotFoundError, match="no run 5; `workbench runs` lists"):
        store.run(5)
    with pytest.raises(NotFoundError, match="no comparison 5"):
        store.comparison(5)
    with pytest.raises(NotFoundError, match="no run 5"):
        store.finish_run(5, RunResult(0, 0, 0, 0, 0.0), [])


def test_comparison_comes_back_with_its_runs_in_order(store, add_run):
    run_ids = {("zeta", 0): add_run("a"), ("alpha", 0): add_run("b"), ("alpha", 1): add_run("c")}
    new = NewComparison("it's", "{}", "response_p99_s", 2, run_ids, '{"best": "alpha"}')
    comparison_id = store.add_comparison(new)
    found = store.comparison(comparison_id)
    assert [(*member, run_id) for member, run_id in found.run_ids.items()] == [
        (*member, run_id) for member, run_id in run_ids.items()
    ]
    assert (found.name, found.metric, found.result_json) == ("it's", "response_p99_s", '{"best": "alpha"}')
    assert store.comparisons() == [found]


def test_comparison_of_runs_that_do_not_exist_is_not_stored(store, add_run):
    run_ids = {("a", 0): add_run("a"), ("b", 0): 77}
    with pytest.raises(NotFoundError, match="77"):
        store.add_comparison(NewComparison("x", "{}", "m", 1, run_ids, "{}"))
    assert store.comparisons() == []


def test_version_rises_with_each_commit_of_any_process_and_only_then(store, lake, make):
    with Store(Settings(lake=lake)) as other:
        seen = [store.version, store.version]
        other.begin_run(make.new_run("a"))
        seen += [store.version, other.version]
        store.begin_run(make.new_run("b"))
        seen += [store.version, other.version]
    assert seen == [0, 0, 1, 1, 2, 2]


def test_newer_catalogue_is_refused_with_both_versions(store, lake):
    store.close()
    sqlite = sqlite3.connect(lake / CATALOGUE_FILE)
    sqlite.execute(f"pragma user_version = {CATALOGUE_VERSION + 41}")
    sqlite.close()
    with pytest.raises(SchemaVersionError) as caught:
        Store(Settings(lake=lake))
    assert f"version {CATALOGUE_VERSION + 41};" in str(caught.value)
    assert f"up to version {CATALOGUE_VERSION}." in str(caught.value)


def test_migration_that_fails_leaves_the_catalogue_as_it_was(lake, monkeypatch):
    broken = ((*connection.MIGRATIONS[0], "create table broken ("),)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "MIGRATIONS", broken)
        with pytest.raises(CatalogueError):
            Store(Settings(lake=lake))
    with Store(Settings(lake=lake)) as store:
        assert store.runs() == []


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\x07" * 5000])
def test_corrupt_catalogue_is_named_with_a_remedy(lake, content):
    lake.mkdir()
    (lake / CATALOGUE_FILE).write_bytes(content)
    with pytest.raises(CatalogueError, match="corrupt") as caught:
        Store(Settings(lake=lake))
    assert str(lake / CATALOGUE_FILE) in str(caught.value)
    assert "Move it away" in str(caught.value)


def test_catalogue_that_became_corrupt_is_named(store, lake, make):
    for number in range(5):
        store.begin_run(make.new_run(str(number), scenario_json="x" * 10_000))
    store.close()
    file = lake / CATALOGUE_FILE
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))
    with pytest.raises(CatalogueError, match="corrupt"), Store(Settings(lake=lake)) as opened:
        opened.runs()


def test_locked_catalogue_is_named_after_the_wait(store, lake, make):
    locker = sqlite3.connect(lake / CATALOGUE_FILE, isolation_level=None)
    locker.execute("begin immediate")
    opened = Connection(lake / CATALOGUE_FILE, busy_s=0.1)
    with pytest.raises(CatalogueError, match="locked by another process"), opened.changing():
        pass
    assert opened.version == 0
    locker.execute("rollback")
    with opened.changing():
        pass
    assert opened.version == 1
    opened.close()
    locker.close()


def test_failing_transaction_leaves_nothing(store, lake):
    opened = Connection(lake / CATALOGUE_FILE)
    with pytest.raises(ZeroDivisionError), opened.changing():
        _ = 1 / 0
    assert (opened.version, store.version) == (0, 0)
    opened.close()


def test_closed_store_says_so(store):
    store.close()
    store.close()
    with pytest.raises(CatalogueError, match="closed"):
        store.runs()
    with pytest.raises(StoreError, match="closed"):
        store.query("select 1", views=())
