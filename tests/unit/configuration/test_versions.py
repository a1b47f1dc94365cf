"""Versions of a balancer's configuration: one writer wins, no reader sees half, a kill loses none."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.configuration.conftest import NOON
from workbench.configuration import (
    BalancerConfiguration,
    ConfigurationBook,
    ConfigurationFile,
    balancers,
    changed,
    chosen_balancer,
)
from workbench.errors import ConflictError, InputError, NotFoundError


def save(book: ConfigurationBook, configuration: BalancerConfiguration, based_on: int, **given):
    told = {"author": "anna", "at": NOON + timedelta(days=based_on), "reason": f"after {based_on}"} | given
    return book.save(configuration, based_on=based_on, **told)


def heavier(configuration: BalancerConfiguration, weight: int) -> BalancerConfiguration:
    return changed(configuration.content(), [f"servers.web-1.weight={weight}"], name="test")


def test_a_version_keeps_author_time_and_reason(book, configuration):
    assert book.current() is None
    saved = save(book, configuration, 0)
    assert book.current() == book.one(1) == book.holding() == saved
    assert (saved.author, saved.at, saved.reason) == ("anna", NOON, "after 0")
    assert saved.configuration == configuration


def test_of_two_writers_one_wins_and_the_other_is_told_by_whom(book, configuration):
    save(book, configuration, 0)
    save(book, heavier(configuration, 5), 1, author="bob", reason="a bigger machine")
    with pytest.raises(
        ConflictError, match=r"version 1; allowed: 2, saved by bob at .* \(a bigger machine\)"
    ):
        save(book, heavier(configuration, 6), 1)
    assert [one.version for one in book.history()] == [2, 1]
    assert book.holding().configuration.servers["web-1"].weight == 5


def test_many_writers_at_once_leave_one_version(tmp_path, configuration):
    wins: list[str] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        with ConfigurationFile(tmp_path / "shared.sqlite") as file:
            barrier.wait()
            try:
                one = save(
                    ConfigurationBook(file, "web"), heavier(configuration, number + 1), 0, author=f"w{number}"
                )
                wins.append(one.author)
            except ConflictError:
                pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ConfigurationFile(tmp_path / "shared.sqlite") as file:
        (only,) = ConfigurationBook(file, "web").history()
    assert wins == [only.author]


def test_rolling_back_is_a_new_version(book, configuration):
    save(book, configuration, 0)
    save(book, heavier(configuration, 9), 1)
    back = book.roll_back(1, based_on=2, author="bob", at=NOON, reason="worse")
    assert (back.version, back.configuration) == (3, configuration)
    assert book.one(2).configuration.servers["web-1"].weight == 9


def test_balancers_have_versions_of_their_own(tmp_path, configuration):
    with ConfigurationFile(tmp_path / "c.sqlite") as file:
        with pytest.raises(InputError, match="there is no configuration in"):
            chosen_balancer(file, None)
        save(ConfigurationBook(file, "web"), configuration, 0)
        assert chosen_balancer(file, None) == "web"
        save(ConfigurationBook(file, "api"), heavier(configuration, 2), 0)
        assert balancers(file) == ["api", "web"]
        with pytest.raises(InputError, match="allowed: --balancer with one of api, web"):
            chosen_balancer(file, None)
        assert ConfigurationBook(file, "web").holding().configuration == configuration


def test_what_is_not_there_is_named(book, configuration):
    with pytest.raises(NotFoundError, match="given 'web', which has no configuration"):
        book.holding()
    with pytest.raises(NotFoundError, match="there is no version 7"):
        book.one(7)
    with pytest.raises(ConflictError, match="allowed: 0, since there is no version yet"):
        save(book, configuration, 4)


@pytest.mark.parametrize("missing", ["author", "reason"])
def test_a_version_has_an_author_and_a_reason(book, configuration, missing: str):
    with pytest.raises(InputError, match=f"{missing}: given nothing"):
        save(book, configuration, 0, **{missing: " "})
    assert book.history() == []


WRITERS = """
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from workbench.configuration import ConfigurationBook, ConfigurationFile, changed

def write_on() -> None:
    with ConfigurationFile(Path(sys.argv[1])) as file:
        book = ConfigurationBook(file, "web")
        while True:
            last = book.holding()
            # All servers get the number of their version, so that a torn one would show.
            number = last.version + 1
            told = [f"servers.{name}.weight={number}" for name in last.configuration.servers]
            book.save(
                changed(last.configuration.content(), told, name="test"),
                based_on=last.version, author="w", at=datetime.now(UTC), reason="next",
            )
            os.write(1, f"saved {number}\\n".encode())

for _ in sys.stdin:
    writer = os.fork()
    if writer == 0:
        write_on()
    os.write(1, f"writer {writer}\\n".encode())
    os.waitpid(writer, 0)
    os.write(1, b"ended\\n")
"""
TRIES = 200


@pytest.mark.slow
def test_a_writer_killed_at_random_instants_tears_nothing_and_loses_nothing(tmp_path, configuration):
    """200 times a writer that saves as fast as it can is killed by SIGKILL, while a reader reads on."""
    path, instants = tmp_path / "c.sqlite", random.Random(8)
    with ConfigurationFile(path) as file:
        book = ConfigurationBook(file, "web")
        save(book, heavier(configuration, 3), 0)
        save(book, changed(configuration.content(), ["servers.*.weight=2"], name="test"), 1)
        with subprocess.Popen(
            [sys.executable, "-c", WRITERS, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[3],
        ) as writers:
            assert writers.stdin is not None
            assert writers.stdout is not None
            for number in range(TRIES):
                writers.stdin.write("go\n")
                lines: dict[str, str] = {}
                # Every other one has saved something at least, however slow the machine is.
                while "writer" not in lines or (number % 2 and "saved" not in lines):
                    word, told = writers.stdout.readline().split()
                    lines[word] = told
                pid, first = int(lines["writer"]), int(lines.get("saved", 0))
                until = time.monotonic() + instants.uniform(0.0, 0.06)
                while time.monotonic() < until:
                    version = book.holding()
                    assert {one.weight for one in version.configuration.servers.values()} == {version.version}
                os.kill(pid, signal.SIGKILL)
                saved = [
                    int(line.split()[1])
                    for line in iter(writers.stdout.readline, "ended\n")
                    if "saved" in line
                ]
                assert book.holding().version >= max(saved, default=first)
            writers.stdin.close()
            assert writers.wait(timeout=10) == 0
        versions = book.history()
    assert [one.version for one in versions] == list(range(len(versions), 0, -1))
    assert len(versions) >= TRIES / 2
