"""nginx's strategies beside the real program on loopback: not one pick may differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from tests.parity.driver import Driver, pool
from tests.parity.programs import Backends, Client, free_ports, running
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.nginx import (
    NginxHash,
    NginxHashConsistent,
    NginxIpHash,
    NginxLeastConn,
    NginxRoundRobin,
)

SERVERS = 5
KEYS = [*(f"/a/{number * number}.html" for number in range(200)), ""]
ADDRESSES = [f"127.{number}.{number * 37 % 256}.{1 + number * 11 % 250}" for number in range(200)]
CHANCE = np.random.Generator(np.random.PCG64(21))
FULL = (3, 2, 0, 4, 1)


@dataclass(frozen=True)
class Case:
    """An upstream of the configuration and what should equal it."""

    strategy: Strategy
    line: str
    most_weight: int = 9
    limits: tuple[int, ...] = (0,) * SERVERS
    keys: tuple[str, ...] = ()
    down: tuple[int, ...] = ()
    hold: bool = False

    def __str__(self) -> str:
        return f"{self.strategy.label}-{self.most_weight}-{self.limits}-{self.down}{'-held' * self.hold}"


CASES = [
    *(Case(NginxRoundRobin(), "", most) for most in (3, 9, 50, 1000)),
    *(Case(NginxRoundRobin(), "", most, FULL, hold=True) for most in (3, 9, 50)),
    *(Case(NginxLeastConn(), "least_conn;", most) for most in (3, 50)),
    *(Case(NginxLeastConn(), "least_conn;", most, hold=True) for most in (1, 3, 9, 50)),
    *(Case(NginxLeastConn(), "least_conn;", most, FULL, hold=True) for most in (3, 9)),
    *(Case(NginxHash(), "hash $arg_k;", keys=tuple(KEYS), down=down) for down in ((), (1,), (0, 2, 3))),
    Case(NginxHash(), "hash $arg_k;", 50, FULL, keys=tuple(KEYS), hold=True),
    *(
        Case(NginxHashConsistent(), "hash $arg_k consistent;", keys=tuple(KEYS), down=down)
        for down in ((), (1,), (0, 2, 3))
    ),
    Case(NginxHashConsistent(), "hash $arg_k consistent;", 9, FULL, keys=tuple(KEYS), hold=True),
    *(Case(NginxIpHash(), "ip_hash;", keys=tuple(ADDRESSES), down=down) for down in ((), (1,), (0, 2, 3))),
    Case(NginxIpHash(), "ip_hash;", 50, FULL, keys=tuple(ADDRESSES), hold=True),
]
WEIGHTS = [
    tuple(int(weight) for weight in CHANCE.integers(1, case.most_weight + 1, SERVERS)) for case in CASES
]


@pytest.fixture(scope="module")
def live(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Client], Backends]]:
    folder = tmp_path_factory.mktemp("nginx")
    backends = Backends(SERVERS)
    ports = free_ports(len(CASES))
    lines = [
        "daemon off; master_process off;",
        f"pid {folder}/pid; error_log {folder}/error.log;",
        "events { worker_connections 512; }",
        "http {",
        "access_log off; proxy_next_upstream off;",
        *(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ),
    ]
    for number, (case, weights, port) in enumerate(zip(CASES, WEIGHTS, ports, strict=True)):
        lines += [f"upstream u{number} {{", case.line]
        for server in range(SERVERS):
            down = "down" if server in case.down else ""
            most = f"max_conns={case.limits[server]}"
            lines.append(f"server 127.0.0.1:{backends.ports[server]} weight={weights[server]} {most} {down};")
        lines.append(
            f"}} server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u{number}; }} }}"
        )
    lines.append("}")
    config = folder / "nginx.conf"
    config.write_text("\n".join(lines))
    command = [program("nginx"), "-c", str(config), "-p", str(folder), "-e", f"{folder}/error.log"]
    with running(command, folder / "log", port=ports[0]):
        clients = [Client(port, backends) for port in ports]
        yield clients, backends
        for client in clients:
            client.close()
    backends.close()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case in CASES])
def test_picks_as_nginx_does(live: tuple[list[Client], Backends], number: int) -> None:
    case, weights, client = CASES[number], WEIGHTS[number], live[0][number]
    names = [f"127.0.0.1:{port}" for port in live[1].ports]
    driver = Driver(case.strategy, pool(weights, names=names, limits=case.limits), keys=case.keys)
    for server in case.down:
        driver.set_down(server, True)
    chance = np.random.Generator(np.random.PCG64(number))
    addresses = isinstance(case.strategy, NginxIpHash)
    seen, ours = [], []
    for step in range(300):
        key = int(chance.random() * len(case.keys)) if case.hold else step % max(len(case.keys), 1)
        given = case.keys[key] if case.keys else ""
        hold = case.hold and chance.random() < 0.6
        seen.append(client.pick(hold=hold, **({"source": given} if addresses else {"key": given})))
        ours.append(driver.pick(key=key))
        assert ours[-1] == seen[-1], f"pick {step}: {seen} against {ours}"
        if not hold:
            driver.end(ours[-1])
        while client.held and (chance.random() < 0.3 or len(client.held) > 15):
            driver.end(client.end(int(chance.random() * len(client.held))))
    while client.held:
        client.end(0)
