"""Envoy's bootstrap with the cluster, in YAML."""

from __future__ import annotations

import io
import re
from typing import Any, ClassVar, Literal

from pydantic import BaseModel
from ruamel.yaml import YAML

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
from workbench.configuration.writing import short
from workbench.errors import InputError
from workbench.simulate.checks import EnvoyHealthCheck
from workbench.simulate.detectors import EnvoyOutlierDetection
from workbench.simulate.failover.envoy import EnvoyLocalityWeighted, EnvoyZoneAware
from workbench.simulate.slow_start import EnvoySlowStart
from workbench.simulate.strategies import Strategy

_ADDRESS = re.compile(r"\[?([\w.:-]+?)\]?:(\d{1,5})")
_POLICIES = {
    "envoy.round_robin": "ROUND_ROBIN",
    "envoy.least_request": "LEAST_REQUEST",
    "envoy.random": "RANDOM",
    "envoy.ring_hash": "RING_HASH",
    "envoy.maglev": "MAGLEV",
}
_ALIKE = {
    "random": "RANDOM",
    "nginx.random": "RANDOM",
    "power_of_two": "LEAST_REQUEST",
    "least_connections": "LEAST_REQUEST",
    "join_shortest_queue": "LEAST_REQUEST",
    "nginx.least_conn": "LEAST_REQUEST",
    "nginx.random_two_least_conn": "LEAST_REQUEST",
    "haproxy.leastconn": "LEAST_REQUEST",
    "haproxy.random": "LEAST_REQUEST",
    "nginx.hash_consistent": "RING_HASH",
    "haproxy.hash": "RING_HASH",
}
"""The nearest policy of Envoy; it does not pick the same."""
_HEALTH = {ServerState.DRAIN: "DRAINING", ServerState.MAINT: "UNHEALTHY"}
_SLOW = ("ROUND_ROBIN", "LEAST_REQUEST")


@EXPORTERS.register
class EnvoyExporter(Exporter):
    """Writes what a cluster can say; names of servers stand in its metadata."""

    summary: ClassVar[str] = "a cluster of Envoy's"
    kind: Literal["envoy"] = "envoy"

    def write(self, configuration: BalancerConfiguration, *, name: str) -> Exported:
        """Write the cluster as a static resource."""
        check_addresses(configuration)
        wrong = [one.address for one in configuration.servers.values() if not _ADDRESS.fullmatch(one.address)]
        if wrong:
            raise InputError(f"address: given {shown(wrong)}; allowed: host:port for Envoy")
        notes = _notes(configuration)
        hosts = [one.address for one in configuration.servers.values() if re.match(r"[a-zA-Z]", one.address)]
        cluster: dict[str, Any] = {"name": name, "type": "STRICT_DNS" if hosts else "STATIC"}
        cluster |= {"connect_timeout": "5s"} | _policy(configuration, notes)
        cluster["load_assignment"] = {"cluster_name": name} | _assignment(configuration)
        cluster |= _health(configuration, notes)
        if common := _common(configuration):
            cluster["common_lb_config"] = common
        if (breaker := configuration.balancers.breaker) is not None:
            cluster["circuit_breakers"] = {"thresholds": [{"max_requests": breaker.max_requests}]}
        stream = io.StringIO()
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.dump({"static_resources": {"clusters": [cluster]}}, stream)
        return Exported(stream.getvalue(), tuple(notes))


def _notes(configuration: BalancerConfiguration) -> list[Note]:
    balancers = configuration.balancers
    policies = ("envoy.locality_weighted", "envoy.zone_aware")
    notes = server_notes(configuration, more=("limit", "least_limit"))
    notes += part_note("checks", balancers.checks, "envoy.health_check")
    notes += part_note("detector", balancers.detector, "envoy.outlier_detection")
    notes += part_note("failover", balancers.failover, "envoy.priorities", allowed=policies)
    notes += part_note("slow_start", balancers.slow_start, "envoy.slow_start")
    if balancers.retries is not None:
        notes.append(Note("retries", "stand in Envoy's routes, not in clusters; left out"))
    notes += other_notes(configuration, keys=("count", "view", "zone", "weights", "queue"))
    if isinstance(balancers.failover, EnvoyZoneAware) and balancers.failover.balancer_zones:
        notes.append(Note("balancer_zones", "stand in Envoy's local cluster; left out"))
    groups = [(one.priority, one.zone) for one in configuration.servers.values()]
    if groups != sorted(groups, key=groups.index):
        notes.append(Note("order", "servers stand by priority and zone, which is another order than here"))
    zero = [name for name, one in configuration.servers.items() if not one.weight]
    if zero:
        notes.append(Note("weight", f"0 is not allowed; {shown(zero)} are draining"))
    return notes


