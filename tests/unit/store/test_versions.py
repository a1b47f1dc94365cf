"""A lake of every earlier version opens and migrates; one of a later version is refused by its number.

Each was written by the workbench of its time, version 1 before there were histograms, version 2 before
samples told of the oldest: two strategies over 1,500 requests, two replications each.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import SchemaVersionError, StoreError
from workbench.settings import Settings
from workbench.simulate.histograms import histograms
from workbench.store import Store, maintenance, publish, queries
from workbench.store.catalogue import CATALOGUE_VERSION
from workbench.store.store import CATALOGUE_FILE
from workbench.tables import SCHEMA_VERSION, SCHEMAS

LAKES = Path(__file__).parent / "lakes"
KNOWN = {
    1: ["requests", "samples", "summaries"],
    2: ["histograms", "requests", "samples", "summaries"],
}


@pytest.fixture(params=range(1, SCHEMA_VERSION))
def old(request, tmp_path):
    """A copy of the lake of an earlier version, and the version."""
    shutil.copytree(LAKES / f"version_{request.param}", tmp_path / "lake")
    return tmp_path / "lake", request.param


def make_histograms(requests, run):
    return histograms(requests, measured_us=(run.warm_up_us, run.end_us), run_id=run.run_id)


def sums(store):
    sql = """select run_id, count(*) as n, sum(arrival_us)::BIGINT as a, sum(response_us)::BIGINT as r,
        count(server_id) as s, count(*) filter (where outcome = 'refused') as refused
        from requests group by run_id order by run_id"""
    return store.query(sql).to_pylist()


def test_there_is_a_lake_of_every_earlier_version():
    assert sorted(path.name for path in LAKES.iterdir()) == [f"version_{n}" for n in range(1, SCHEMA_VERSION)]


def test_old_lake_is_read_with_every_column_of_today(old):
    lake, _ = old
    with Store(Settings(lake=lake)) as store:
        assert [run.state for run in store.runs()] == ["complete"] * 4
        assert [row["n"] for row in sums(store)] == [1500] * 4
        for part in store.parts("requests"):
            file = pq.read_table(lake / part.path, partitioning=None)
            [row] = [row for row in sums(store) if row["run_id"] == part.run_id]
            assert row["r"] == sum(file["response_us"].to_pylist())
        for name in SCHEMAS:
            columns = store.query(f"select * from {name} limit 0").column_names
            assert set(SCHEMAS[name].names) <= set(columns)
        assert queries.latency(store, run_id=1).exact
        assert len(store.comparisons()) == 1
        publish(store)


def test_old_lake_migrates_and_nothing_is_lost(old):
    lake, version = old
    with Store(Settings(lake=lake)) as store:
        before, exact = sums(store), queries.latency(store, run_id=3)
        kinds = {finding.kind for finding in maintenance.verify(store)}
        assert kinds == {"old schema"}
        done = maintenance.migrate(store, histograms=make_histograms)
        assert [one.run_id for one in done] == [1, 2, 3, 4]
        assert done[0].rewritten == tuple(KNOWN[version])
        assert done[0].added == (("histograms",) if version == 1 else ())
        assert {part.schema_version for part in store.parts()} == {SCHEMA_VERSION}
        assert sums(store) == before
        assert queries.latency(store, run_id=3) == exact
        counted = store.query(
            "select run_id, sum(n)::BIGINT as n from histograms "
            "where server_id is null and timing = 'response' group by run_id order by run_id"
        )
        assert counted["n"].to_pylist() == [1500] * 4
        assert {finding.kind for finding in maintenance.verify(store)} == {"superseded"}
        assert maintenance.migrate(store, histograms=make_histograms) == []


@pytest.mark.parametrize("old", [1], indirect=True)
def test_migration_that_was_killed_goes_on_where_it_was(old):
    lake, _ = old

    def fails_at_three(requests, run):
        if run.run_id == 3:
            raise KeyboardInterrupt
        return make_histograms(requests, run)

    with Store(Settings(lake=lake)) as store:
        before = sums(store)
        with pytest.raises(KeyboardInterrupt):
            maintenance.migrate(store, histograms=fails_at_three)
        assert sums(store) == before
        assert [one.run_id for one in maintenance.migrate(store, histograms=make_histograms)] == [3, 4]


def test_old_files_wait_for_their_migration_before_they_are_compacted(old):
    with Store(Settings(lake=old[0])) as store:
        skipped = [(one.files, one.skipped) for one in maintenance.compact(store) if one.skipped]
        assert skipped == [(0, 4)] * len(KNOWN[old[1]])


def test_requests_of_an_old_run_are_let_go_only_after_their_histograms_are_made(old):
    with Store(Settings(lake=old[0])) as store:
        exact = queries.latency(store, run_id=1)
        maintenance.roll_up(
            store,
            now=store.run(1).started.replace(year=2100),
            age_s=1.0,
            size=None,
            prepare=lambda run: maintenance.add_histograms(store, run, make_histograms),
        )
        after = queries.latency(store, run_id=1)
        assert (after.exact, after.requests) == (False, exact.requests)


def test_catalogue_of_a_later_version_is_refused_with_both_versions(tmp_path):
    with Store(Settings(lake=tmp_path)):
        pass
    with sqlite3.connect(tmp_path / CATALOGUE_FILE) as sqlite:
        sqlite.execute(f"pragma user_version = {CATALOGUE_VERSION + 3}")
    sqlite.close()
    with pytest.raises(
        SchemaVersionError, match=f"version {CATALOGUE_VERSION + 3}; .* version {CATALOGUE_VERSION}"
    ):
        Store(Settings(lake=tmp_path))


def test_part_of_a_later_version_is_refused_with_both_versions(store, add_run):
    add_run("a")
    store.catalogue._connection._sqlite.execute(f"update files set schema_version = {SCHEMA_VERSION + 7}")
    with Store(store.settings) as opened, pytest.raises(SchemaVersionError, match=f"{SCHEMA_VERSION + 7}"):
        opened.query("select * from requests")


@pytest.mark.parametrize("before", ["", "7"])
def test_column_that_came_later_is_what_the_schema_says_of_rows_from_before(old, monkeypatch, before):
    field = pa.field("retries", pa.int16(), nullable=False, metadata={"before": before} if before else {})
    monkeypatch.setitem(SCHEMAS, "requests", SCHEMAS["requests"].append(field))
    with Store(Settings(lake=old[0])) as store:
        if not before:
            with pytest.raises(
                StoreError, match=r"run 1: requests\.retries is missing in rows of an earlier"
            ):
                store.read_table("requests", run_id=1)
            return
        assert set(store.read_table("requests", run_id=1)["retries"].to_pylist()) == {7}
        maintenance.migrate(store, histograms=make_histograms)
        found = store.query("select distinct retries, count(*) as n from requests group by retries")
        assert found.to_pylist() == [{"retries": 7, "n": 6000}]
