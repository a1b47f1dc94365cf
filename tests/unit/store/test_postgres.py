"""Postgres as the catalogue: Debian's server on loopback, many processes that commit."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from workbench.errors import CatalogueError, ConflictError, NotFoundError, SchemaVersionError
from workbench.settings import Settings
from workbench.store import (
    CommandResult,
    NewCommand,
    NewComparison,
    RunResult,
    Snapshot,
    Store,
    maintenance,
    publish,
    queries,
    read_only,
)
from workbench.store.catalogue import CATALOGUE_VERSION
from workbench.store.catalogue.postgres import PostgresConnection
from workbench.tables import SCHEMAS

PROGRAMS = Path(__file__).parent / "programs"
TOTALS = "select run_id, count(*) as n, sum(response_us)::BIGINT as total from requests group by run_id"


def programs_folder(program, give_up):
    """Where Debian keeps the server's programs, which are in nobody's PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return folders[-1] if folders else Path(program("initdb")).parent


@pytest.fixture(scope="module")
def server(program, give_up):
    """A server of its own on a free port, as a user that may run one."""
    binaries = programs_folder(program, give_up)
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="workbench-postgres-"))
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "workbench", "--no-sync"]
    made = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    serving = [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", folder]
    log = (folder / "log").open("w")
    process = subprocess.Popen(serving, user=user, cwd=folder, stdout=log, stderr=log)
    address = f"postgresql://workbench@127.0.0.1:{port}"
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"{address}/postgres").close()
            break
        except psycopg.OperationalError:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(timeout=60)
    log.close()
    shutil.rmtree(folder)


@pytest.fixture
def address(server, request):
    """An empty database of its own."""
    name = f"lake_{abs(hash(request.node.name)) % 10**9}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}"')
        connection.execute(f'create database "{name}"')
    return f"{server}/{name}"


@pytest.fixture
def far(address, tmp_path):
    with Store(Settings(lake=tmp_path / "lake", catalogue=address)) as store:
        yield store


def test_runs_and_comparisons_live_as_they_do_in_sqlite(far, make):
    first = make.store_run(far, "a", scenario="it's größe %s ?", seed=2**63 - 1 - 2**62)
    failed = far.begin_run(make.new_run("b"))
    far.fail_run(failed, "why: not?")
    assert [(run.run_id, run.state) for run in far.runs()] == [(failed, "failed"), (first, "complete")]
    assert far.runs(scenario="it's größe %s ?", limit=1)[0].run_id == first
    assert far.find_run("a").requests == 2000
    assert far.run(failed).reason == "why: not?"
    assert make.store_run(far, "a", seed=7) == first
    assert far.begin_run(make.new_run("b")) == failed
    assert len(far.parts(run_ids=[first])) == len(SCHEMAS)
    assert far.parts(run_ids=[]) == []
    members = {("zeta", 0): first, ("alpha", 0): first}
    number = far.add_comparison(NewComparison("x", "{}", "m", 1, members, "{}"))
    assert list(far.comparison(number).run_ids.items()) == list(members.items())
    with pytest.raises(NotFoundError, match="77"):
        far.add_comparison(NewComparison("x", "{}", "m", 1, {("a", 0): 77}, "{}"))
    with pytest.raises(NotFoundError, match="no run 5"):
        far.finish_run(5, RunResult(0, 0, 0, 0, 0.0), [])
    assert not (far.lake / "catalogue.sqlite").exists()


def test_live_runs_and_their_journal_live_as_they_do_in_sqlite(far, make):
    lives, run_id = far.catalogue.lives, far.begin_run(make.new_run("live"))
    lives.begin(run_id, speed=None, sample_us=1000, until_us=None)
    first = lives.send(run_id, NewCommand("rate 2", "ann", "why: not?", forced=True))
    second = lives.send(run_id, NewCommand("pause", "bob"))
    done = [CommandResult(first, True, 5000, "rate 1 -> 2"), CommandResult(second, False, 5000, "no")]
    snapshot = Snapshot(5000, 7, 6, 0.0, paused=True, speed=2.5)
    far.commit_live(run_id, snapshot, results=done)
    (live,) = lives.listed()
    assert (live.state, live.at_us, live.requests, live.speed, live.commands) == ("paused", 5000, 7, 2.5, 2)
    assert [one.command_id for one in lives.commands(run_id, state="applied")] == [first]
    one, other = lives.commands(run_id)
    assert (one.reason, one.forced, one.at_us, one.state) == ("why: not?", True, 5000, "applied")
    assert (other.author, other.state, other.result) == ("bob", "refused", "no")
    with pytest.raises(ConflictError, match="paused; allowed: one that crashed"):
        lives.take_over(run_id)
    lives.send(run_id, NewCommand("stop", "ann"))
    far.fail_run(run_id, "enough")
    lives.refuse_waiting(run_id)
    assert lives.commands(run_id, state="waiting") == []
    assert lives.one(run_id).state == "failed"
    with pytest.raises(NotFoundError, match="no live run 99"):
        lives.send(99, NewCommand("stop", "ann"))


