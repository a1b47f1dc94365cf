"""A haproxy.cfg with the backend and a frontend before it."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from workbench.configuration.document import BalancerConfiguration, ServerSettings
from workbench.configuration.exporters._base import (
    EXPORTERS,
    Exported,
    Exporter,
    check_addresses,
    milliseconds,
    other_notes,
    part_note,
    server_notes,
    shown,
)
from workbench.configuration.importers import Note
from workbench.configuration.standing import ServerState
from workbench.errors import InputError
from workbench.simulate.checks import HaproxyCheck
from workbench.simulate.detectors import HaproxyObserve
from workbench.simulate.failover import HaproxyBackup
from workbench.simulate.retries import HaproxyRetries, NoRetries
from workbench.simulate.slow_start import HaproxySlowstart
from workbench.simulate.strategies import Strategy

_NAME = re.compile(r"[\w.:-]+")
_HEAVIEST = 256
_ALIKE = {
    "round_robin": "roundrobin",
    "nginx.round_robin": "roundrobin",
    "envoy.round_robin": "roundrobin",
    "least_connections": "leastconn",
    "join_shortest_queue": "leastconn",
    "nginx.least_conn": "leastconn",
    "random": "random(1)",
    "power_of_two": "random(2)",
}
"""The nearest algorithm of HAProxy; it does not pick the same."""
_FRONTEND = """\
frontend {name}-in
    bind 127.0.0.1:8080
    default_backend {name}
