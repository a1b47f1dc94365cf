"""Maintenance changes files and never rows: what was stored is what is read, before and after."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from workbench.errors import DiskFullError, InputError, NotFoundError, PartError, SchemaVersionError
from workbench.settings import Settings
from workbench.simulate.histograms import histograms
from workbench.store import NewComparison, Store, maintenance, queries, write_parts
from workbench.tables import SCHEMA_VERSION, SCHEMAS

TOTALS = """
    select 'requests' as of, run_id, count(*) as n, sum(response_us)::BIGINT as total
        from requests group by run_id
    union all select 'samples', run_id, count(*), sum(ts_us)::BIGINT from samples group by run_id
    union all select 'histograms', run_id, count(*), sum(n * bin)::BIGINT from histograms group by run_id
    union all select 'summaries', run_id, count(*), sum(requests)::BIGINT from summaries group by run_id
    order by of, run_id
"""
COUNTS = "select run_id, count(*) as n from requests group by run_id order by run_id"


def totals(store):
    return store.query(TOTALS).to_pylist()


def now():
    return datetime.now(UTC)


def make_histograms(requests, run):
    return histograms(requests, measured_us=(run.warm_up_us, run.end_us), run_id=run.run_id)


def age(lake, seconds=7200):
    """Let every file look as if it had been written some time ago."""
    for path in lake.rglob("*"):
        os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def runs(add_run):
    return [add_run(f"run {number}", seed=number, count=1000 + number) for number in range(5)]


def test_compaction_leaves_one_file_a_table_and_every_row(store, runs):
    before = totals(store)
    exact = queries.latency(store, run_id=runs[2])
    done = maintenance.compact(store)
    assert [(one.files, one.into) for one in done] == [(5, 1)] * len(SCHEMAS)
    assert len(store.catalogue.parts.files()) == len(SCHEMAS)
    assert totals(store) == before
    assert queries.latency(store, run_id=runs[2]) == exact
    assert maintenance.verify(store) == [
        finding for finding in maintenance.verify(store) if finding.kind == "superseded"
    ]
    again = maintenance.compact(store)
    assert all(one.files == 0 for one in again)


def test_compaction_fills_files_up_to_the_target_and_leaves_large_ones(store, runs):
    sizes = [part.bytes for part in store.parts("requests")]
    maintenance.compact(store, target=3 * max(sizes))
    assert sorted(file.runs for file in store.catalogue.parts.files() if file.table == "requests") == [2, 3]
    other = maintenance.compact(store, small=1)
    assert all(one.files == 0 for one in other)


def test_run_that_is_written_anew_after_compaction_counts_once(store, runs, add_run, make):
    maintenance.compact(store)
    assert add_run("run 2", seed=2, count=1500) == runs[2]
    rows = store.query(
        "select run_id, count(*) as n from requests group by run_id order by run_id"
    ).to_pylist()
    assert [row["n"] for row in rows] == [1000, 1001, 1500, 1003, 1004]
    before = totals(store)
    maintenance.compact(store)
    assert totals(store) == before
    assert all(file.runs == 5 for file in store.catalogue.parts.files())


def test_run_that_changes_during_compaction_wins(store, runs, add_run, monkeypatch):
    original = store.replace_parts

    def slow(old, new, **more):
        if new[0].table == "requests":
            add_run("run 1", seed=1, count=1234)
        return original(old, new, **more)

    monkeypatch.setattr(store, "replace_parts", slow)
    maintenance.compact(store)
    rows = store.query(
        "select run_id, count(*) as n from requests group by run_id order by run_id"
    ).to_pylist()
    assert [row["n"] for row in rows] == [1000, 1234, 1002, 1003, 1004]


def test_reader_that_began_before_compaction_still_finds_its_files_until_they_are_collected(store, runs):
    relation = store.relation_sql("requests", run_ids=runs)
    maintenance.compact(store)
    assert maintenance.collect(store, now=now(), grace_s=3600) == []
    count = f"select count(*)::INTEGER as n from {relation}"
    assert store.query(count, views=()).to_pylist() == [{"n": 5010}]
    gone = maintenance.collect(store, now=now() + timedelta(seconds=3601), grace_s=3600)
    assert len(gone) == 5 * len(SCHEMAS)
    with pytest.raises(PartError):
        store.query(count, views=())
    assert store.query("select count(*)::INTEGER as n from requests").to_pylist() == [{"n": 5010}]
    assert maintenance.verify(store) == []


def test_compaction_stops_at_a_damaged_file_and_loses_nothing(store, runs):
    [part] = store.parts("samples", [runs[0]])
    file = store.lake / part.path
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(PartError, match="is not what was written; workbench store verify"):
        maintenance.compact(store)
    assert part in store.parts("samples")


def test_leftovers_of_killed_writers_are_collected_and_nothing_else(store, runs, make):
    before = totals(store)
    folder = store.lake / "requests" / "run_id=99"
    folder.mkdir()
    (folder / "0123.tmp").write_bytes(b"half")
    write_parts(store.lake, 98, {"requests": make.requests(98)})
    (store.lake / f"{'a1' * 16}.tmp").write_bytes(b"half a published file")
    (store.lake / "tmp" / "spill").mkdir()
    (store.lake / "notes.tmpl").write_text("mine")
    assert maintenance.collect(store, now=now(), grace_s=3600) == []
    age(store.lake)
    dry = maintenance.collect(store, now=now(), grace_s=3600, dry=True)
    gone = maintenance.collect(store, now=now(), grace_s=3600)
    assert sorted(one.path for one in dry) == sorted(one.path for one in gone)
    assert {one.reason for one in gone} == {
        "left by a killed writer",
        "listed by no run",
        "left by a killed process",
    }
    assert len(gone) == 4
    assert (store.lake / "notes.tmpl").exists()
    assert not folder.exists()
    assert totals(store) == before


def test_what_is_listed_again_is_not_collected(store, add_run):
    add_run("a", seed=1)
    add_run("a", seed=2)
    # Samples, requests, attempts and histograms of seed 1.
    assert len(store.catalogue.parts.garbage()) == 4
    add_run("a", seed=1)
    live = {file.path for file in store.catalogue.parts.files()}
    assert not live & {item.path for item in store.catalogue.parts.garbage()}
    before = totals(store)
    maintenance.collect(store, now=now() + timedelta(days=1), grace_s=0)
    assert totals(store) == before
    # What a writer has listed since the collector looked is left by the collector's transaction.
    assert store.catalogue.parts.collect(live, store.files.remove) == []
    assert totals(store) == before


def test_requests_go_with_age_and_what_was_computed_from_them_stays(store, runs):
    before = queries.latency(store, run_id=runs[0])
    prepared = []
    done = maintenance.roll_up(
        store, now=now() + timedelta(days=31), age_s=30 * 86400, size=None, prepare=prepared.append
    )
    assert [one.run_id for one in done] == runs
    assert (prepared, store.parts("requests")) == ([], [])
    after = queries.latency(store, run_id=runs[0])
    assert (after.exact, after.requests) == (False, before.requests)
    assert after.response.p99_s == pytest.approx(before.response.p99_s, rel=0.0099)
    assert store.find_run("run 0") is None  # asked for all requests again, it is simulated again
    with Store(store.settings.model_copy(update={"records": 0.0})) as modest:
        assert modest.find_run("run 0") is not None


def test_the_oldest_requests_go_first_where_the_lake_is_too_large(store, runs):
    total = sum(file.bytes for file in store.catalogue.parts.files())
    [first, second] = [
        one.bytes + other.bytes
        for one, other in list(zip(store.parts("requests"), store.parts("attempts"), strict=True))[:2]
    ]
    size = total - first - second // 2
    dry = maintenance.roll_up(store, now=now(), age_s=None, size=size, prepare=lambda run: None, dry=True)
    assert [(one.run_id, one.reason) for one in dry] == [(runs[0], "size"), (runs[1], "size")]
    assert len(store.parts("requests")) == 5
    maintenance.roll_up(store, now=now(), age_s=None, size=size, prepare=lambda run: None)
    assert [part.run_id for part in store.parts("requests")] == runs[2:]


DAMAGES = {
    "missing": lambda file: file.unlink(),
    "damaged": lambda file: file.write_bytes(file.read_bytes()[:-1] + b"?"),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:50]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_verify_names_what_is_wrong_with_a_file_and_how_it_is_mended(store, runs, damage):
    assert maintenance.verify(store) == []
    [part] = store.parts("samples", [runs[1]])
    DAMAGES[damage](store.lake / part.path)
    [finding] = maintenance.verify(store)
    assert (finding.path, finding.serious) == (part.path, True)
    assert finding.kind == ("missing" if damage == "missing" else "damaged")
    assert f"simulate run {runs[1]} again" in finding.remedy
    quick = maintenance.verify(store, content=False)
    assert len(quick) == (0 if damage == "damaged" else 1)


def test_verify_finds_what_nobody_lists(store, runs, make):
    write_parts(store.lake, 98, {"requests": make.requests(98)})
    (store.lake / "samples" / "notes.txt").write_text("mine")
    found = maintenance.verify(store)
    assert [(one.kind, one.serious) for one in found] == [("extra", False), ("extra", False)]
    assert "gc" in found[0].remedy
    assert "move it" in found[1].remedy


def test_verify_counts_requests(store, runs):
    store.catalogue._connection._sqlite.execute("update runs set requests = 7 where run_id = ?", (runs[0],))
    found = maintenance.verify(store)
    assert [(one.kind, one.path) for one in found] == [("counts", f"run {runs[0]}")] * 2
    assert "it had 7" in found[0].detail


def test_runs_come_over_to_another_lake_with_their_comparisons(store, runs, tmp_path):
    maintenance.compact(store)
    members = {("random", 0): runs[0], ("random", 1): runs[1]}
    store.add_comparison(NewComparison("both", "{}", "m", 2, members, "{}"))
    store.add_comparison(NewComparison("other", "{}", "m", 1, {("random", 0): runs[4]}, "{}"))
    file = tmp_path / "größe 'x'.zip"
    exported = maintenance.export_runs(store, file, run_ids=runs[:2])
    assert [one.run_id for one in exported] == runs[:2]
    with Store(Settings(lake=tmp_path / "other")) as other:
        other.fail_run(other.begin_run(store.run(runs[4])), "so that numbers differ")
        done = maintenance.import_runs(other, file)
        assert [(one.run_id, one.was, one.state) for one in done] == [(2, 1, "imported"), (3, 2, "imported")]
        assert [run.key for run in other.runs(state="complete")] == ["run 1", "run 0"]
        moved = {1: 2, 2: 3}
        expected = [row | {"run_id": moved[row["run_id"]]} for row in totals(store) if row["run_id"] in moved]
        assert totals(other) == sorted(expected, key=lambda row: (row["of"], row["run_id"]))
        assert [comparison.name for comparison in other.comparisons()] == ["both"]
        assert dict(other.comparisons()[0].run_ids) == {("random", 0): 2, ("random", 1): 3}
        again = maintenance.import_runs(other, file)
        assert {one.state for one in again} == {"there already"}
        assert len(other.comparisons()) == 1


def altered(file, change):
    """Write an exported file again with its manifest or members changed."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest, members)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


