"""Envoy's clusters: what one stands for, what is noted, and that writing and reading gives the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from workbench.configuration import BalancerConfiguration, changed
from workbench.configuration.exporters import EnvoyExporter
from workbench.configuration.importers import EnvoyImporter, Imported
from workbench.errors import DocumentError, InputError

CLUSTER = """\
static_resources:
  clusters:
  - name: web
    type: STATIC
    connect_timeout: 0.25s
    lb_policy: LEAST_REQUEST
    least_request_lb_config: {choice_count: 3, slow_start_config: {slow_start_window: 30s}}
    common_lb_config: {healthy_panic_threshold: {value: 40}, close_connections_on_host_set_change: true}
    circuit_breakers: {thresholds: [{max_requests: 500, max_retries: 3}]}
    health_checks:
    - {timeout: 1s, interval: 5s, unhealthy_threshold: 3, healthy_threshold: 2, http_health_check: {}}
    outlier_detection: {consecutive_5xx: 3, base_ejection_time: 10s}
    load_assignment:
      cluster_name: web
      policy: {overprovisioning_factor: 150}
      endpoints:
      - locality: {zone: a}
        lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}
          load_balancing_weight: 3
        - endpoint: {address: {socket_address: {address: "::1", port_value: 80}}}
          health_status: DRAINING
      - priority: 1
        lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.3, port_value: 80}}}
