"""A full disk gives a clear error, and nothing half-written remains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "full_disk.py"
# A mount of the child's own: it ends with it, and no other process sees it.
IN_A_SMALL_FILE_SYSTEM = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$0"'


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run_limited(lake, what, limit):
    done = run([sys.executable, PROGRAM, lake, what, str(limit)])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def on_a_small_disk(tmp_path, give_up):
    """Return a function that runs the program on a disk of 4 MB and returns what it printed."""
    try:
        tried = run([*IN_A_SMALL_FILE_SYSTEM, MOUNT, tmp_path])
    except FileNotFoundError:
        give_up("unshare not found")
    if tried.returncode:
        give_up(f"no file system may be mounted here: {tried.stderr.strip()}")

    def start(what):
        command = f'{MOUNT} && exec "$@"'
        done = run([*IN_A_SMALL_FILE_SYSTEM, command, tmp_path, sys.executable, PROGRAM, tmp_path, what])
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return start


def test_parts_on_a_full_disk_are_removed(on_a_small_disk, tmp_path):
    error, text, *files = on_a_small_disk("parts")
    assert error == "DiskFullError"
    assert text.startswith(f"no room in the lake {tmp_path}: no room is left on its disk, ")
    assert "MB free; nothing half-written remains" in text
    assert files == ["catalogue.sqlite"]


def test_catalogue_on_a_full_disk_says_so_and_stays_readable(on_a_small_disk):
    error, text, *files = on_a_small_disk("catalogue")
    assert error == "DiskFullError"
    assert "MB free" in text
    assert "catalogue.sqlite" in files


def test_published_file_of_before_stays_when_the_disk_is_full(on_a_small_disk):
    error, text, *files = on_a_small_disk("publish")
    assert error == "DiskFullError"
    assert "no room" in text
    assert "workbench.duckdb" in files
    assert not [file for file in files if ".tmp" in file]


def test_compaction_that_does_not_fit_is_not_begun(on_a_small_disk):
    error, text, *files = on_a_small_disk("compact")
    assert error == "DiskFullError"
    assert "compacting samples needs about" in text
    assert "nothing was begun" in text
    assert not [file for file in files if ".tmp" in file or "compact" in file]


def test_limit_on_the_size_of_files_counts_as_no_room(tmp_path):
    error, text, *files = run_limited(tmp_path, "parts", 1 << 20)
    assert error == "DiskFullError"
    assert "the limit on the size of a file is reached (ulimit -f)" in text
    assert files == ["catalogue.sqlite"]


@pytest.mark.parametrize("limit", [60_000, 200_000])
def test_published_file_that_cannot_be_completed_is_not_put_in_place(tmp_path, limit):
    # DuckDB's log fits below the limits, its file does not.
    error, text, *files = run_limited(tmp_path, "publish", limit)
    assert error == "DiskFullError"
    assert "(ulimit -f)" in text
    assert "workbench.duckdb" not in files