def test_all_that_reads_and_maintains_works(far, make):
    runs = [make.store_run(far, f"run {number}", seed=number, count=1000) for number in range(3)]
    before = far.query(TOTALS).to_pylist()
    exact = queries.latency(far, run_id=runs[0])
    maintenance.room_for_requests(far, requests=1000)
    assert sum(one.files for one in maintenance.compact(far)) == 3 * len(SCHEMAS)
    assert sorted(map(str, far.query(TOTALS).to_pylist())) == sorted(map(str, before))
    assert queries.latency(far, run_id=runs[0]) == exact
    gone = maintenance.collect(far, now=datetime.now(UTC) + timedelta(hours=2), grace_s=3600)
    assert len(gone) == 3 * len(SCHEMAS)
    assert maintenance.verify(far) == []
    assert read_only(far, "select count(*)::INTEGER as n from runs").to_pylist() == [{"n": 3}]
    maintenance.roll_up(far, now=datetime.now(UTC), age_s=None, size=0, prepare=lambda run: None)
    assert far.parts("requests") == []
    assert maintenance.take_inventory(far).states == {"complete": 3}
    publish(far)


def test_version_rises_with_each_commit_of_any_process_and_only_then(far, address, make):
    with Store(far.settings) as other:
        seen = [far.version, far.version]
        other.begin_run(make.new_run("a"))
        seen += [far.version, other.version]
    assert seen == [0, 0, 1, 1]


def test_a_failed_transaction_leaves_nothing(far, address):
    opened = PostgresConnection(address)
    with pytest.raises(ZeroDivisionError), opened.changing():
        _ = 1 / 0
    assert (opened.version, far.version) == (0, 0)
    opened.close()


def test_newer_tables_are_refused_with_both_versions(far, address):
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("insert into catalogue_version values (%s)", (CATALOGUE_VERSION + 4,))
    with pytest.raises(SchemaVersionError, match=f"version {CATALOGUE_VERSION + 4}; .* {CATALOGUE_VERSION}"):
        Store(far.settings)


def test_server_that_is_away_or_locked_is_named_without_the_password(far, address, tmp_path):
    away = "postgresql://user:secret@127.0.0.1:1/lake"
    with pytest.raises(CatalogueError, match=r"postgresql://user@127.0.0.1:1/lake cannot be used") as caught:
        Store(Settings(lake=tmp_path / "other", catalogue=away))
    assert "secret" not in str(caught.value)
    with psycopg.connect(address) as locker:
        locker.execute("lock table manifest in access exclusive mode")
        opened = PostgresConnection(address, busy_s=0.2)
        with pytest.raises(CatalogueError, match="locked by another process"), opened.changing():
            pass
        opened.close()


def start(program, lake, address, *arguments):
    process = subprocess.Popen(
        [sys.executable, PROGRAMS / f"{program}.py", lake, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"WORKBENCH_CATALOGUE": address},
    )
    assert process.stdout.readline() == "ready\n"
    if program == "writer":
        process.stdin.write("go\n")
        process.stdin.flush()
    return process


def test_processes_that_write_read_compact_and_are_killed_lose_nothing(address, tmp_path):
    lake = tmp_path / "lake"
    Store(Settings(lake=lake, catalogue=address)).close()
    reader, compactor = start("reader", lake, address), start("compactor", lake, address, "10")
    stored = set()
    for turn in range(3):
        writers = [start("writer", lake, address, f"{turn} {number}", "100000") for number in range(3)]
        time.sleep(1.5)
        for writer in writers:
            writer.kill()
            stored |= {int(line) for line in writer.communicate()[0].split()}
    compactor.communicate(timeout=60)
    output, _ = reader.communicate(timeout=60)
    assert reader.returncode == 0, output
    with Store(Settings(lake=lake, catalogue=address)) as store:
        rows = store.query(TOTALS).to_pylist()
        assert {row["run_id"] for row in rows} >= stored
        assert len(stored) > 20
        assert all(row["total"] == row["n"] * (row["n"] - 1) // 2 for row in rows)
        assert not [finding for finding in maintenance.verify(store) if finding.serious]
