"""Versions applied to Debian's haproxy through its stats socket: read back, guarded, put back."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench import workflows
from workbench.configuration import ConfigurationFile, Journal, ServerState, read_target
from workbench.configuration.targets import HaproxyTarget
from workbench.errors import ConflictError, InputError, TargetError

CONFIGURATION = """
global
    stats socket {socket} level admin
    maxconn 200
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend fe
    bind 127.0.0.1:{port}
    default_backend web
backend web
    balance {balance}
{servers}
"""
SIGNED = {"author": "anna", "reason": "test"}


class Answering(BaseHTTPRequestHandler):
    """A server that answers 200, or 500 where it is broken."""

    broken = False

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(500 if self.broken else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Broken(Answering):
    """A server that answers 500."""

    broken = True


@contextlib.contextmanager
def answering(handler: type[Answering]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Proxy:
    """A haproxy that runs."""

    def __init__(self, folder: Path, port: int) -> None:
        self.socket, self.port = folder / "ha.sock", port
        self.target = HaproxyTarget(socket=str(self.socket), backend="web")

    def state(self) -> dict[str, tuple[int | None, str | None, int | None]]:
        """Tell weight, state and limit of each server."""
        return {
            name: (one.weight, one.state, one.limit) for name, one in self.target.current().servers.items()
        }

    def get(self) -> int:
        """Send one request; give the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def start(program: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Give a function from server lines to a haproxy that runs."""
    haproxy = program("haproxy")
    running: list[subprocess.Popen[bytes]] = []

    def run(*lines: str, balance: str = "roundrobin") -> Proxy:
        proxy = Proxy(tmp_path, free_port())
        servers = "\n".join(f"    server {line}" for line in lines)
        text = CONFIGURATION.format(socket=proxy.socket, port=proxy.port, balance=balance, servers=servers)
        (tmp_path / "haproxy.cfg").write_text(text)
        running.append(subprocess.Popen([haproxy, "-db", "-f", str(tmp_path / "haproxy.cfg")], stderr=-3))
        until = time.monotonic() + 5
        while True:
            try:
                proxy.target.current()
                return proxy
            except TargetError:
                assert time.monotonic() < until, "haproxy did not start"
                time.sleep(0.02)

    yield run
    for process in running:
        process.terminate()
        process.wait()


@pytest.fixture
def settings(tmp_path: Path) -> wb.Settings:
    return wb.Settings(lake=tmp_path / "lake")


def configure(tmp_path: Path, settings: wb.Settings, proxy: Proxy, *changes: str) -> None:
    """Save a first version of three servers, on the haproxy."""
    file = tmp_path / "web.yaml"
    servers = "\n".join(f"  s{number}: {{}}" for number in (1, 2, 3))
    target = f"{{kind: haproxy, socket: {proxy.socket}, backend: web}}"
    file.write_text(f"servers:\n{servers}\nbalancers: {{strategy: haproxy.roundrobin}}\ntarget: {target}\n")
    workflows.change_configuration(changes, file=file, balancer="web", settings=settings, **SIGNED)


LINES = [f"s{number} 127.0.0.1:{9 + number} weight 1" for number in (1, 2, 3)]


def test_weights_states_and_limits_are_applied_and_read_back(start, tmp_path, settings):
    proxy = start(*LINES)
    configure(
        tmp_path, settings, proxy, "servers.s1.weight=7", "servers.s2.state=drain", "servers.s3.limit=9"
    )
    view = workflows.apply_configuration(author="anna", settings=settings)
    assert view.state == "kept"
    assert proxy.state() == {"s1": (7, "ready", 0), "s2": (1, "drain", 0), "s3": (1, "ready", 9)}
    assert {(one.server, one.key) for one in view.steps} == {
        ("s1", "weight"),
        ("s2", "state"),
        ("s3", "limit"),
    }
    assert workflows.apply_configuration(author="anna", settings=settings).state == "nothing to do"
    workflows.change_configuration(["servers.s2.state=maint"], settings=settings, **SIGNED)
    workflows.apply_configuration(author="anna", settings=settings)
    assert proxy.state()["s2"][1] is ServerState.MAINT
    assert workflows.compare_with_target(settings=settings).changes == []


def test_a_dry_run_changes_nothing(start, tmp_path, settings):
    proxy = start(*LINES)
    configure(tmp_path, settings, proxy, "servers.s1.weight=7")
    view = workflows.apply_configuration(dry_run=True, settings=settings)
    assert (view.state, len(view.steps)) == ("not applied", 1)
    assert proxy.state()["s1"][0] == 1


def test_what_haproxy_refuses_is_taken_back_as_a_whole(start, tmp_path, settings):
    """HAProxy takes weights up to 256; s1 is changed before s2 is refused."""
    proxy = start(*LINES)
    configure(tmp_path, settings, proxy, "balancers.strategy=round_robin", "servers.s1.weight=5")
    workflows.apply_configuration(author="anna", settings=settings)
    workflows.change_configuration(
        ["servers.s*.weight=300", "servers.s1.weight=6"], settings=settings, **SIGNED
    )
    view = workflows.apply_configuration(author="anna", settings=settings)
    assert view.state == "rolled_back"
    assert "between 0 and 256" in view.told
    assert [weight for weight, _, _ in proxy.state().values()] == [5, 1, 1]
    held = workflows.show_configuration(settings=settings)
    assert (held.version, held.reason[:18]) == (3, "as version 1 again")
    assert held.configuration["servers"]["s1"]["weight"] == 5


def test_weights_of_a_static_algorithm_are_refused_and_taken_back(start, tmp_path, settings):
    proxy = start(*LINES, balance="static-rr")
    configure(tmp_path, settings, proxy, "servers.s1.weight=7", "servers.s3.limit=4")
    view = workflows.apply_configuration(author="anna", settings=settings)
    assert (view.state, proxy.state()["s3"]) == ("rolled_back", (1, "ready", 0))
    assert "static LB algorithm" in view.told
    assert view.notes == [
        "it runs balance static-rr, not haproxy.roundrobin, which cannot be changed while it runs: "
        "`workbench config export` writes it for a reload"
    ]


def test_a_guard_that_fires_puts_the_balancer_and_the_version_back(start, tmp_path, settings):
    """Traffic goes on throughout; the change sends it to a server that answers 500."""
    with answering(Answering) as good, answering(Broken) as bad:
        proxy = start(f"s1 127.0.0.1:{good}", f"s2 127.0.0.1:{bad} disabled", LINES[2] + " disabled")
        configure(tmp_path, settings, proxy, "servers.s2.state=maint", "servers.s3.state=maint")
        assert workflows.apply_configuration(author="anna", settings=settings).state == "nothing to do"
        workflows.change_configuration(
            ["servers.s1.state=drain", "servers.s2.state=ready"], settings=settings, **SIGNED
        )
        asked, stop = [], threading.Event()

        def ask() -> None:
            while not stop.wait(0.01):
                asked.append(proxy.get())

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            view = workflows.apply_configuration(
                watch_for="20s", guards=["errors > 10 %"], author="anna", settings=settings
            )
        finally:
            stop.set()
            asking.join()
        last = proxy.get()
    assert view.state == "rolled_back"
    assert view.told.startswith("guard errors > 10 % fired")
    assert view.watched_s < 10
    assert (proxy.state()["s1"][1], proxy.state()["s2"][1], last) == ("ready", "maint", 200)
    assert 500 in asked
    held = workflows.show_configuration(settings=settings)
    assert (held.version, held.configuration["servers"]["s1"]["state"]) == (3, "ready")
    (applied,) = workflows.configuration_history(settings=settings).applications
    assert (applied.version, applied.state) == (2, "rolled_back")


def test_without_a_guard_that_fires_the_change_stays(start, tmp_path, settings):
    with answering(Answering) as good:
        proxy = start(*(f"s{number} 127.0.0.1:{good}" for number in (1, 2, 3)))
        configure(tmp_path, settings, proxy, "servers.s1.weight=3")
        view = workflows.apply_configuration(watch_for="1s", author="anna", settings=settings)
    assert (view.state, proxy.state()["s1"][0]) == ("kept", 3)
    assert view.watched_s >= 1


def test_a_change_that_leaves_only_servers_that_are_down_is_refused(start, tmp_path, settings):
    with answering(Answering) as good:
        dead = free_port()
        proxy = start(
            f"s1 127.0.0.1:{good} check inter 50ms",
            f"s2 127.0.0.1:{dead} check inter 50ms fall 1",
            f"s3 127.0.0.1:{dead} check inter 50ms fall 1",
        )
        until = time.monotonic() + 5
        while proxy.target.observe().usable != 1 and time.monotonic() < until:
            time.sleep(0.05)
        configure(tmp_path, settings, proxy, "servers.s1.state=maint")
        with pytest.raises(InputError, match=r"leave no usable server \(down now: s2, s3\)"):
            workflows.apply_configuration(author="anna", settings=settings)
        assert proxy.state()["s1"][1] == "ready"
        forced = workflows.apply_configuration(author="anna", force=True, settings=settings)
        assert (forced.state, proxy.state()["s1"][1]) == ("kept", "maint")


def test_a_name_cannot_smuggle_a_command_in(start, tmp_path, settings):
    proxy = start(*LINES)
    configure(tmp_path, settings, proxy, "servers.s1; disable server web/s2={weight: 3}")
    view = workflows.apply_configuration(author="anna", settings=settings)
    assert view.state == "nothing to do"
    assert proxy.state()["s2"][1] == "ready"


APPLIERS = """
import os
import sys
import workbench as wb
from workbench import workflows

settings = wb.Settings(lake=sys.argv[1])
for _ in sys.stdin:
    applier = os.fork()
    if applier == 0:
        workflows.apply_configuration(watch_for="60s", author="anna", settings=settings)
    print(applier, flush=True)
    os.waitpid(applier, 0)
    print("ended", flush=True)
"""
TRIES = 60


@pytest.mark.slow
def test_what_a_killed_process_left_is_put_back_and_two_at_once_are_refused(start, tmp_path, settings):
    """Killed 60 times at random instants, from before the change to the watch; then once in the watch."""
    proxy = start(*LINES)
    before, instants = proxy.state(), random.Random(8)
    configure(
        tmp_path, settings, proxy, "servers.s1.weight=7", "servers.s2.state=drain", "servers.s3.limit=9"
    )
    after = {"s1": (7, "ready", 0), "s2": (1, "drain", 0), "s3": (1, "ready", 9)}
    seen = []
    with subprocess.Popen(
        [sys.executable, "-c", APPLIERS, str(settings.lake)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=Path(__file__).parents[2],
    ) as appliers:
        assert appliers.stdin is not None
        assert appliers.stdout is not None
        for number in range(TRIES + 1):
            appliers.stdin.write("go\n")
            pid = int(appliers.stdout.readline())
            if number < TRIES:
                time.sleep(instants.uniform(0.0, 0.03))
            else:
                until = time.monotonic() + 10
                while proxy.state() != after and time.monotonic() < until:
                    time.sleep(0.02)
                with pytest.raises(ConflictError, match=f"process {pid} applies a version there"):
                    workflows.apply_configuration(author="bob", settings=settings)
            os.kill(pid, signal.SIGKILL)
            assert appliers.stdout.readline() == "ended\n"
            seen.append({True: "before", False: "not before"}[proxy.state() == before])
            workflows.recover_configuration(settings=settings)
            assert proxy.state() == before
            with ConfigurationFile(settings.lake / "configuration.sqlite") as file:
                assert Journal(file).unfinished(proxy.target.address) is None
    assert set(seen) == {"before", "not before"}


def test_a_label_stands_for_a_target(tmp_path):
    target = read_target(f"haproxy(socket={tmp_path}/ha.sock, backend=web)")
    assert target == HaproxyTarget(socket=f"{tmp_path}/ha.sock", backend="web")
