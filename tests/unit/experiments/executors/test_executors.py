"""Executors: the same results from all, and what happens when workers die."""

from __future__ import annotations

import operator
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from workbench.errors import InputError, SimulationError
from workbench.experiments.executors import EXECUTORS, Executor, choose_executor

# Functions that every process has: those of this file cannot be imported elsewhere.
NEGATIVE = operator.neg


@pytest.fixture(scope="module", params=["serial", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    started = choose_executor(request.param, workers=2)
    yield started
    started.close()


def test_every_chunk_is_done_once(executor: Executor):
    assert sorted(executor.run(NEGATIVE, range(20))) == [(n, -n) for n in range(20)]


def test_without_chunks_there_is_nothing_to_do(executor: Executor):
    assert list(executor.run(NEGATIVE, [])) == []


def test_chunks_are_taken_only_as_there_is_somebody_to_do_them(executor: Executor):
    taken = 0

    def chunks() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = executor.run(NEGATIVE, chunks())
    next(results)
    assert taken <= 2 * executor.workers + 1


def test_an_error_of_the_work_reaches_the_caller(executor: Executor):
    with pytest.raises(ZeroDivisionError):
        list(executor.run(partial(operator.floordiv, 1), [1, 0]))


def kill(mark: Path, chunk: int) -> str:
    """Give the code of work that dies by a signal at chunk 3, unless somebody died there before."""
    return (
        f"import os, pathlib, signal\nmark = pathlib.Path({str(mark)!r})\n"
        f"if {chunk} == 3 and not mark.exists():\n"
        "    mark.touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )


@pytest.mark.slow
def test_a_killed_process_is_replaced_and_its_chunk_done_again(tmp_path: Path):
    executor = choose_executor("processes", workers=2)
    sources = [kill(tmp_path / "mark", number) for number in range(8)]
    try:
        found = [chunk for chunk, _ in executor.run(exec, sources)]
    finally:
        executor.close()
    assert sorted(found) == sorted(sources)
    assert (tmp_path / "mark").exists()
    assert executor.lost == 1


@pytest.mark.slow
def test_processes_that_die_again_and_again_end_it_with_advice():
    executor = choose_executor("processes", workers=1)
    suicide = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(SimulationError, match=r"3 times in a row.*the same command again goes on"):
        list(executor.run(exec, [suicide]))
    executor.close()


@pytest.mark.slow
def test_processes_end_when_their_parent_is_killed(tmp_path: Path):
    code = "import os, pathlib, time; pathlib.Path(FOLDER, str(os.getpid())).touch(); time.sleep(60)"
    sleeps = [f"FOLDER = {str(tmp_path)!r}; number = {number}; {code}" for number in range(2)]
    script = tmp_path / "driver.py"
    script.write_text(
        "from workbench.experiments.executors import choose_executor\n"
        "if __name__ == '__main__':\n"
        f"    list(choose_executor('processes', workers=2).run(exec, {sleeps!r}))\n"
    )
    driver = subprocess.Popen([sys.executable, script])
    pids = wait_for(lambda: [int(file.name) for file in tmp_path.iterdir() if file.name.isdecimal()], 2)
    driver.kill()
    driver.wait()
    until = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def wait_for(found, count: int) -> list[int]:
    until = time.monotonic() + 30
    while len(found()) < count:
        assert time.monotonic() < until
        time.sleep(0.05)
    return list(found())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "given", ["cloud", "serial://x", "processes://x", "dask://nonsense", "dask://a:b", ""]
)
def test_what_is_no_executor_is_refused_with_what_is(given: str):
    with pytest.raises(InputError, match=r"on: given .*allowed: "):
        choose_executor(given, workers=1)


def test_the_executors_are_named():
    assert list(EXECUTORS) == ["dask", "processes", "serial"]
