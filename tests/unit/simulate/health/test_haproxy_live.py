"""HAProxy's checks and observe beside the real program on loopback: the same steps of health, in time."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.parity.programs import WAIT, free_ports, running
from tests.unit.simulate.health.servers import Server
from tests.unit.simulate.health.watch import ERROR, UNREACHABLE, Watch, pool
from workbench.simulate.checks import PASSED
from workbench.simulate.checks.haproxy import HaproxyCheck
from workbench.simulate.detectors.haproxy import HaproxyObserve

pytestmark = pytest.mark.system

RISE, FALL = 2, 3
LATE = 0.25
"""Seconds by which a busy machine may be late; all intervals differ by more."""

CONFIGURATION = """
global
    log stdout format timed local0
defaults
    mode http
    log global
    retries 0
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    option log-health-checks
frontend f
    bind 127.0.0.1:{own}
    default_backend b
backend b
    server s 127.0.0.1:{server} check rise {rise} fall {fall} {settings}
"""


class Step(NamedTuple):
    """A change of health, as HAProxy logs it."""

    at: float
    status: str


class Proxy:
    """HAProxy in front of one server."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def request(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), WAIT) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while client.recv(65536):
                pass

    def steps(self) -> list[Step]:
        found = re.findall(r"<\d>(\S+) Health check .* status: (\d+/\d+ \w+)\.", self.log.read_text())
        return [Step(datetime.fromisoformat(at).timestamp(), status) for at, status in found]

    def wait_for(self, status: str, *, after: int) -> None:
        until = time.monotonic() + WAIT
        while status not in [step.status for step in self.steps()[after:]]:
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)


@contextmanager
def haproxy(
    command: str, folder: Path, settings: str, *, status: int = 200
) -> Iterator[tuple[Proxy, Server]]:
    own, port = free_ports(2)
    server = Server(port, status)
    file = folder / "haproxy.cfg"
    file.write_text(CONFIGURATION.format(own=own, server=port, rise=RISE, fall=FALL, settings=settings))
    try:
        with running([command, "-f", str(file), "-db"], folder / "log", port=own):
            proxy = Proxy(own, folder / "log")
            proxy.wait_for(f"{FALL}/{FALL} UP", after=0)
            yield proxy, server
    finally:
        server.stop()


def shown(health: int) -> str:
    """Spell a counter of health as HAProxy's log does."""
    return f"{health - RISE + 1}/{FALL} UP" if health >= RISE else f"{health}/{RISE} DOWN"


def test_checks_take_the_steps_of_the_real_program_in_its_intervals(
    program: Callable[[str], str], tmp_path: Path
):
    with haproxy(program("haproxy"), tmp_path, "inter 1200ms fastinter 300ms downinter 650ms") as (
        proxy,
        server,
    ):
        before = len(proxy.steps())
        server.stop()
        proxy.wait_for(f"0/{RISE} DOWN", after=before)
        server.start()
        back = time.time()
        proxy.wait_for(f"{FALL}/{FALL} UP", after=before)
        seen = proxy.steps()[before:]

    watch = Watch(pool(), check=HaproxyCheck(inter=1.2, fastinter=0.3, downinter=0.65, rise=RISE, fall=FALL))
    watch.end_check(0, 0, PASSED)
    begin = seen[0].at
    watch.next_check[0] = 0.0
    expected = []
    health = watch.checks.ints[3]
    while len(expected) < len(seen):
        (ended,) = watch.run_checks(min(watch.next_check), lambda server, time: int(begin + time >= back))
        if watch.checks.ints[3] != health:
            health = watch.checks.ints[3]
            expected.append(Step(begin + ended[0], shown(health)))
    assert [step.status for step in seen] == [step.status for step in expected]
    gaps = [after.at - before.at for before, after in pairwise(seen)]
    planned = [after.at - before.at for before, after in pairwise(expected)]
    for place in (0, 1, 3):
        assert planned[place] == pytest.approx(0.3)
        assert -0.02 < gaps[place] - planned[place] < LATE
    assert 0 <= seen[3].at - back < 0.65 + LATE


@pytest.mark.parametrize("action", ["fail-check", "sudden-death", "mark-down"])
@pytest.mark.parametrize("layer", ["layer4", "layer7"])
def test_observe_takes_the_steps_of_the_real_program(
    program: Callable[[str], str], tmp_path: Path, layer: str, action: str
):
    observe = f"inter 60s observe {layer} error-limit 2 on-error {action}"
    with haproxy(program("haproxy"), tmp_path, observe, status=500) as (proxy, server):
        before = len(proxy.steps())
        if layer == "layer4":
            for _ in range(5):
                proxy.request()
            assert proxy.steps()[before:] == []
            server.stop()
        seen = []
        for _ in range(6):
            proxy.request()
            seen.append([step.status for step in proxy.steps()[before:]])
        if layer == "layer4":
            server.start()

    detector = HaproxyObserve(layer=layer, error_limit=2, on_error=action)
    watch = Watch(pool(), check=HaproxyCheck(inter=60, rise=RISE, fall=FALL), detector=detector)
    watch.end_check(0, 0, PASSED)
    expected: list[list[str]] = []
    health = watch.checks.ints[3]
    for _ in range(6):
        expected.append(list(expected[-1]) if expected else [])
        if watch.checks.up[0]:
            watch.answer(1, 0, UNREACHABLE if layer == "layer4" else ERROR)
        if watch.checks.ints[3] != health:
            health = watch.checks.ints[3]
            expected[-1].append(shown(health))
    assert seen == expected
