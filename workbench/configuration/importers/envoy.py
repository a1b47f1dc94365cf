"""A cluster of an Envoy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from workbench.configuration.document import BalancerConfiguration
from workbench.configuration.importers._base import IMPORTERS, Imported, Importer, Note, chosen_part
from workbench.configuration.importers._envoy_text import Node, find_clusters, load
from workbench.documents import check
from workbench.errors import DocumentError, Problem
from workbench.simulate.detectors import EnvoyOutlierDetection

_STATES = {"DRAINING": "drain", "UNHEALTHY": "maint", "TIMEOUT": "maint"}
_FLAGS = ("always_eject_one_host", "successful_active_health_check_uneject_host")
_CHECK_TIMES = (
    "timeout",
    "interval",
    "initial_jitter",
    "interval_jitter",
    "no_traffic_interval",
    "no_traffic_healthy_interval",
    "unhealthy_interval",
    "unhealthy_edge_interval",
    "healthy_edge_interval",
)
_CHECK_NUMBERS = ("unhealthy_threshold", "healthy_threshold", "interval_jitter_percent")
_ASKING = ("http_health_check", "tcp_health_check", "grpc_health_check", "custom_health_check")
_TIMES = ("interval", "base_ejection_time", "max_ejection_time", "max_ejection_time_jitter")


@IMPORTERS.register
class EnvoyImporter(Importer):
    """Reads a cluster; routes, with their retries, stand elsewhere."""

    summary: ClassVar[str] = "a cluster of Envoy's, in YAML or JSON"
    part_noun: ClassVar[str] = "cluster"
    unsaid: ClassVar[frozenset[str]] = frozenset(
        {"slots", "speed", "discipline", "queue_limit", "limit", "least_limit", "gives_up", "delay"}
    )
    kind: Literal["envoy"] = "envoy"

    def fits(self, file: Path, text: str) -> bool:
        """Tell by a list of endpoints."""
        return re.search(r"^\W*load_assignment\"?\s*:", text, re.MULTILINE) is not None

    def read(self, text: str, *, file: Path, part: str | None) -> Imported:
        """Make the configuration that a cluster stands for."""
        clusters = find_clusters(load(text, file))
        name = chosen_part(clusters, part, noun="cluster", file=file)
        problems: list[Problem] = []
        cluster = Node(clusters[name], "", clusters[name].lc.line + 1, problems, file)
        content = _content(cluster, problems)
        if problems:
            raise DocumentError(problems)
        where = f"{file}, cluster {name}"
        configuration = check(content, BalancerConfiguration, name=where, folder=file.parent)
        notes = [Note(place, "not carried", line) for place, line in cluster.unread()]
        return Imported(configuration, name, tuple(notes))


def _content(cluster: Node, problems: list[Problem]) -> dict[str, Any]:
    cluster.skip("name", "type", "connect_timeout")
    servers = _servers(cluster.node("load_assignment"))
    if not servers and not problems:
        cluster.wrong("load_assignment", "no endpoint", "one endpoint or more")
    balancers: dict[str, Any] = {}
    balancers["strategy"] = _strategy(cluster, balancers)
    if "health_checks" in cluster and (checks := cluster.nodes("health_checks")):
        balancers["checks"] = _check(checks[0])
        for more in checks[1:]:
            more.wrong("", "another health check", "one")
    if "outlier_detection" in cluster:
        outliers = _outliers(cluster.node("outlier_detection"))
        balancers["detector"] = {"kind": "envoy.outlier_detection"} | outliers
    if failover := _failover(cluster):
        balancers["failover"] = failover
    for threshold in cluster.node("circuit_breakers").nodes("thresholds"):
        if threshold.text("priority", "DEFAULT") == "DEFAULT" and "max_requests" in threshold:
            balancers["breaker"] = {"max_requests": threshold.number("max_requests")}
    return {"servers": servers, "balancers": balancers}


def _servers(assignment: Node) -> dict[str, Any]:
    assignment.skip("cluster_name")
    servers: dict[str, Any] = {}
    for locality in assignment.nodes("endpoints"):
        zone = locality.node("locality").text("zone") if "locality" in locality else ""
        priority = locality.number("priority") or 0
        for one in locality.nodes("lb_endpoints"):
            endpoint = one.node("endpoint")
            place = endpoint.node("address").node("socket_address")
            port, host = place.number("port_value"), place.text("address")
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            own = (
                one.node("metadata").node("filter_metadata").node("workbench") if "metadata" in one else None
            )
            name = own.text("name") if own is not None and "name" in own else address
            weight = one.number("load_balancing_weight")
            if name in servers:
                endpoint.wrong("", name, "each endpoint once")
            state = one.text("health_status", "UNKNOWN")
            servers[name] = {
                "address": address,
                "weight": 1 if weight is None else weight,
                "state": _STATES.get(state, "ready"),
                "zone": zone,
                "priority": priority,
            }
    return servers


def _strategy(cluster: Node, balancers: dict[str, Any]) -> dict[str, Any]:
    policy = cluster.text("lb_policy", "ROUND_ROBIN")
    if policy == "RANDOM":
        return {"kind": "envoy.random"}
    if policy in ("ROUND_ROBIN", "LEAST_REQUEST"):
        kind = policy.lower()
        strategy: dict[str, Any] = {"kind": f"envoy.{kind}"}
        if f"{kind}_lb_config" in cluster:
            settings = cluster.node(f"{kind}_lb_config")
            strategy |= _given(choice_count=settings.number("choice_count"))
            strategy |= _given(active_request_bias=settings.number("active_request_bias"))
            if "selection_method" in settings:
                strategy["selection_method"] = settings.text("selection_method")
            if "slow_start_config" in settings:
                balancers["slow_start"] = _slow_start(settings.node("slow_start_config"))
        return strategy
    consistent = cluster.node("common_lb_config").node("consistent_hashing_lb_config")
    factor = _given(hash_balance_factor=consistent.number("hash_balance_factor"))
    if policy == "RING_HASH":
        settings = cluster.node("ring_hash_lb_config")
        sizes = {key: settings.number(key) for key in ("minimum_ring_size", "maximum_ring_size")}
        return {"kind": "envoy.ring_hash"} | _given(**sizes) | factor
    if policy == "MAGLEV":
        size = cluster.node("maglev_lb_config").number("table_size")
        return {"kind": "envoy.maglev"} | _given(table_size=size) | factor
    cluster.wrong("lb_policy", policy, "ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH or MAGLEV")
    return {"kind": "envoy.round_robin"}


def _slow_start(settings: Node) -> dict[str, Any]:
    least = settings.node("min_weight_percent") if "min_weight_percent" in settings else None
    return {"kind": "envoy.slow_start"} | _given(
        slow_start_window=settings.seconds("slow_start_window"),
        aggression=settings.number("aggression"),
        min_weight_percent=least.number("value") if least is not None else None,
    )


def _check(check: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "envoy.health_check"}
    found |= _given(**{key: check.seconds(key) for key in _CHECK_TIMES})
    found |= _given(**{key: check.number(key) for key in _CHECK_NUMBERS})
    if "tcp_health_check" in check:
        found["connect_only"] = True
    check.skip(*_ASKING)
    return found


def _outliers(outliers: Node) -> dict[str, Any]:
    known = set(EnvoyOutlierDetection.model_fields) - {"kind", *_TIMES, *_FLAGS}
    numbers = {key: outliers.number(key) for key in sorted(known) if key in outliers}
    flags = {key: outliers.flag(key) for key in _FLAGS if key in outliers}
    return _given(**{key: outliers.seconds(key) for key in _TIMES}, **numbers, **flags)


def _failover(cluster: Node) -> dict[str, Any]:
    policy = cluster.node("load_assignment").node("policy")
    found = _given(overprovisioning_factor=policy.number("overprovisioning_factor"))
    common = cluster.node("common_lb_config")
    common.skip("consistent_hashing_lb_config")
    if "healthy_panic_threshold" in common:
        found |= _given(healthy_panic_threshold=common.node("healthy_panic_threshold").number("value"))
    if "zone_aware_lb_config" in common:
        zones = common.node("zone_aware_lb_config")
        enabled = zones.node("routing_enabled").number("value") if "routing_enabled" in zones else None
        found |= {"kind": "envoy.zone_aware"} | _given(
            routing_enabled=enabled,
            min_cluster_size=zones.number("min_cluster_size"),
            fail_traffic_on_panic=zones.flag("fail_traffic_on_panic"),
        )
    elif "locality_weighted_lb_config" in common:
        common.skip("locality_weighted_lb_config")
        weights = {
            locality.node("locality").text("zone"): weight
            for locality in cluster.node("load_assignment").nodes("endpoints")
            if (weight := locality.number("load_balancing_weight")) is not None
        }
        found |= {"kind": "envoy.locality_weighted", "locality_weights": weights}
    return {"kind": "envoy.priorities"} | found if found else {}


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
