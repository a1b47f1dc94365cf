"""A small configuration, where it is kept, and the command line on it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main
from workbench.configuration import BalancerConfiguration, ConfigurationBook, ConfigurationFile
from workbench.documents import check

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

CONTENT: dict[str, Any] = {
    "servers": {
        "web-1": {"address": "10.0.0.1:80", "limit": 20},
        "web-2": {"address": "10.0.0.2:80", "weight": 3},
        "10.0.0.3:80": {"address": "10.0.0.3:80", "state": "drain"},
    },
    "balancers": {"strategy": "haproxy.leastconn"},
}

LOAD = """\
name: load
arrivals: {kind: poisson, rate: 100/s}
service: {kind: exponential, mean: 15ms}
pool: {count: 2}
balancers: {strategy: round_robin}
horizon: 2000 requests
"""


@pytest.fixture
def configuration() -> BalancerConfiguration:
    return check(CONTENT, BalancerConfiguration, name="test", folder=Path.cwd())


@pytest.fixture
def book(tmp_path: Path) -> Iterator[ConfigurationBook]:
    with ConfigurationFile(tmp_path / "c.sqlite") as file:
        yield ConfigurationBook(file, "web")


@pytest.fixture
def load(tmp_path: Path) -> Path:
    """Write a scenario of a few requests."""
    file = tmp_path / "load.yaml"
    file.write_text(LOAD)
    return file


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Give a function that runs `workbench config` in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_LAKE", "lake")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", "config", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return int(end.value.code or 0), shown.out, shown.err

    return run
