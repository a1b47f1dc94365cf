"""An nginx.conf with the upstream and a server before it."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from workbench.configuration.document import BalancerConfiguration, ServerSettings
from workbench.configuration.exporters._base import (
    EXPORTERS,
    Exported,
    Exporter,
    check_addresses,
    other_notes,
    part_note,
    server_notes,
    shown,
)
from workbench.configuration.importers import Note
from workbench.configuration.standing import ServerState
from workbench.errors import InputError
from workbench.simulate.checks import NginxPlusHealthCheck
from workbench.simulate.detectors import NginxMaxFails
from workbench.simulate.retries import NginxNextUpstream, NoRetries
from workbench.simulate.slow_start import NginxPlusSlowStart
from workbench.simulate.strategies import Strategy

_NAME, _ADDRESS = re.compile(r"[\w.-]+"), re.compile(r"[\w.:\[\]/-]+")
_LINES = {
    "nginx.round_robin": "",
    "nginx.least_conn": "least_conn;",
    "nginx.ip_hash": "ip_hash;",
    "nginx.hash": "hash $request_uri;",
    "nginx.hash_consistent": "hash $request_uri consistent;",
    "nginx.random": "random;",
    "nginx.random_two_least_conn": "random two least_conn;",
}
_ALIKE = {
    "least_connections": "nginx.least_conn",
    "join_shortest_queue": "nginx.least_conn",
    "haproxy.leastconn": "nginx.least_conn",
    "random": "nginx.random",
    "envoy.random": "nginx.random",
    "haproxy.random": "nginx.random_two_least_conn",
    "envoy.least_request": "nginx.random_two_least_conn",
    "power_of_two": "nginx.random_two_least_conn",
    "haproxy.hash": "nginx.hash_consistent",
    "envoy.ring_hash": "nginx.hash_consistent",
    "envoy.maglev": "nginx.hash_consistent",
}
"""The nearest method of nginx; it does not pick the same."""
_WITHOUT_BACKUP = ("nginx.ip_hash", "nginx.hash", "nginx.hash_consistent", "nginx.random")


@EXPORTERS.register
class NginxExporter(Exporter):
    """Writes what nginx can follow; `nginx -t` accepts it, with `plus` that of NGINX Plus."""

    summary: ClassVar[str] = "an nginx.conf"
    kind: Literal["nginx"] = "nginx"
    plus: bool = False
    """Whether NGINX Plus reads it, which has drain, slow starts, a queue, checks and least_time."""

    def write(self, configuration: BalancerConfiguration, *, name: str) -> Exported:
        """Write the upstream, and an example of a server that passes to it."""
        check_addresses(configuration)
        addresses = [one.address for one in configuration.servers.values()]
        wrong = [one for one in (name,) if not _NAME.fullmatch(one)]
        if wrong := wrong + [one for one in addresses if not _ADDRESS.fullmatch(one)]:
            raise InputError(
                f"names: given {shown(wrong)}; allowed: letters, digits and . : _ - / [ ] in nginx"
            )
        notes = self._notes(configuration)
        kind, line = self._method(configuration.balancers.strategy, notes)
        backups = not kind.startswith(_WITHOUT_BACKUP)
        servers = [self._server(one, configuration, backups) for one in configuration.servers.values()]
        if not backups and any(one.priority for one in configuration.servers.values()):
            notes.append(
                Note("priority", f"{kind} takes no backups; they are written as servers that are down")
            )
        zone = [f"zone {name} 1m;"] if self._checking(configuration) else []
        upstream = [*zone, line, *servers, *self._queue(configuration)]
        passing = [f"proxy_pass http://{name};", *_passing(configuration), *self._checking(configuration)]
        text = (
            "events {}\nhttp {\n"
            f"    upstream {name} {{\n{_indented(upstream, 8)}    }}\n"
            f"    server {{\n        listen 127.0.0.1:8080;\n        location / {{\n{_indented(passing, 12)}"
            "        }\n    }\n}\n"
        )
        return Exported(text, tuple(notes))

    def _notes(self, configuration: BalancerConfiguration) -> list[Note]:
        balancers, servers = configuration.balancers, configuration.servers
        notes = server_notes(configuration, more=("zone", "least_limit"))
        plus = ("nginx_plus.health_check", "nginx_plus.slow_start") if self.plus else ("", "")
        notes += part_note("checks", balancers.checks, plus[0])
        notes += part_note("slow_start", balancers.slow_start, plus[1])
        notes += part_note("detector", balancers.detector, "nginx.max_fails")
        notes += part_note("failover", balancers.failover, "nginx.backup")
        notes += part_note("retries", balancers.retries, "nginx")
        notes += other_notes(configuration, keys=("count", "view", "zone", "weights", "breaker"))
        if balancers.queue is not None and not (self.plus and balancers.queue.limit):
            notes.append(Note("queue", "nginx has none; NGINX Plus one with a limit"))
        if any(name != one.address for name, one in servers.items()):
            notes.append(Note("names", "servers have none in nginx; they are called by their addresses"))
        if zero := [
            name for name, one in servers.items() if one.state is ServerState.READY and not one.weight
        ]:
            notes.append(Note("weight", f"0 is not allowed; {shown(zero)} are down"))
        drained = [name for name, one in servers.items() if one.state is ServerState.DRAIN]
        if drained and not self.plus:
            notes.append(Note("state", f"there is no drain; {shown(drained)} are down"))
        if lower := [name for name, one in servers.items() if one.priority > 1]:
            notes.append(
                Note("priority", f"there are primaries and backups only; {shown(lower)} are backups")
            )
        return notes

    def _method(self, strategy: Strategy, notes: list[Note]) -> tuple[str, str]:
        kind = strategy.kind
        if kind == "nginx.least_time" and self.plus:
            return kind, f"least_time last_byte{' inflight' if strategy.model_dump()['inflight'] else ''};"
        if kind not in _LINES:
            kind = _ALIKE.get(kind, "nginx.least_conn" if kind == "nginx.least_time" else "nginx.round_robin")
            of = "in NGINX Plus only" if strategy.kind == "nginx.least_time" else "not nginx's"
            notes.append(Note("strategy", f"{strategy.label} is {of}; {kind} is written, the nearest"))
        if "hash" in kind and kind != "nginx.ip_hash":
            notes.append(Note("strategy", "the key is $request_uri; say where yours is"))
        return kind, _LINES[kind]

    def _server(self, server: ServerSettings, configuration: BalancerConfiguration, backups: bool) -> str:
        balancers = configuration.balancers
        words = ["server", server.address]
        words += [f"weight={server.weight}"] if server.weight > 1 else []
        words += [f"max_conns={server.limit}"] if server.limit else []
        if isinstance(detector := balancers.detector, NginxMaxFails):
            words += [f"max_fails={detector.max_fails}", f"fail_timeout={int(detector.fail_timeout)}s"]
        elif detector is not None:
            words.append("max_fails=0")
        if self.plus and isinstance(balancers.slow_start, NginxPlusSlowStart):
            words.append(f"slow_start={_time(balancers.slow_start.slow_start)}")
        words += ["backup"] if server.priority and backups else []
        if self.plus and server.state is ServerState.DRAIN:
            words.append("drain")
        elif not server.usable or (server.priority and not backups):
            words.append("down")
        return f"{' '.join(words)};"

    def _queue(self, configuration: BalancerConfiguration) -> list[str]:
        queue = configuration.balancers.queue
        if not self.plus or queue is None or not queue.limit:
            return []
        return [f"queue {queue.limit}{f' timeout={_time(queue.timeout)}' if queue.timeout else ''};"]

    def _checking(self, configuration: BalancerConfiguration) -> list[str]:
        checks = configuration.balancers.checks
        if not self.plus or not isinstance(checks, NginxPlusHealthCheck):
            return []
        words = [f"interval={_time(checks.interval)}", f"fails={checks.fails} passes={checks.passes}"]
        words += [f"jitter={_time(checks.jitter)}"] if checks.jitter else []
        return [f"health_check {' '.join(words)}{' mandatory' if checks.mandatory else ''};"]


def _passing(configuration: BalancerConfiguration) -> list[str]:
    """Write what follows a failed attempt, and how long an answer may take."""
    retries = configuration.balancers.retries
    if isinstance(retries, NoRetries):
        return ["proxy_next_upstream off;"]
    if not isinstance(retries, NginxNextUpstream):
        return []
    lines = [f"proxy_next_upstream {' '.join(retries.next_upstream) or 'off'};"]
    lines += [f"proxy_next_upstream_tries {retries.tries};"] if retries.tries else []
    lines += [f"proxy_next_upstream_timeout {_time(retries.timeout)};"] if retries.timeout else []
    return [
        *lines,
        *([f"proxy_read_timeout {_time(retries.read_timeout)};"] if retries.read_timeout else []),
    ]


def _time(seconds: float) -> str:
    """Write a time in whole milliseconds, the finest that nginx knows."""
    return f"{max(1, round(1000 * seconds))}ms"


def _indented(lines: list[str], spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in lines if line)
