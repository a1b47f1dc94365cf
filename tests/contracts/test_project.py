"""The project's own files agree with each other and hold on a machine that has never seen it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import workbench

PROJECT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def read_lock(name: str) -> dict[str, str]:
    """Map each distribution in a lock to its release; a line that is no plain pin is an error."""
    pins = {}
    for line in (PROJECT / name).read_text().splitlines():
        if line in ("# Written by make lock.", "-r requirements.lock"):
            continue
        pin = re.fullmatch(r"([a-z0-9-]+)==([a-z0-9.]+)( ; [^/@]+)?", line)
        assert pin, f"{name} holds more than pins: {line}"
        assert pin[1] not in pins, f"{name} pins {pin[1]} twice"
        pins[pin[1]] = pin[2]
    return pins


def outside_their_range(requirements: list[str], pins: dict[str, str]) -> list[str]:
    """Return the requirements that the pins do not meet."""
    wanted = [Requirement(each) for each in requirements]
    return [str(each) for each in wanted if pins.get(canonicalize_name(each.name), "") not in each.specifier]


def test_what_runs_is_pinned_within_its_range():
    assert not outside_their_range(PYPROJECT["dependencies"], read_lock("requirements.lock"))


def test_what_tests_need_is_pinned_within_its_range():
    pins = read_lock("requirements.lock") | read_lock("requirements-dev.lock")
    assert not outside_their_range(PYPROJECT["optional-dependencies"]["dev"], pins)


def test_no_release_is_pinned_in_both_locks():
    assert not read_lock("requirements.lock").keys() & read_lock("requirements-dev.lock").keys()


def test_the_package_knows_its_version():
    assert workbench.__version__ == PYPROJECT["version"]


def test_git_ignores_what_is_generated():
    ignored = (PROJECT / ".gitignore").read_text().splitlines()
    assert {".venv/", "data/lake/", "tests/output/"} <= set(ignored)


def run_make(folder: Path, interpreter: str) -> subprocess.CompletedProcess[str]:
    """Run `make test` on a copy, with a script in the place of python3."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(PROJECT / name, folder)
    python = folder / "python3"
    python.write_text(f"#!/bin/sh\n{interpreter}\n")
    python.chmod(0o755)
    # Neither the flags of a make that runs these tests, nor another interpreter to suggest.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    environment["PATH"] = f"{folder}:/usr/bin:/bin"
    return subprocess.run(
        ["make", "PYTHON=python3", "test"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("interpreter", "complaint"),
    [
        ("echo 3.9.2", "Python 3.11 to 3.13 is needed, python3 is 3.9.2: "),
        ("echo 3.14.0", "Python 3.11 to 3.13 is needed, python3 is 3.14.0: "),
        ("echo 2.7.18", "Python 3.11 to 3.13 is needed, python3 is 2.7.18: "),
        ("exit 127", "Python 3.11 to 3.13 is needed, python3 is missing: "),
        ('case "$2" in *ensurepip*) exit 1;; esac; echo 3.12.4', "python3 (3.12.4) lacks venv: install it "),
    ],
)
def test_an_unfit_interpreter_is_named_first(tmp_path: Path, interpreter: str, complaint: str):
    made = run_make(tmp_path, interpreter)
    assert made.returncode != 0
    assert not made.stdout
    assert made.stderr.startswith(complaint)
