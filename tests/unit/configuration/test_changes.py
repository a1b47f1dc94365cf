"""Changes as people write them, what is refused, and how differences are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.conftest import CONTENT
from workbench.configuration import (
    BalancerConfiguration,
    ServerSettings,
    changed,
    check_usable,
    differences,
    document_text,
)
from workbench.documents import parse_document
from workbench.errors import DocumentError, InputError, NotFoundError
from workbench.simulate import load_scenario
from workbench.simulate.pool import ServerGroup


def with_changes(configuration: BalancerConfiguration, *changes: str) -> BalancerConfiguration:
    return changed(configuration.content(), changes, name="test")


def told(before: BalancerConfiguration, after: BalancerConfiguration) -> list[tuple[str, object, object]]:
    return [(one.key, one.before, one.after) for one in differences(before, after)]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("servers.web-1.weight=3", ("servers.web-1.weight", 1, 3)),
        ("servers.10.0.0.3:80.state=ready", ("servers.10.0.0.3:80.state", "drain", "ready")),
        ("servers.web-1.limit=", ("servers.web-1.limit", 20, None)),
        (
            "balancers.strategy=power_of_two(choices=3)",
            ("balancers.strategy", "haproxy.leastconn", "power_of_two(choices=3)"),
        ),
        ("clients.timeout=250ms", ("clients.timeout", None, 0.25)),
    ],
)
def test_a_change_is_the_one_difference(configuration, change: str, difference: tuple[str, object, object]):
    assert told(configuration, with_changes(configuration, change)) == [difference]


def test_a_pattern_stands_for_the_servers_that_it_fits(configuration):
    after = with_changes(configuration, "servers.web-*.limit=8")
    assert [one.limit for one in after.servers.values()] == [8, 8, None]


def test_servers_come_and_go_as_a_whole(configuration):
    after = with_changes(configuration, "servers.web-2=", "servers.10.0.0.4:80={weight: 2}")
    assert list(after.servers) == ["web-1", "10.0.0.3:80", "10.0.0.4:80"]
    assert [(key, before is None, then is None) for key, before, then in told(configuration, after)] == [
        ("servers.10.0.0.4:80", True, False),
        ("servers.web-2", False, True),
    ]


def test_a_key_of_a_part_named_by_its_kind_alone_keeps_the_kind(configuration):
    checked = with_changes(configuration, "balancers.checks=haproxy.check", "balancers.checks.fall=5")
    assert (checked.balancers.checks.kind, checked.balancers.checks.fall) == ("haproxy.check", 5)


def test_another_order_of_servers_is_a_difference(configuration):
    turned = {name: CONTENT["servers"][name] for name in reversed(CONTENT["servers"])}
    after = BalancerConfiguration.model_validate(CONTENT | {"servers": turned})
    assert [key for key, _, _ in told(configuration, after)] == ["order of servers"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("servers.web-1.weight", InputError, "allowed: key=value"),
        ("servers.web-9.weight=3", InputError, "a server that is not there; allowed: web-1, web-2"),
        ("servers.db-*.weight=3", InputError, "a pattern that fits no server"),
        ("servers.web-1.weight=70000", DocumentError, "less than or equal to 65535"),
        ("servers.web-1.wieght=3", DocumentError, r"did you mean weight\?"),
        ("servers.web-1.state=up", DocumentError, "'ready', 'drain' or 'maint'"),
        ("balancers.strategy=rund_robin", NotFoundError, "did you mean round_robin"),
        ("balancers.checks.fall=[", InputError, "a value as in YAML"),
    ],
)
def test_what_cannot_be_meant_is_refused(configuration, change: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        with_changes(configuration, change)


def test_a_change_that_leaves_no_usable_server_is_refused(configuration):
    check_usable(with_changes(configuration, "servers.web-*.weight=0", "servers.10.0.0.3:80.state=ready"))
    with pytest.raises(InputError, match="given 2 weight 0, 1 drain, so no usable server would be left"):
        check_usable(with_changes(configuration, "servers.web-*.weight=0"))


def test_weights_that_the_strategy_cannot_work_with_are_refused(configuration):
    with pytest.raises(InputError, match="256"):
        check_usable(with_changes(configuration, "servers.web-1.weight=300"))


def test_the_text_of_a_configuration_reads_back_as_the_same(configuration):
    several = with_changes(
        configuration,
        "balancers.checks={kind: haproxy.check, inter: 500ms, fall: 5}",
        "balancers.queue={timeout: 2s}",
        "clients={timeout: 1s, retries: {kind: plain, most: 2}}",
        "servers.web-1.speed=1.5",
        "load=load.yaml",
    )
    text = document_text(several)
    assert parse_document(text, BalancerConfiguration, name="text", folder=Path.cwd()) == several
    assert "rise" not in text


def test_a_scenario_has_the_servers_that_take_traffic_and_the_loads_requests(configuration, load):
    scenario = configuration.scenario(load_scenario(load))
    assert [(one.name, one.weight) for one in scenario.pool] == [
        ("web-1", 1),
        ("web-2", 3),
        ("10.0.0.3:80", 0),
    ]
    assert scenario.balancers.strategy.kind == "haproxy.leastconn"
    assert scenario.arrivals == load_scenario(load).arrivals


def test_a_strategy_that_sees_no_weights_is_given_only_servers_that_take_traffic(configuration, load):
    weightless = with_changes(configuration, "balancers.strategy=grpc.weighted_round_robin")
    assert [one.name for one in weightless.scenario(load_scenario(load)).pool] == ["web-1", "web-2"]


def test_a_server_has_every_key_that_a_group_of_a_pool_has():
    assert set(ServerGroup.model_fields) - {"name", "count"} <= set(ServerSettings.model_fields)
