"""Whatever was started is ended by its id; what cannot be started is said."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.errors import InputError, NotFoundError
from workbench.traces.recorder.log_socket import LogSocket
from workbench.traces.recorder.processes import (
    Processes,
    find_program,
    free_ports,
    stopped_by_terminate,
    wait_until_open,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_processes_are_ended_whatever_happens(tmp_path: Path):
    started: list[subprocess.Popen[bytes]] = []

    def fail() -> None:
        with Processes(tmp_path, "normal") as processes:
            started.extend(processes.start(SLEEP, "log") for _ in range(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [process.returncode for process in started] == [-signal.SIGTERM] * 2


def test_only_processes_of_the_run_are_ended(tmp_path: Path):
    with subprocess.Popen(SLEEP) as other:
        with Processes(tmp_path, "normal") as processes:
            processes.start(SLEEP, "log")
        assert other.poll() is None
        other.kill()


def test_what_a_program_said_can_be_told(tmp_path: Path):
    with Processes(tmp_path, "normal") as processes:
        processes.start([sys.executable, "-c", "raise SystemExit('no luck')"], "log").wait()
        assert processes.told("log") == "no luck"
        assert processes.told("other") == "it said nothing"


def test_a_program_that_is_missing_is_named_with_its_package():
    with pytest.raises(NotFoundError, match=r"no-proxy: no such program; install it \(Debian: apt-get"):
        find_program("no-proxy")


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port: given {port}, which is taken; allowed: a free port"):
            free_ports(2, port)
    assert free_ports(2, port)[0] == port


def test_ports_are_different_and_below_those_of_outgoing_connections():
    ports = free_ports(30)
    assert len(set(ports)) == 30
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports) < first


def test_a_process_that_ends_before_it_listens_is_seen_at_once(tmp_path: Path):
    (port,) = free_ports(1)
    began = time.monotonic()
    with Processes(tmp_path, "normal") as processes:
        assert not wait_until_open(processes.start([sys.executable, "-c", ""], "log"), port, 30)
    assert time.monotonic() - began < 15


def test_a_process_that_never_listens_is_given_up(tmp_path: Path):
    (port,) = free_ports(1)
    with Processes(tmp_path, "normal") as processes:
        assert not wait_until_open(processes.start(SLEEP, "log"), port, 0.2)


def test_terminate_ends_a_run_as_ctrl_c_does():
    def wait_for_the_end() -> None:
        with stopped_by_terminate():
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
            time.sleep(10)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        wait_for_the_end()
    assert signal.getsignal(signal.SIGTERM) == before


def test_lines_of_a_log_are_stamped_when_they_come():
    with LogSocket() as log, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        stamps = []
        for line in (b"one\n", b"two\n\0", b"\xff"):
            stamps.append(time.monotonic_ns())
            sender.sendto(line, ("127.0.0.1", log.port))
            time.sleep(0.05)
        log.finish()
    assert [line for _, line in log.lines] == ["one", "two", "\ufffd"]
    assert all(0 <= taken - sent < 1_000_000_000 for sent, (taken, _) in zip(stamps, log.lines, strict=True))
    assert [taken for taken, _ in log.lines] == sorted(taken for taken, _ in log.lines)


def test_many_lines_at_once_are_all_taken():
    """As many as a proxy sends when it fails all that waited for a server, and more."""
    with LogSocket() as log, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(100):
            sender.sendto(f"{number} {'x' * 150}".encode(), ("127.0.0.1", log.port))
        log.finish()
    assert [int(line.split()[0]) for _, line in log.lines] == list(range(100))


def test_what_a_killed_first_of_a_group_leaves_is_ended_with_it(tmp_path: Path):
    """As nginx's workers: the child writes its id, then waits; its parent is killed."""
    code = "import os, time; child = os.fork(); child and print(child, flush=True); time.sleep(60)"
    with Processes(tmp_path, "normal") as processes:
        parent = processes.start([sys.executable, "-c", code], "log", group=True)
        until = time.monotonic() + 10
        while (said := processes.told("log")) == "it said nothing" and time.monotonic() < until:
            time.sleep(0.02)
        child = Path(f"/proc/{int(said)}")
        parent.kill()
        parent.wait()
        assert child.exists()
    until = time.monotonic() + 10
    while child.exists() and "Z" not in (child / "stat").read_text() and time.monotonic() < until:
        time.sleep(0.02)
    assert not child.exists() or "Z" in (child / "stat").read_text()