CHANGES = {
    "another format": (lambda m, f: m.update(format="tar"), "format: given 'tar'"),
    "no runs": (lambda m, f: m.pop("runs"), "runs"),
    "content": (lambda m, f: f.update({"runs/1/requests.parquet": b"PAR1"}), "given another content"),
    "a table": (lambda m, f: m["runs"][0]["tables"].update(x=m["runs"][0]["tables"]["samples"]), "given 'x'"),
    "a path": (lambda m, f: m["runs"][0]["tables"]["samples"].update(file="../../etc/passwd"), "is damaged"),
    "a key": (lambda m, f: m["runs"][0]["new"].update(seed="many"), "seed"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_file_that_is_no_sound_export_is_refused(store, runs, tmp_path, change):
    file = tmp_path / "runs.zip"
    maintenance.export_runs(store, file, run_ids=runs[:1])
    act, said = CHANGES[change]
    altered(file, act)
    with Store(Settings(lake=tmp_path / "other")) as other:
        with pytest.raises(InputError, match=said):
            maintenance.import_runs(other, file)
        assert other.runs(state="complete") == []


def test_newer_export_and_what_is_no_export_are_refused(store, runs, tmp_path):
    file = tmp_path / "runs.zip"
    maintenance.export_runs(store, file, run_ids=runs[:1])
    altered(file, lambda manifest, members: manifest.update(schema_version=SCHEMA_VERSION + 5))
    with pytest.raises(SchemaVersionError, match=f"schema version {SCHEMA_VERSION + 5}; .* {SCHEMA_VERSION}"):
        maintenance.import_runs(store, file)
    file.write_bytes(b"no zip")
    with pytest.raises(InputError, match="is no export"):
        maintenance.import_runs(store, file)
    with pytest.raises(InputError, match="does not exist"):
        maintenance.import_runs(store, tmp_path / "nothing.zip")
    with pytest.raises(NotFoundError, match="no run 99"):
        maintenance.export_runs(store, file, run_ids=[99])


def test_what_does_not_fit_is_not_begun(store, monkeypatch):
    usage = shutil.disk_usage(store.lake)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type(usage)(100_000_000, 0, 30_000_000))
    maintenance.room_for_requests(store, requests=2_000_000)
    with pytest.raises(DiskFullError, match=r"4,000,000 requests needs about 40\.1 MB, 28\.0 MB may be used"):
        maintenance.room_for_requests(store, requests=4_000_000)
    with Store(store.settings.model_copy(update={"records": 0.1})) as modest:
        maintenance.room_for_requests(modest, requests=4_000_000)


def test_inventory_counts_what_is_there(store, runs):
    found = {one.table: one for one in maintenance.take_inventory(store).tables}
    assert (found["requests"].rows, found["requests"].runs, found["requests"].files) == (5010, 5, 5)
    maintenance.compact(store)
    found = maintenance.take_inventory(store)
    assert found.garbage_files == 5 * len(SCHEMAS)
    assert found.states == {"complete": 5}


def test_tuning_proposes_the_least_that_is_nearly_the_fastest(store, runs):
    ticks = iter(range(100_000))
    trials = maintenance.tune(store, rounds=1, clock=lambda: float(next(ticks)))
    assert [trial.proposed for trial in trials] == [True] + [False] * (len(trials) - 1)
    with Store(Settings(lake=store.lake.with_name("empty"))) as empty, pytest.raises(NotFoundError):
        maintenance.tune(empty)
