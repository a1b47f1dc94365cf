"""nginx's max_fails beside the real program on loopback: every attempt it makes is one that is expected."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity.programs import WAIT, free_ports, running
from tests.unit.simulate.health.servers import Server
from tests.unit.simulate.health.watch import ERROR, OK, UNREACHABLE, Watch, pool
from workbench.simulate.detectors.nginx import NginxMaxFails
from workbench.tables import Outcome

pytestmark = pytest.mark.system

OUTCOMES = {"200": OK, "500": ERROR, "502": UNREACHABLE}
UNSURE = 0.02
"""Seconds around a full one of the clock in which nginx may have read it before or after."""

CONFIGURATION = """
daemon off; master_process off;
pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    log_format attempts '$msec $upstream_addr | $upstream_status';
    access_log {folder}/access.log attempts;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    upstream u {{
        server 127.0.0.1:{first} max_fails={max_fails} fail_timeout=1s;
        server 127.0.0.1:{second} max_fails={max_fails} fail_timeout=1s;
    }}
    server {{
        listen 127.0.0.1:{own};
        location / {{ proxy_pass http://u; proxy_next_upstream error timeout {listed}; }}
    }}
}}
"""


def request(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), WAIT) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while client.recv(65536):
            pass


def requests_for(seconds: float, port: int) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        request(port)
        time.sleep(0.02)


def attempts(log: Path, ports: list[int]) -> list[tuple[float, list[tuple[int, Outcome]]]]:
    """Read each request's time, and the servers that it was sent to in turn with what came of it."""
    found = []
    for line in log.read_text().splitlines():
        at, addresses, codes = re.fullmatch(r"(\S+) (.*) \| (.*)", line).groups()  # type: ignore[union-attr]
        servers = [ports.index(int(one.rpartition(":")[2])) for one in addresses.split(", ")]
        found.append(
            (float(at), list(zip(servers, [OUTCOMES[code] for code in codes.split(", ")], strict=True)))
        )
    return found


@pytest.mark.parametrize(
    ("max_fails", "listed", "fails"),
    [
        (1, "", "dies"),
        (3, "", "dies"),
        (1, "http_500", "errors"),
        (2, "http_500", "errors"),
        (1, "", "errors"),
    ],
)
def test_attempts_are_those_of_the_real_program(
    program: Callable[[str], str], tmp_path: Path, max_fails: int, listed: str, fails: str
):
    own, *ports = free_ports(3)
    servers = [Server(port, 200) for port in ports]
    config = tmp_path / "nginx.conf"
    places = {"folder": tmp_path, "own": own, "first": ports[0], "second": ports[1]}
    config.write_text(CONFIGURATION.format(**places, max_fails=max_fails, listed=listed))
    command = [program("nginx"), "-c", str(config), "-p", str(tmp_path), "-e", f"{tmp_path}/error.log"]
    with running(command, tmp_path / "log", port=own):
        requests_for(0.3, own)
        if fails == "dies":
            servers[0].stop()
        servers[0].status = 500
        requests_for(4.5, own)
        if fails == "dies":
            servers[0].start()
        servers[0].status = 200
        requests_for(2.2, own)
    for server in servers:
        server.stop()

    seen = attempts(tmp_path / "access.log", ports)
    begin = int(seen[0][0])
    detector = NginxMaxFails(
        max_fails=max_fails, fail_timeout=1, unsuccessful=["http_500"] if listed else [], clock_offset=0
    )
    watch = Watch(pool(2), detector=detector)
    out = idle = 0
    for at, tried in seen:
        watch.advance(at - begin)
        sure = UNSURE < at % 1 < 1 - UNSURE
        was_out = bool(watch.ejected())
        out += was_out
        assert not (sure and was_out and any(server == 0 for server, _ in tried))
        idle = 0 if was_out or any(server == 0 for server, _ in tried) else idle + sure
        assert idle < 3, "nginx left a server out that is in"
        for server, outcome in tried:
            watch.pick(at - begin, server)
            watch.answer(at - begin, server, outcome)
    failures = sum(outcome != OK for _, tried in seen for _, outcome in tried)
    if fails == "errors" and not listed:
        assert out == 0
        assert failures > 50
    else:
        # Out for one to two seconds after each failure of a server that is back on trial.
        assert out > 50
        assert max_fails <= failures <= max_fails + 5
