"""HAProxy's strategies beside the real program on loopback: not one pick may differ."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.parity.driver import Driver, pool
from tests.parity.programs import Backends, Client, free_ports, running
from workbench.simulate.strategies import Strategy
from workbench.simulate.strategies.haproxy import (
    HaproxyFirst,
    HaproxyHash,
    HaproxyLeastconn,
    HaproxyRoundrobin,
    HaproxySource,
    HaproxyStaticRr,
)

SERVERS = 5
KEYS = [f"/a/{number * number}.html" for number in range(150)]
ADDRESSES = [f"127.{number}.{number * 37 % 256}.{1 + number * 11 % 250}" for number in range(120)]
CHANCE = np.random.Generator(np.random.PCG64(20))


@dataclass(frozen=True)
class Case:
    """A proxy of the configuration and what should equal it."""

    strategy: Strategy
    lines: tuple[str, ...]
    weights: tuple[int, ...]
    limits: tuple[int, ...] = (0,) * SERVERS
    keys: tuple[str, ...] = ()
    hold: bool = False
    changes: bool = False

    def __str__(self) -> str:
        return f"{self.strategy.label}-{self.weights}{'-held' * self.hold}{'-changing' * self.changes}"


def _weights(most: int = 256) -> tuple[int, ...]:
    return tuple(int(weight) for weight in CHANCE.integers(1, most + 1, SERVERS))


def _hash(**settings: object) -> Case:
    consistent = settings.get("type") == "consistent"
    function = settings.get("function", "")
    mixed = "avalanche" if settings.get("avalanche") else ""
    lines = [
        "balance url_param k",
        f"hash-type {'consistent' if consistent else 'map-based'} {function} {mixed}",
    ]
    if factor := settings.get("balance_factor"):
        lines.append(f"hash-balance-factor {factor}")
    strategy = HaproxyHash.model_validate(settings)
    return Case(strategy, tuple(lines), _weights(20), keys=tuple(KEYS), hold=bool(factor))


FULL = (3, 2, 0, 4, 1)
CASES = [
    *(Case(HaproxyRoundrobin(), ("balance roundrobin",), _weights(most)) for most in (3, 9, 50, 256, 256)),
    *(Case(HaproxyRoundrobin(), ("balance roundrobin",), _weights(), changes=True) for _ in range(3)),
    *(Case(HaproxyRoundrobin(), ("balance roundrobin",), _weights(9), FULL, hold=True) for _ in range(3)),
    *(Case(HaproxyStaticRr(), ("balance static-rr",), _weights(most)) for most in (3, 9, 50, 256)),
    *(Case(HaproxyStaticRr(), ("balance static-rr",), _weights(9), FULL, hold=True) for _ in range(2)),
    *(
        Case(HaproxyLeastconn(), ("balance leastconn",), _weights(most), hold=True)
        for most in (1, 9, 50, 256)
    ),
    *(
        Case(HaproxyLeastconn(), ("balance leastconn",), _weights(9), hold=True, changes=True)
        for _ in range(2)
    ),
    *(Case(HaproxyLeastconn(), ("balance leastconn",), _weights(9), FULL, hold=True) for _ in range(2)),
    Case(HaproxyFirst(), ("balance first",), _weights(), FULL, hold=True),
    _hash(),
    _hash(function="djb2"),
    _hash(function="wt6", avalanche=True),
    _hash(function="crc32"),
    _hash(type="consistent"),
    _hash(type="consistent", function="sdbm"),
    _hash(type="consistent", function="wt6", avalanche=True),
    _hash(type="consistent", function="crc32", avalanche=True),
    _hash(type="consistent", balance_factor=101),
    _hash(type="consistent", balance_factor=150),
    Case(HaproxySource(), ("balance source",), _weights(9), keys=tuple(ADDRESSES)),
    Case(
        HaproxySource(avalanche=True),
        ("balance source", "hash-type map-based sdbm avalanche"),
        _weights(9),
        keys=tuple(ADDRESSES),
    ),
    Case(
        HaproxySource(type="consistent"),
        ("balance source", "hash-type consistent"),
        _weights(9),
        keys=tuple(ADDRESSES),
    ),
]


@dataclass(frozen=True)
class Live:
    """A running HAProxy: its proxies in the order of the cases, and its control socket."""

    clients: list[Client]
    control: Path

    def command(self, text: str) -> None:
        """Give a runtime command."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(f"{text}\n".encode())
            assert control.recv(4096).strip() == b"", text


@pytest.fixture(scope="module")
def live(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("haproxy")
    backends = Backends(SERVERS)
    ports = free_ports(len(CASES))
    lines = [
        "global",
        "  nbthread 1",
        f"  stats socket {folder}/control level admin",
        "defaults",
        "  mode http",
        "  timeout connect 5s",
        "  timeout client 60s",
        "  timeout server 60s",
        "  timeout queue 5s",
        "  option httpclose",
        "  retries 0",
    ]
    for number, (case, port) in enumerate(zip(CASES, ports, strict=True)):
        lines += [f"listen p{number}", f"  bind 127.0.0.1:{port}", *(f"  {line}" for line in case.lines)]
        for server in range(SERVERS):
            limit = f"maxconn {case.limits[server]}" if case.limits[server] else ""
            where = f"127.0.0.1:{backends.ports[server]}"
            lines.append(f"  server s{server} {where} weight {case.weights[server]} {limit}")
    config = folder / "haproxy.cfg"
    config.write_text("\n".join(lines) + "\n")
    command = [program("haproxy"), "-db", "-f", str(config)]
    with running(command, folder / "log", port=ports[0]):
        clients = [Client(port, backends) for port in ports]
        yield Live(clients, folder / "control")
        for client in clients:
            client.close()
    backends.close()


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case in CASES])
def test_picks_as_haproxy_does(live: Live, number: int) -> None:
    case, client = CASES[number], live.clients[number]
    driver = Driver(case.strategy, pool(case.weights, limits=case.limits), keys=case.keys)
    chance = np.random.Generator(np.random.PCG64(number))
    addresses = isinstance(case.strategy, HaproxySource)
    seen, ours = [], []
    for step in range(250):
        key = int(chance.random() * len(case.keys)) if case.hold else step % max(len(case.keys), 1)
        given = case.keys[key] if case.keys else ""
        hold = case.hold and chance.random() < 0.6
        seen.append(client.pick(hold=hold, **{"source" if addresses else "key": given or "127.0.0.1"}))
        ours.append(driver.pick(key=key))
        assert ours[-1] == seen[-1], f"pick {step}: {seen} against {ours}"
        if not hold:
            driver.end(ours[-1])
        while client.held and (chance.random() < 0.3 or len(client.held) > 15):
            driver.end(client.end(int(chance.random() * len(client.held))))
        if case.changes and chance.random() < 0.2:
            server = int(chance.random() * SERVERS)
            weight = int(chance.random() * 257) if chance.random() < 0.8 else 0
            if any(kept for other, kept in enumerate(driver.view.weight) if other != server):
                live.command(f"set weight p{number}/s{server} {weight}")
                driver.set_weight(server, weight)
    while client.held:
        client.end(0)
