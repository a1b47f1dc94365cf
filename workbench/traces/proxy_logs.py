"""What a proxy's own log says of a recorded run: checks, servers that go and come back, retries."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.errors import TraceError
from workbench.traces.products import Proxy

_MICRO = 1e-6
_CHECK = re.compile(r"(-?\d+) Health check for server [^/ ]+/\D*(\d+) succeeded")
_STATE = re.compile(r"(-?\d+) Server [^/ ]+/\D*(\d+) is (DOWN|UP)")
_HAPROXY_RETRIED = re.compile(r" \d+/\d+/\d+/\d+/\+?[1-9]\d* \d+/\d+ ")
_NGINX_RETRIED = re.compile(
    r"(?P<end>[\d.]+) (?P<took>[\d.]+) \d+ (?P<server>[^ ,]+), .*? (?P<failed>[\d.]+), [\d.]+ \S+ \""
)
"""A request with two attempts, by the log format of the recordings."""


@dataclass(frozen=True)
class ProxyLog:
    """What was found in a log; times in seconds from the start of the recording."""

    retried: int = 0
    """Requests that took more than one attempt."""
    first_checks: dict[int, float] = field(default_factory=dict)
    """When the first good check of each server was known."""
    downs: list[tuple[float, int]] = field(default_factory=list)
    """When which server went down."""
    ups: list[tuple[float, int]] = field(default_factory=list)


def read_log(file: Path, proxy: Proxy, *, names: Sequence[str], wall_clock: float) -> ProxyLog | None:
    """Read the log of a recording; None where there is no file.

    Args:
        file: the compressed log.
        proxy: whose log it is.
        names: the servers' addresses.
        wall_clock: what the wall clock showed at the start of the recording, seconds.

    Raises:
        TraceError: the file is corrupt.
    """
    if not file.is_file():
        return None
    try:
        with gzip.open(file, "rt", errors="replace") as text:
            lines = text.read().splitlines()
    except (OSError, EOFError) as error:
        raise TraceError(f"{file}: the log cannot be read ({error})") from None
    return _nginx(lines, names, wall_clock) if proxy == "nginx" else _haproxy(lines)


def _nginx(lines: list[str], names: Sequence[str], wall_clock: float) -> ProxyLog:
    """Read an access log: a server goes out of service when it fails a request, which is tried elsewhere."""
    found = [retry for line in lines if (retry := _NGINX_RETRIED.match(line))]
    downs = []
    for retry in found:
        began = float(retry["end"]) - float(retry["took"]) - wall_clock
        if retry["server"] in names:
            downs.append((began + float(retry["failed"]), names.index(retry["server"])))
    return ProxyLog(retried=len(found), downs=sorted(downs))


def _haproxy(lines: list[str]) -> ProxyLog:
    found = ProxyLog(retried=sum(_HAPROXY_RETRIED.search(line) is not None for line in lines))
    for line in lines:
        if check := _CHECK.match(line):
            found.first_checks.setdefault(int(check[2]) - 1, int(check[1]) * _MICRO)
        elif state := _STATE.match(line):
            times = found.downs if state[3] == "DOWN" else found.ups
            times.append((int(state[1]) * _MICRO, int(state[2]) - 1))
    return found