"""


@EXPORTERS.register
class HaproxyExporter(Exporter):
    """Writes what HAProxy can follow; `haproxy -c` accepts it."""

    summary: ClassVar[str] = "a haproxy.cfg"
    kind: Literal["haproxy"] = "haproxy"

    def write(self, configuration: BalancerConfiguration, *, name: str) -> Exported:
        """Write global, defaults, an example of a frontend, and the backend."""
        check_addresses(configuration)
        _check_names(configuration, name)
        notes = _notes(configuration)
        balancers = configuration.balancers
        algorithm = _algorithm(balancers.strategy, notes)
        head = ["global"]
        if isinstance(balancers.checks, HaproxyCheck) and balancers.checks.spread_checks:
            head.append(f"    spread-checks {balancers.checks.spread_checks}")
        head += ["defaults", "    mode http", "    timeout client 60s"]
        backend = [
            f"backend {name}",
            *(f"    {line}" for line in [*algorithm, *_settings(configuration, notes)]),
        ]
        servers = [
            f"    server {one} {_server(settings, configuration)}"
            for one, settings in configuration.servers.items()
        ]
        text = "\n".join([*head, _FRONTEND.format(name=name).rstrip(), *backend, *servers])
        return Exported(f"{text}\n", tuple(notes))


def _check_names(configuration: BalancerConfiguration, name: str) -> None:
    wrong = [one for one in (name, *configuration.servers) if not _NAME.fullmatch(one)]
    if wrong:
        raise InputError(f"names: given {shown(wrong)}; allowed: letters, digits and . : _ - in HAProxy")
    heavy = [one for one, settings in configuration.servers.items() if settings.weight > _HEAVIEST]
    if heavy:
        raise InputError(f"weight: given more than {_HEAVIEST} of {shown(heavy)}; allowed: 0 to {_HEAVIEST}")


def _notes(configuration: BalancerConfiguration) -> list[Note]:
    balancers, servers = configuration.balancers, configuration.servers
    notes = server_notes(configuration, more=("zone",))
    notes += part_note("checks", balancers.checks, "haproxy.check")
    notes += part_note("detector", balancers.detector, "haproxy.observe")
    notes += part_note("failover", balancers.failover, "haproxy.backup")
    notes += part_note("slow_start", balancers.slow_start, "haproxy.slowstart")
    notes += part_note("retries", balancers.retries, "haproxy")
    notes += other_notes(configuration, keys=("count", "view", "zone", "weights", "breaker"))
    if drained := [name for name, one in servers.items() if one.state is ServerState.DRAIN and one.weight]:
        notes.append(Note("state", f"drain is written as weight 0, of {shown(drained)}"))
    if lower := [name for name, one in servers.items() if one.priority > 1]:
        notes.append(Note("priority", f"there are primaries and backups only; {shown(lower)} are backups"))
    if any(one.limit for one in servers.values()) and (
        balancers.queue is None or balancers.queue.timeout is None
    ):
        notes.append(Note("queue", "HAProxy always bounds the wait; without one by `timeout connect`"))
    return notes


def _algorithm(strategy: Strategy, notes: list[Note]) -> list[str]:
    settings = strategy.model_dump(exclude={"kind"})
    product, _, name = strategy.kind.partition(".")
    if product != "haproxy":
        algorithm = _ALIKE.get(strategy.kind, "roundrobin")
        if strategy.kind == "power_of_two":
            algorithm = f"random({settings['choices']})"
        notes.append(
            Note("strategy", f"{strategy.label} is not HAProxy's; `{algorithm}` is written, the nearest")
        )
        return [f"balance {algorithm}"]
    if name == "random":
        if settings["tie"] != "later_draw":
            notes.append(Note("strategy", "how ties are broken depends on HAProxy's version"))
        return [f"balance random({settings['draws']})"]
    if name not in ("hash", "source"):
        return [f"balance {name.replace('_', '-')}"]
    lines = ["balance source" if name == "source" else "balance hdr(x-key)"]
    if name == "hash":
        notes.append(Note("strategy", "the key is taken from the header x-key; say where yours is"))
    words = [settings["type"].replace("_", "-"), settings.get("function") or ""]
    mixed = settings["avalanche"]
    if mixed is not None and mixed != (settings["type"] == "consistent" and not words[1]):
        words[1] = words[1] or "sdbm"
        if mixed:
            words.append("avalanche")
    lines.append(f"hash-type {' '.join(word for word in words if word)}")
    if settings["balance_factor"]:
        lines.append(f"hash-balance-factor {settings['balance_factor']}")
    return lines


def _settings(configuration: BalancerConfiguration, notes: list[Note]) -> list[str]:
    """Write what holds for the whole backend."""
    balancers = configuration.balancers
    retries = balancers.retries if isinstance(balancers.retries, HaproxyRetries) else HaproxyRetries()
    number = 0 if isinstance(balancers.retries, NoRetries) else retries.retries
    lines = [f"retries {number}", f"timeout connect {milliseconds(retries.connect_timeout)}"]
    if retries.redispatch:
        every = "" if retries.redispatch == -1 else f" {retries.redispatch}"
        lines.append(f"option redispatch{every}")
    if retries.server_timeout:
        lines.append(f"timeout server {milliseconds(retries.server_timeout)}")
    if (queue := balancers.queue) is not None:
        if queue.timeout:
            lines.append(f"timeout queue {milliseconds(queue.timeout)}")
        if queue.full_load:
            lines.append(f"fullconn {queue.full_load}")
        if queue.limit == 0:
            notes.append(Note("queue.limit", "0 would be no limit to HAProxy; left out"))
    if isinstance(balancers.failover, HaproxyBackup) and balancers.failover.all_backups:
        lines.append("option allbackups")
    if isinstance(checks := balancers.checks, HaproxyCheck):
        if not checks.connect_only:
            lines.append("option httpchk")
        if checks.timeout is not None:
            lines.append(f"timeout check {milliseconds(checks.timeout)}")
        if checks.demand or checks.queued or checks.first_after is not None:
            notes.append(Note("checks", "demand, queued and first_after are known to simulations only"))
    return lines


def _server(server: ServerSettings, configuration: BalancerConfiguration) -> str:
    balancers = configuration.balancers
    drained = server.state is ServerState.DRAIN
    words = [server.address, f"weight {0 if drained else server.weight}"]
    words += [f"maxconn {server.limit}"] if server.limit else []
    words += [f"minconn {server.least_limit}"] if server.least_limit else []
    if balancers.queue is not None and balancers.queue.limit:
        words.append(f"maxqueue {balancers.queue.limit}")
    if isinstance(checks := balancers.checks, HaproxyCheck):
        words.append(f"check inter {milliseconds(checks.inter)} rise {checks.rise} fall {checks.fall}")
        words += [f"fastinter {milliseconds(checks.fastinter)}"] if checks.fastinter else []
        words += [f"downinter {milliseconds(checks.downinter)}"] if checks.downinter else []
    if isinstance(observe := balancers.detector, HaproxyObserve):
        words.append(f"observe {observe.layer} error-limit {observe.error_limit} on-error {observe.on_error}")
    if isinstance(slow := balancers.slow_start, HaproxySlowstart):
        words.append(f"slowstart {milliseconds(slow.slowstart)}")
    words += ["backup"] if server.priority else []
    words += ["disabled"] if server.state is ServerState.MAINT else []
    return " ".join(words)
