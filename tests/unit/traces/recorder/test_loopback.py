"""The real server and client on loopback, without a proxy: first come, first served, in absolute times."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench.traces.recorder import loopback
from workbench.traces.recorder.load import Load
from workbench.traces.recorder.processes import Processes, free_ports
from workbench.traces.recorder.taken import NONE, Taken, gather, read_notes

PROGRAM = [sys.executable, "-I", "-S", loopback.__file__]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path, "normal") as started:
        yield started


@pytest.fixture
def serve(processes: Processes, tmp_path: Path) -> Callable[..., tuple[subprocess.Popen[bytes], int]]:
    def start(slots: int = 1, factor: float = 1.0) -> tuple[subprocess.Popen[bytes], int]:
        (port,) = free_ports(1)
        notes = str(tmp_path / "notes")
        server = processes.start(
            [*PROGRAM, "server", "0", str(port), str(slots), str(factor), notes],
            "server.err",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert server.stdout
        assert server.stdout.readline().startswith(b"ready ")
        return server, port

    return start


@pytest.fixture
def send(processes: Processes, tmp_path: Path) -> Callable[..., Taken]:
    """Give a function that sends a load and gathers what client and server noted."""

    def run(load: Load, port: int, *, patience: float = 5.0, connections: int = 4) -> Taken:
        zero = time.monotonic_ns() + 300_000_000
        end = zero + 1000 * int(load.arrival[-1]) + round(patience * 1e9)
        rows = zip(load.arrival.tolist(), load.service.tolist(), load.key, strict=True)
        requests = tmp_path / "requests"
        requests.write_text("".join(f"{due} {work} {key}\n" for due, work, key in rows))
        with requests.open("rb") as given, (tmp_path / "answers").open("wb") as answers:
            command = [*PROGRAM, "client", str(port), str(zero), "a", str(connections), str(end)]
            client = processes.start(command, "client.err", stdin=given, stdout=answers)
        assert client.wait(30) == 0, processes.told("client.err")
        notes = read_notes(tmp_path / "notes")
        return gather((tmp_path / "answers").read_text(), load, [notes], zero=zero, prefix="a")

    return run


def draw(count: int, gap: float, work: float) -> Load:
    rng = np.random.Generator(np.random.PCG64(7))
    arrival = np.cumsum(rng.exponential(gap, count)).astype(np.int64)
    return Load(arrival, rng.exponential(work, count).astype(np.int64) + 1, ["k1"] * count)


def earliest(received: np.ndarray, work: np.ndarray, slots: int) -> np.ndarray:
    """When each begins: the first slot that is free, in the order in which they came."""
    free = np.zeros(slots)
    begins = []
    for at, length in zip(received, work, strict=True):
        slot = int(free.argmin())
        begins.append(max(at, free[slot]))
        free[slot] = begins[-1] + length
    return np.array(begins)


@pytest.mark.parametrize(("slots", "factor"), [(1, 1.0), (3, 1.0), (2, 2.5)])
def test_requests_are_served_first_come_first_served_at_their_slots(serve, send, slots: int, factor: float):
    load = draw(150, 4_000, 3_500 * slots / factor)
    taken = send(load, serve(slots, factor)[1])
    assert taken.noted.all()
    assert set(taken.status.tolist()) == {200}
    order = np.argsort(taken.received, kind="stable")
    expected = earliest(taken.received[order], load.service[order] * factor, slots)
    # Times are cut to microseconds; on a chain of busy slots the cuts add up.
    assert np.abs(taken.start[order] - expected).max() <= 2 + 0.02 * len(load)
    assert np.abs(taken.finish - taken.start - load.service * factor).max() <= 2
    assert (taken.sent >= taken.finish).all()
    assert (taken.load.arrival + taken.latency >= taken.sent).all()


def test_the_client_sends_on_schedule_however_slow_the_answers_are(serve, send):
    """An open loop: 20 requests at 10 ms each, due at once, are all sent before the third is answered."""
    load = Load(np.full(20, 1000), np.full(20, 10_000), ["k"] * 20)
    taken = send(load, serve()[1])
    assert (taken.send >= 1000).all()
    assert taken.send.max() < taken.finish.min() + 10_000
    assert taken.connections == 20
    assert (taken.latency[1:] > 19_000).all()


def test_a_client_and_a_server_that_were_stopped_know_of_it(serve, processes: Processes, tmp_path: Path):
    """Both are stopped for 300 ms in which they have work; each reports a stall of nearly that."""
    server, port = serve()
    zero = time.monotonic_ns() + 200_000_000
    (tmp_path / "requests").write_text("".join(f"{due} 15000 k\n" for due in range(0, 600_000, 10_000)))
    with (tmp_path / "requests").open("rb") as given, (tmp_path / "answers").open("wb") as answers:
        command = [*PROGRAM, "client", str(port), str(zero), "", "4", str(zero + 5_000_000_000)]
        client = processes.start(command, "client.err", stdin=given, stdout=answers)
    time.sleep(0.4)
    for process in (client, server):
        process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    for process in (client, server):
        process.send_signal(signal.SIGCONT)
    assert client.wait(20) == 0
    told = dict(line.split()[:2] for line in (tmp_path / "answers").read_text().splitlines()[-2:])
    assert int(told["stall"]) > 200_000_000
    assert read_notes(tmp_path / "notes").stall > 200_000_000


def test_a_request_that_is_never_answered_is_told_as_such(send, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        taken = send(Load(np.array([1000]), np.array([10]), ["k"]), silent.getsockname()[1], patience=0.2)
    assert (taken.status[0], taken.server[0], taken.received[0]) == (0, -1, NONE)
    assert taken.latency[0] == pytest.approx(200_000, abs=100)


def test_a_connection_that_closes_without_an_answer_is_told_as_such(serve, send):
    server, port = serve()
    killer = threading.Timer(0.6, server.kill)
    killer.start()
    taken = send(Load(np.array([1000, 2000]), np.full(2, 10_000_000), ["k", "k"]), port)
    killer.join()
    assert taken.status.tolist() == [-1, -1]
    assert not taken.noted.any()


def test_a_server_ends_when_whoever_started_it_is_gone(serve):
    server, _ = serve()
    server.stdin.close()
    assert server.wait(5) == 0


def test_a_check_of_the_proxys_is_answered_and_not_noted(serve, tmp_path: Path):
    _, port = serve()
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert not read_notes(tmp_path / "notes").served


def test_a_line_that_a_kill_has_cut_is_left_out(tmp_path: Path):
    (tmp_path / "notes").write_text("1 10 20 30 40\nstall 5\n2 10 20 3")
    notes = read_notes(tmp_path / "notes")
    assert (list(notes.served), notes.stall) == (["1"], 5)


@pytest.mark.parametrize(("connections", "made"), [(4, 4), (0, 30)])
def test_connections_are_kept_or_made_for_each_request(serve, send, connections: int, made: int):
    load = Load(10_000 * np.arange(1, 31), np.full(30, 100), ["k"] * 30)
    taken = send(load, serve()[1], connections=connections)
    assert taken.noted.all()
    # A machine that is busy may let a few requests overlap.
    assert made <= taken.connections <= made + (10 if connections else 0)
