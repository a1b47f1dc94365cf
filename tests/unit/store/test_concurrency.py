"""Processes and threads write and read at once; a killed one leaves nothing half-written to be read."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workbench.settings import Settings
from workbench.store import Store

PROGRAM = Path(__file__).parent / "programs" / "writer.py"
TOTALS = "select run_id, count(*) as n, sum(response_us)::BIGINT as total from requests group by run_id"


def start(lake, name, count, *hold):
    command = [sys.executable, PROGRAM, lake, name, str(count), *hold]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def go(processes):
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def end(process):
    """Wait for a writer and return the numbers of the runs that it said are stored."""
    output, _ = process.communicate(timeout=60)
    return [int(line) for line in output.split()]


def check(rows):
    """Every run that is seen is whole: n rows that count from 0."""
    assert all(row["n"] >= 100 and row["total"] == row["n"] * (row["n"] - 1) // 2 for row in rows)


def test_four_writers_and_a_reader_at_once_lose_nothing(lake):
    writers = [start(lake, f"writer-{number}", 15) for number in range(4)]
    go(writers)  # the lake does not exist yet: all four make it at once
    looks = 0
    with Store(Settings(lake=lake)) as store:
        while any(writer.poll() is None for writer in writers):
            rows = store.query(TOTALS).to_pylist()
            check(rows)
            assert len(rows) <= len(store.runs(state="complete"))
            looks += 1
        stored = sorted(run_id for writer in writers for run_id in end(writer))
        rows = store.query(TOTALS).to_pylist()
    assert looks > 5
    assert stored == sorted(row["run_id"] for row in rows) == list(range(1, 61))
    check(rows)
    assert sum(row["n"] for row in rows) == 4 * sum(range(100, 115))


@pytest.fixture
def held(lake):
    """A writer that has written the parts of run 1 and has not yet committed its end."""
    writer = start(lake, "web", 1, "hold")
    go([writer])
    assert writer.stdout.readline() == "written\n"
    yield writer
    kill(writer)


def kill(writer):
    writer.kill()
    writer.communicate()


def test_writer_killed_before_it_finished_a_run_leaves_no_rows_and_is_taken_over(lake, held):
    with Store(Settings(lake=lake)) as store:
        assert [run.state for run in store.runs()] == ["running"]
        kill(held)
        assert list(lake.rglob("part-*.parquet"))
        assert (store.parts(), store.query(TOTALS).num_rows) == ([], 0)
        assert [run.state for run in store.runs(state="interrupted")] == ["interrupted"]
        assert store.runs(state="running") == []
        second = start(lake, "web", 1)
        go([second])
        assert end(second) == [1]
        assert store.run(1).state == "complete"
        assert len(list(lake.rglob("part-*.parquet"))) == len(store.parts()) == 1
        check(store.query(TOTALS).to_pylist())


def test_view_of_runs_shows_that_a_writer_was_killed_though_no_commit_followed(lake, held):
    with Store(Settings(lake=lake)) as store:
        states = [store.query("select state from runs").to_pylist()]
        kill(held)
        states.append(store.query("select state from runs").to_pylist())
    assert states == [[{"state": "running"}], [{"state": "interrupted"}]]


@pytest.mark.slow
def test_writers_killed_at_random_instants_leave_every_listed_run_whole(lake):
    for number in range(40):
        writer = start(lake, f"writer-{number}", 10_000)
        go([writer])
        said = [int(writer.stdout.readline()) for _ in range(1 + number % 7)]
        writer.kill()
        output, _ = writer.communicate()
        said += [int(line) for line in output.split() if line]
        with Store(Settings(lake=lake)) as store:
            rows = store.query(TOTALS).to_pylist()
        check(rows)
        assert {row["run_id"] for row in rows} >= set(said)


def test_threads_that_share_a_store_get_their_own_rows(store, add_run, make):
    run_ids = [add_run(str(number), count=100 + number) for number in range(5)]
    expected = {run_id: 100 + number for number, run_id in enumerate(run_ids)}
    wrong = []

    def ask(place):
        for turn in range(40):
            run_id = run_ids[(place + turn) % len(run_ids)]
            sql = "select count(*) as n from requests where run_id = $run_id"
            found = store.query(sql, {"run_id": run_id}).to_pylist()
            if found != [{"n": expected[run_id]}]:
                wrong.append((run_id, found))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for number in range(20):  # each commit makes the views anew under the running queries
        store.begin_run(make.new_run(f"later-{number}"))
    for thread in threads:
        thread.join()
    assert wrong == []
