"""Requests sent on after a failure, beside the real HAProxy and nginx: not one server may differ."""

from __future__ import annotations

import csv
import queue
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.parity.driver import Driver, pool
from tests.parity.programs import WAIT, Backends, Client, free_ports, running
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.haproxy import (
    HaproxyHash,
    HaproxyRandom,
    HaproxyRoundrobin,
    HaproxySource,
    HaproxyStaticRr,
)
from workbench.simulate.strategies.nginx import NginxLeastConn, NginxRoundRobin
from workbench.workflows import show_picks

SERVERS, DEAD, COUNT = 5, 2, 200
CHANCE = np.random.Generator(np.random.PCG64(22))
WEIGHTS = [tuple(int(weight) for weight in CHANCE.integers(1, 10, SERVERS)) for _ in range(4)]


def ports_with_a_dead_one(backends: Backends) -> list[int]:
    """Give the ports of the servers; nothing listens on that of DEAD."""
    ports = list(backends.ports)
    ports.insert(DEAD, free_ports(1)[0])
    return ports


def name_of(reached: int) -> int:
    """Number the server that was reached; the one that is DEAD is not among those that listen."""
    return reached + (reached >= DEAD)


@pytest.mark.parametrize("strategy", [HaproxyRoundrobin(), HaproxyStaticRr()], ids=lambda each: each.label)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_haproxy_sends_on_to_the_server_that_ours_picks_next(
    program: Callable[[str], str], tmp_path: Path, strategy: Strategy, weights: tuple[int, ...]
) -> None:
    """Held requests fill servers, so that on the way from the dead one full ones are passed over, too."""
    limits = [3, 2, 0, 2, 0]
    backends = Backends(SERVERS - 1)
    (port,) = free_ports(1)
    lines = [
        "global",
        "  nbthread 1",
        "defaults",
        "  mode http",
        *(f"  timeout {what} 5s" for what in ("connect", "client", "server", "queue")),
        "  option httpclose",
        "  retries 1",
        "  option redispatch 1",
        "listen p",
        f"  bind 127.0.0.1:{port}",
        f"  balance {strategy.kind.removeprefix('haproxy.').replace('_', '-')}",
    ]
    for server, at in enumerate(ports_with_a_dead_one(backends)):
        limit = f"maxconn {limits[server]}" if limits[server] else ""
        lines.append(f"  server s{server} 127.0.0.1:{at} weight {weights[server]} {limit}")
    (tmp_path / "haproxy.cfg").write_text("\n".join(lines) + "\n")
    command = [program("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg")]
    driver = Driver(strategy, pool(weights, limits=limits))
    chance = np.random.Generator(np.random.PCG64(5))
    failures = 0
    with running(command, tmp_path / "log", port=port):
        client = Client(port, backends)
        for step in range(COUNT):
            hold = chance.random() < 0.5
            server = driver.pick()
            if server == DEAD:
                driver.end(server, good=False)
                server = driver.pick(avoid=DEAD, tries=1)
                failures += 1
            assert name_of(client.pick(hold=hold)) == server, f"request {step}"
            if not hold:
                driver.end(server)
            while client.held and (chance.random() < 0.3 or len(client.held) > 6):
                driver.end(name_of(client.end(int(chance.random() * len(client.held)))))
        client.close()
    backends.close()
    assert failures > 5


@pytest.mark.parametrize("strategy", [NginxRoundRobin(), NginxLeastConn()], ids=lambda each: each.label)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_nginx_sends_on_to_the_server_that_ours_picks_next(
    program: Callable[[str], str], tmp_path: Path, strategy: Strategy, weights: tuple[int, ...]
) -> None:
    backends = Backends(SERVERS - 1)
    (port,) = free_ports(1)
    method = "" if isinstance(strategy, NginxRoundRobin) else "least_conn;"
    servers = [
        f"server 127.0.0.1:{at} weight={weight} max_fails=6 fail_timeout=1000s;"
        for at, weight in zip(ports_with_a_dead_one(backends), weights, strict=True)
    ]
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    (tmp_path / "nginx.conf").write_text(
        f"""daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;
        events {{ worker_connections 512; }}
        http {{ access_log off; {" ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)}
        upstream u {{ {method} {" ".join(servers)} }}
        server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; }} }} }}"""
    )
    command = [program("nginx"), "-c", f"{tmp_path}/nginx.conf", "-p", str(tmp_path), "-e", f"{tmp_path}/log"]
    with running(command, tmp_path / "out", port=port):
        client = Client(port, backends)
        seen = [name_of(client.pick()) for _ in range(COUNT)]
    backends.close()
    ours = show_picks(
        strategy, weights=weights, count=COUNT, fail=[f"{DEAD}@0-{COUNT}"], max_fails=6, interval=0
    )
    assert ours.picks == seen
    assert sum(len(tries) > 1 for tries in ours.tries) == 6


def queued(control: Path) -> dict[str, int]:
    """Ask a running HAProxy how many requests wait at each server and at the backend."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(control))
        connection.sendall(b"show stat\n")
        text = b""
        while part := connection.recv(65536):
            text += part
    rows = csv.DictReader(text.decode().removeprefix("# ").splitlines())
    return {row["svname"]: int(row["qcur"]) for row in rows if row["qcur"]}


@pytest.mark.parametrize(
    ("balance", "strategy"),
    [
        ("random(1)", HaproxyRandom(draws=1)),
        ("random(2)", HaproxyRandom()),
        ("source", HaproxySource()),
        ("url_param k", HaproxyHash()),
        ("url_param k\n  hash-type consistent", HaproxyHash(type="consistent")),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_requests_wait_where_haproxy_lets_them_wait(
    program: Callable[[str], str], tmp_path: Path, balance: str, strategy: Strategy
) -> None:
    """With every server full, by hash at the server itself, and at the backend after random draws."""
    backends = Backends(2)
    (port,) = free_ports(1)
    lines = [
        "global",
        "  nbthread 1",
        f"  stats socket {tmp_path}/control level admin",
        "defaults",
        "  mode http",
        *(f"  timeout {what} 5s" for what in ("connect", "client", "server", "queue")),
        "listen p",
        f"  bind 127.0.0.1:{port}",
        f"  balance {balance}",
        *(f"  server s{server} 127.0.0.1:{at} maxconn 1" for server, at in enumerate(backends.ports)),
    ]
    (tmp_path / "haproxy.cfg").write_text("\n".join(lines) + "\n")
    command = [program("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg")]
    with running(command, tmp_path / "log", port=port):
        connections = []
        for number in range(12):
            connections.append(socket.create_connection(("127.0.0.1", port), 5))
            connections[-1].sendall(f"GET /hold?k={number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        until = time.monotonic() + WAIT
        waiting: dict[str, int] = {}
        while sum(waiting.values()) < 10 and time.monotonic() < until:
            time.sleep(0.02)
            waiting = queued(tmp_path / "control")
    for connection in connections:
        connection.close()
    with suppress(queue.Empty):
        while True:
            backends.reached.get(timeout=0.3)[1].close()
    backends.close()
    at_servers = waiting["s0"] + waiting["s1"]
    assert at_servers + waiting["BACKEND"] >= 10
    assert (waiting["BACKEND"] == 0) if strategy.waits_at_server else (at_servers == 0)
