"""What all tests share: system programs, and Hypothesis's settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("workbench", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("workbench")


@pytest.hookimpl(tryfirst=True)  # before `-m` picks tests by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `system` what asks for a system program, so that no quick run depends on one."""
    for item in items:
        if "program" in getattr(item, "fixturenames", ()):
            item.add_marker("system")


@pytest.fixture(scope="session")
def give_up() -> Callable[[str], NoReturn]:
    """Return what a test calls with its reason where the system lacks what it needs.

    It skips; with WORKBENCH_REQUIRE_SYSTEM=1 it fails.
    """
    return pytest.fail if os.environ.get("WORKBENCH_REQUIRE_SYSTEM") == "1" else pytest.skip


@pytest.fixture(scope="session")
def program(give_up: Callable[[str], NoReturn]) -> Callable[[str], str]:
    """Return a function from a system program's name to its path.

    Where the program is missing the test is skipped; with WORKBENCH_REQUIRE_SYSTEM=1 it fails.
    """

    def find(name: str) -> str:
        # Debian keeps haproxy and nginx where a plain user's PATH does not reach.
        path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        if path is None:
            give_up(f"{name} not found: run tests/system/install-packages")
        return path

    return find
