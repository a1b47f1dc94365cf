"""Sweeps under faults: killed workers and drivers, a full disk, lost schedulers, an object store."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from workbench.errors import SimulationError
from workbench.settings import Settings
from workbench.workflows import show_sweep, sweep

# Sockets and processes of Dask's and S3's clients are closed by the interpreter's end, not by a test.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SWEEP = """\
name: faults
scenario:
  name: small
  arrivals: {kind: poisson, rate: 160/s}
  service: {kind: exponential, mean: 20ms}
  pool: {count: 4}
  balancers: {strategy: round_robin}
  horizon: 12k requests
  engine: reference
parameters:
  load: [50%, 80%]
  balancers.strategy: [random, join_shortest_queue]
replications: 15
"""
CELLS = 60
COMMAND = [sys.executable, "-m", "workbench.cli"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sweep") / "faults.yaml"
    file.write_text(SWEEP)
    return file


@pytest.fixture(scope="module")
def digest(file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What comes out of it in one process that nobody disturbs."""
    lake = tmp_path_factory.mktemp("quiet")
    return sweep(file, on="serial", settings=Settings(lake=lake)).manifest.digest


def begun(file: Path, lake: Path, *more: str) -> subprocess.Popen[str]:
    """Start a sweep on the command line, and wait until its first chunk is kept."""
    command = [*COMMAND, "sweep", str(file), "--lake", str(lake), "--json", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 180
    while not list((lake / "cells").glob("*.arrow")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def children(pid: int) -> list[int]:
    """Give the processes that simulate for a driver."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def test_a_sweep_whose_driver_is_killed_goes_on_where_it_was(file: Path, digest: str, tmp_path: Path):
    driver = begun(file, tmp_path, "--on", "processes", "--workers", "2")
    driver.kill()
    driver.communicate()
    half = show_sweep("faults", settings=Settings(lake=tmp_path))
    assert 0 < half.reused < CELLS
    resumed = sweep(file, on="serial", settings=Settings(lake=tmp_path))
    assert resumed.simulated < CELLS
    assert resumed.manifest.digest == digest


def test_a_worker_that_is_killed_costs_only_its_chunk(file: Path, digest: str, tmp_path: Path):
    driver = begun(file, tmp_path, "--on", "processes", "--workers", "2")
    os.kill(children(driver.pid)[0], signal.SIGKILL)
    out, err = driver.communicate(timeout=300)
    assert (driver.returncode, err) == (0, "")
    manifest = json.loads(out)["manifest"]
    assert manifest["lost_workers"] == 1
    assert manifest["digest"] == digest


def test_a_full_disk_is_said_and_the_sweep_goes_on_once_there_is_room(
    file: Path, digest: str, tmp_path: Path, give_up: Callable[[str], NoReturn]
):
    lake = tmp_path / "lake"
    lake.mkdir()
    command = " ".join([*COMMAND, "sweep", str(file), "--lake", str(lake), "--on", "serial", "--json"])
    script = (
        'mount -t tmpfs -o size=64k tmpfs "$0" || exit 99\n'
        'head -c 40000 /dev/zero > "$0/filler"\n'
        f'{command}; echo "code $?"; find "$0" -name "*.tmp" -o -name "*.arrow" | sort\n'
        f'rm "$0/filler"; mount -o remount,size=4m "$0"; {command}\n'
    )
    try:
        done = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "sh", "-c", script, str(lake)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    except FileNotFoundError:
        give_up("unshare not found")
    if done.returncode == 99 or "unshare" in done.stderr:
        give_up(f"no file system may be mounted here: {done.stderr.strip()}")
    lines = done.stdout.splitlines()
    error, code, *files, result = [line for line in lines if line]
    assert code == "code 4"
    assert "no room in the lake" in json.loads(error)["error"]
    assert not [name for name in files if name.endswith(".tmp")]
    again = json.loads(result)
    assert again["manifest"]["digest"] == digest
    assert again["reused"] > 0 or not files


def test_a_scheduler_that_does_not_answer_is_named(file: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("workbench.experiments.executors.dask._PATIENCE", "1s")
    with pytest.raises(
        SimulationError, match=r"no Dask scheduler answers at 127\.0\.0\.1:9 .*`dask scheduler`"
    ):
        sweep(file, on="dask://127.0.0.1:9", settings=Settings(lake=tmp_path))


@pytest.fixture
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and three workers, as a user starts them; the scheduler is the first process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1"]
    processes = [subprocess.Popen([*start, "--port", address.rpartition(":")[2]], **quiet)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{address}", "--nthreads", "1"]
    worker += ["--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    processes += [subprocess.Popen(worker, **quiet) for _ in range(3)]
    import distributed

    with distributed.Client(f"tcp://{address}", timeout="180s", set_as_default=False) as client:
        client.wait_for_workers(3, timeout=180)
    yield address, processes
    for process in reversed(processes):
        process.kill()
        process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(
    file: Path, digest: str, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
):
    address, processes = cluster
    driver = begun(file, tmp_path, "--on", f"dask://{address}")
    processes[1].kill()
    out, err = driver.communicate(timeout=300)
    assert (driver.returncode, err) == (0, "")
    manifest = json.loads(out)["manifest"]
    assert (manifest["executor"], manifest["workers"]) == (f"dask://{address}", 3)
    assert manifest["digest"] == digest


def test_a_scheduler_that_goes_away_is_said_and_the_sweep_goes_on_without(
    file: Path, digest: str, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
):
    address, processes = cluster
    driver = begun(file, tmp_path, "--on", f"dask://{address}")
    for process in processes:
        process.kill()
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 3, err
    assert "the Dask scheduler went away" in json.loads(out)["error"]
    assert "Traceback" not in err
    resumed = sweep(file, on="processes", workers=2, settings=Settings(lake=tmp_path))
    assert resumed.reused > 0
    assert resumed.manifest.digest == digest


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 server of this machine, told to clients by the usual variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", port]
    process = subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    import s3fs

    name = f"bucket-{uuid.uuid4().hex}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    yield f"s3://{name}/lake"
    process.terminate()
    process.wait(timeout=20)


def test_an_object_store_holds_what_workers_put_there_and_nothing_lies_here(
    file: Path, digest: str, tmp_path: Path, bucket: str
):
    settings = Settings(lake=tmp_path, parts=bucket)
    first = sweep(file, on="processes", workers=2, settings=settings)
    assert first.manifest.digest == digest
    assert not list(tmp_path.rglob("*.arrow"))
    again = sweep(file, on="serial", settings=settings)
    assert (again.reused, again.manifest.digest) == (CELLS, digest)
    assert show_sweep("faults", settings=settings).answer == first.answer