"""


def read(text: str, part: str | None = None) -> Imported:
    return EnvoyImporter().read(text, file=Path("envoy.yaml"), part=part)


def test_a_cluster_is_read():
    found = read(CLUSTER).configuration
    assert {
        name: (one.weight, one.zone, one.priority, one.state.value) for name, one in found.servers.items()
    } == {
        "10.0.0.1:80": (3, "a", 0, "ready"),
        "[::1]:80": (1, "a", 0, "drain"),
        "10.0.0.3:80": (1, "", 1, "ready"),
    }
    balancers = found.balancers
    assert balancers.strategy.label == "envoy.least_request(choice_count=3)"
    assert balancers.failover.model_dump() == {
        "kind": "envoy.priorities",
        "overprovisioning_factor": 150,
        "healthy_panic_threshold": 40,
    }
    assert balancers.breaker.max_requests == 500
    assert (balancers.checks.interval, balancers.checks.unhealthy_threshold) == (5, 3)
    assert (balancers.detector.consecutive_5xx, balancers.detector.base_ejection_time) == (3, 10)
    assert balancers.slow_start.slow_start_window == 30


def test_all_that_is_not_carried_is_noted_with_its_line():
    assert sorted(str(note) for note in read(CLUSTER).notes) == [
        "line 8: common_lb_config.close_connections_on_host_set_change: not carried",
        "line 9: circuit_breakers.thresholds[0].max_retries: not carried",
    ]


def test_json_is_read_as_well():
    content = YAML(typ="safe").load(CLUSTER)
    assert read(json.dumps(content)).configuration == read(CLUSTER).configuration


def test_what_cannot_be_understood_is_told_all_at_once():
    wrong = CLUSTER.replace("LEAST_REQUEST", "BEST").replace(
        "port_value: 80}}}\n          load", "port_value: x}}}\n          load"
    )
    wrong = wrong.replace("timeout: 1s", "timeout: 1m").replace("max_requests: 500", "max_requests: many")
    with pytest.raises(DocumentError) as told:
        read(wrong)
    assert [(one.line, one.key) for one in told.value.problems] == [
        (6, "lb_policy"),
        (9, "circuit_breakers.thresholds[0].max_requests"),
        (11, "health_checks[0].timeout"),
        (19, "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "given what is not YAML"),
        ("name: scenario", "cluster: given none; allowed: none in this file"),
        ("name: c\nload_assignment: {}", "one endpoint or more"),
        ("name: c\nload_assignment: 3", "keys with values"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(text: str, message: str):
    with pytest.raises(InputError, match=message):
        read(text)


times = st.integers(1, 100_000).map(lambda ms: ms / 1000)
names = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=4, unique=True)
servers = st.fixed_dictionaries(
    {
        "address": st.sampled_from(["10.0.0.1:80", "host.example:8080", "[::1]:9000"]),
        "weight": st.integers(1, 99),
        "state": st.sampled_from(["ready", "drain", "maint"]),
    }
)
strategies = st.one_of(
    st.sampled_from([{"kind": "envoy.round_robin"}, {"kind": "envoy.random"}]),
    st.builds(lambda n: {"kind": "envoy.least_request", "choice_count": n}, st.integers(2, 9)),
    st.just({"kind": "envoy.least_request", "active_request_bias": 0.5, "selection_method": "FULL_SCAN"}),
    st.just({"kind": "envoy.ring_hash", "minimum_ring_size": 64, "hash_balance_factor": 150}),
    st.just({"kind": "envoy.maglev", "table_size": 251}),
)
checks = st.fixed_dictionaries(
    {
        "kind": st.just("envoy.health_check"),
        "timeout": times,
        "interval": times,
        "unhealthy_threshold": st.integers(1, 9),
        "healthy_threshold": st.integers(1, 9),
    },
    optional={
        "connect_only": st.just(True),
        "no_traffic_interval": times,
        "interval_jitter_percent": st.just(5),
    },
)
detectors = st.fixed_dictionaries(
    {"kind": st.just("envoy.outlier_detection"), "interval": times},
    optional={"consecutive_5xx": st.integers(1, 9), "always_eject_one_host": st.just(True)},
)
failovers = st.sampled_from(
    [
        {"kind": "envoy.priorities", "healthy_panic_threshold": 30},
        {"kind": "envoy.zone_aware", "min_cluster_size": 3, "fail_traffic_on_panic": True},
        {"kind": "envoy.locality_weighted", "locality_weights": {"": 1}},
    ]
)


@st.composite
def configurations(draw: st.DrawFn) -> BalancerConfiguration:
    """Draw a configuration of which a cluster can carry all; all servers stand in no zone."""
    balancers: dict[str, Any] = {"strategy": draw(strategies)}
    for key, values in (("checks", checks), ("detector", detectors), ("failover", failovers)):
        if draw(st.booleans()):
            balancers[key] = draw(values)
    if draw(st.booleans()):
        balancers["breaker"] = {"max_requests": draw(st.integers(1, 9999))}
    pool = {name: draw(servers) for name in draw(names)}
    return BalancerConfiguration.model_validate({"servers": pool, "balancers": balancers})


@settings(max_examples=40)
@given(configurations())
def test_what_a_cluster_can_carry_is_read_back_as_the_same(configuration: BalancerConfiguration):
    written = EnvoyExporter().write(configuration, name="web")
    assert written.notes == ()
    found = read(written.text)
    assert found.configuration == configuration
    assert [str(note) for note in found.notes] == []


def test_zones_and_priorities_are_read_back(configuration):
    zoned = changed(
        configuration.content(),
        [
            "balancers.strategy=envoy.round_robin",
            "servers.web-1.zone=a",
            "servers.web-2.priority=2",
            "servers.web-1.limit=",
        ],
        name="test",
    )
    written = EnvoyExporter().write(zoned, name="web")
    found = read(written.text).configuration.servers
    assert {name: (one.zone, one.priority) for name, one in found.items()} == {
        "web-1": ("a", 0),
        "web-2": ("", 2),
        "10.0.0.3:80": ("", 0),
    }


def test_what_a_cluster_cannot_carry_is_noted(configuration):
    more = changed(
        configuration.content(),
        ["balancers.retries=haproxy", "servers.web-2.weight=0", "balancers.queue={timeout: 1s}"],
        name="test",
    )
    written = EnvoyExporter().write(more, name="web")
    assert {note.key for note in written.notes} == {"limit", "retries", "weight", "queue", "strategy"}
