"""Writers and the compactor are killed at random instants while readers go on: nothing is lost or torn."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workbench.settings import Settings
from workbench.store import Store, maintenance

PROGRAMS = Path(__file__).parent / "programs"
TOTALS = "select run_id, count(*) as n, sum(response_us)::BIGINT as total from requests group by run_id"
GRACE = "10"
"""Longer than a look of a reader takes on a busy machine, seconds."""


def start(program, lake, *arguments):
    command = [sys.executable, PROGRAMS / f"{program}.py", lake, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    if program == "writer":
        process.stdin.write("go\n")
        process.stdin.flush()
    return process


def kill(process):
    """Kill a process and return the numbers that it had said."""
    process.kill()
    output, said = process.communicate()
    assert "Traceback" not in said, said
    return {int(line) for line in output.split() if line.isdigit()}


def end(process):
    """Let a program that goes on until its input ends come to its end, and return what it said last."""
    output, said = process.communicate(timeout=120)
    assert process.returncode == 0, output + said
    return int(output.split()[-1])


def check(lake, stored):
    """Every acknowledged run is there, every run is whole, and nothing is left over once it is collected."""
    with Store(Settings(lake=lake)) as store:
        rows = store.query(TOTALS).to_pylist()
        assert all(row["total"] == row["n"] * (row["n"] - 1) // 2 for row in rows)
        assert {row["run_id"] for row in rows} >= stored
        assert {run.run_id for run in store.runs(state="complete")} == {row["run_id"] for row in rows}
        assert not [finding for finding in maintenance.verify(store) if finding.serious]
        maintenance.collect(store, now=datetime.now(UTC) + timedelta(hours=1), grace_s=0)
        assert maintenance.verify(store) == []
        live = {file.path for file in store.catalogue.parts.files()}
        assert {path.relative_to(lake).as_posix() for path in lake.rglob("*.parquet")} == live
        assert not list(lake.rglob("*.tmp"))
        assert store.query(TOTALS).num_rows == len(rows)
        return len(rows)


def kill_at_random(lake, kills, readers):
    rng = random.Random(20)
    looking = [start("reader", lake) for _ in range(readers)]
    stored, number = set(), 0
    while number < kills:
        writers = [start("writer", lake, f"writer {number} {side}", "100000") for side in "abcd"]
        compactor = start("compactor", lake, GRACE)
        time.sleep(rng.uniform(0.0, 0.8))
        doomed = rng.sample([*writers, compactor], 5)
        for process in doomed:
            stored |= kill(process) if process is not compactor else kill(process) & set()
            time.sleep(rng.uniform(0.0, 0.05))
        number += len(doomed)
    assert all(end(reader) > 0 for reader in looking)
    return check(lake, stored), len(stored)


def test_nothing_is_lost_when_a_few_processes_are_killed(lake):
    kill_at_random(lake, 5, readers=1)


@pytest.mark.slow
def test_nothing_is_lost_when_two_hundred_processes_are_killed(lake):
    runs, acknowledged = kill_at_random(lake, 200, readers=2)
    assert runs >= acknowledged > 100


def work_at_once(lake, seconds, writers, readers):
    writing = [start("writer", lake, f"writer {number}", "100000") for number in range(writers)]
    looking = [start("reader", lake) for _ in range(readers)]
    compactor = start("compactor", lake, GRACE)
    time.sleep(seconds)
    rounds = end(compactor)
    stored = set()
    for writer in writing:
        stored |= kill(writer)
    assert all(end(reader) > 0 for reader in looking)
    assert rounds > 0
    return check(lake, stored), len(stored)


@pytest.mark.slow
def test_writers_readers_and_a_compaction_at_once_lose_nothing(lake):
    work_at_once(lake, 3, writers=3, readers=1)


@pytest.mark.slow
def test_eight_writers_four_readers_and_a_compaction_for_a_minute_lose_nothing(lake):
    runs, acknowledged = work_at_once(lake, 60, writers=8, readers=4)
    assert runs >= acknowledged > 500