def _policy(configuration: BalancerConfiguration, notes: list[Note]) -> dict[str, Any]:
    strategy = configuration.balancers.strategy
    policy = _POLICIES.get(strategy.kind)
    settings = _settings(strategy, notes) if policy is not None else {}
    if policy is None:
        policy = _ALIKE.get(strategy.kind, "ROUND_ROBIN")
        notes.append(Note("strategy", f"{strategy.label} is not Envoy's; {policy} is written, the nearest"))
    slow = configuration.balancers.slow_start
    if isinstance(slow, EnvoySlowStart):
        if policy in _SLOW:
            settings["slow_start_config"] = _slow_start(slow)
        else:
            notes.append(Note("slow_start", f"{policy} has none; left out"))
    return {"lb_policy": policy} | ({f"{policy.lower()}_lb_config": settings} if settings else {})


def _settings(strategy: Strategy, notes: list[Note]) -> dict[str, Any]:
    settings = short(strategy)
    for key in ("kind", "hash_balance_factor"):
        settings.pop(key, None)
    if settings.pop("start", None) is not None:
        notes.append(Note("strategy.start", "where Envoy begins is its own chance"))
    if "active_request_bias" in settings:
        bias = {"default_value": settings["active_request_bias"], "runtime_key": "workbench.bias"}
        settings["active_request_bias"] = bias
    return settings


def _slow_start(slow: EnvoySlowStart) -> dict[str, Any]:
    found: dict[str, Any] = {"slow_start_window": _seconds(slow.slow_start_window)}
    if slow.aggression != 1:
        found["aggression"] = {"default_value": slow.aggression, "runtime_key": "workbench.aggression"}
    return found | {"min_weight_percent": {"value": slow.min_weight_percent}}


def _assignment(configuration: BalancerConfiguration) -> dict[str, Any]:
    failover = configuration.balancers.failover
    weights = failover.locality_weights if isinstance(failover, EnvoyLocalityWeighted) else {}
    groups: dict[tuple[int, str], list[Any]] = {}
    for name, one in configuration.servers.items():
        groups.setdefault((one.priority, one.zone), []).append(_endpoint(name, one))
    endpoints = []
    for (priority, zone), members in groups.items():
        locality: dict[str, Any] = {"locality": {"zone": zone}} if zone else {}
        locality |= {"priority": priority} if priority else {}
        locality |= {"load_balancing_weight": weights[zone]} if zone in weights else {}
        endpoints.append(locality | {"lb_endpoints": members})
    factor = getattr(failover, "overprovisioning_factor", None)
    policy = {"policy": {"overprovisioning_factor": factor}} if factor is not None else {}
    return {"endpoints": endpoints} | policy


def _endpoint(name: str, server: ServerSettings) -> dict[str, Any]:
    match = _ADDRESS.fullmatch(server.address)
    host, port = (match[1], int(match[2])) if match else ("", 0)
    found: dict[str, Any] = {
        "endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}
    }
    if server.weight != 1:
        found["load_balancing_weight"] = max(1, server.weight)
    if (state := server.state) is not ServerState.READY or not server.weight:
        found["health_status"] = _HEALTH.get(state, "DRAINING")
    if name != server.address:
        found["metadata"] = {"filter_metadata": {"workbench": {"name": name}}}
    return found


def _health(configuration: BalancerConfiguration, notes: list[Note]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(check := configuration.balancers.checks, EnvoyHealthCheck):
        if check.demand or check.queued or check.first_after is not None:
            notes.append(Note("checks", "demand, queued and first_after are known to simulations only"))
        settings = _durations(check, without=("kind", "demand", "queued", "connect_only", "first_after"))
        asking = {"tcp_health_check": {}} if check.connect_only else {"http_health_check": {"path": "/"}}
        found["health_checks"] = [settings | asking]
    if isinstance(detector := configuration.balancers.detector, EnvoyOutlierDetection):
        found["outlier_detection"] = _durations(detector, without=("kind",))
    return found


def _durations(section: BaseModel, *, without: tuple[str, ...]) -> dict[str, Any]:
    """Write what is set, times in Envoy's notation."""
    return {
        key: _seconds(value) if isinstance(value, float) else value
        for key, value in short(section).items()
        if key not in without
    }


def _common(configuration: BalancerConfiguration) -> dict[str, Any]:
    balancers = configuration.balancers
    failover = balancers.failover
    found: dict[str, Any] = {}
    if (threshold := getattr(failover, "healthy_panic_threshold", None)) is not None:
        found["healthy_panic_threshold"] = {"value": threshold}
    if isinstance(failover, EnvoyZoneAware):
        found["zone_aware_lb_config"] = {
            "routing_enabled": {"value": failover.routing_enabled},
            "min_cluster_size": failover.min_cluster_size,
            "fail_traffic_on_panic": failover.fail_traffic_on_panic,
        }
    if isinstance(failover, EnvoyLocalityWeighted):
        found["locality_weighted_lb_config"] = {}
    if factor := getattr(balancers.strategy, "hash_balance_factor", 0):
        found["consistent_hashing_lb_config"] = {"hash_balance_factor": factor}
    return found


def _seconds(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".") + "s"
