"""A disk that fills up: a clear answer, nothing half-written, and all well once there is room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

SCENARIO = """\
name: large
arrivals: {kind: poisson, rate: 80/s}
service: {kind: exponential, mean: 20ms}
pool: {count: 2}
balancers: {strategy: round_robin}
horizon: REQUESTS requests
"""


@pytest.fixture
def small_disk(
    tmp_path: Path, program: Callable[[str], str], give_up: Callable[[str], NoReturn]
) -> Iterator[Path]:
    mount, umount = program("mount"), program("umount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        give_up("mounting a tmpfs needs root")
    yield disk
    subprocess.run([umount, str(disk)], check=True)


def workbench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workbench.cli", *arguments, "--lake", str(folder / "disk" / "lake")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(small_disk: Path, tmp_path: Path):
    for name, requests in (("small", "1000"), ("large", "600k")):
        (tmp_path / f"{name}.yaml").write_text(SCENARIO.replace("REQUESTS", requests))
    assert workbench(tmp_path, "run", "small.yaml").returncode == 0

    full = workbench(tmp_path, "run", "large.yaml")
    assert full.returncode == 4
    assert "Traceback" not in full.stderr
    assert "no room" in full.stderr
    files = [file.name for file in small_disk.rglob("*") if file.is_file()]
    assert len([name for name in files if name.endswith(".parquet")]) == 4
    assert not [name for name in files if "tmp" in name]

    states = {
        run["seed"]: run["state"] for run in json.loads(workbench(tmp_path, "runs", "--json").stdout)["runs"]
    }
    assert "complete" in states.values()
    shown = workbench(tmp_path, "show", "1", "--json")
    assert json.loads(shown.stdout)["requests"] > 0

    again = workbench(tmp_path, "run", "small.yaml", "--seed", "2")
    assert again.returncode == 0, again.stderr
