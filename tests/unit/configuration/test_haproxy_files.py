"""haproxy.cfg: what a backend stands for, what is noted, and that writing and reading gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.configuration import BalancerConfiguration, changed
from workbench.configuration.exporters import HaproxyExporter
from workbench.configuration.importers import HaproxyImporter, Imported
from workbench.errors import DocumentError, InputError

CONFIG = """\
global
    spread-checks 5
defaults
    mode http
    timeout connect 1s
    timeout server 1m
    retries 2
frontend fe
    bind :80
    default_backend web
backend web
    balance leastconn
    option redispatch
    option httpchk GET /health
    cookie SRV insert
    fullconn 300
    default-server inter 500 fall 2 maxconn 20 slowstart 1500ms
    server web-1 10.0.0.1:80 weight 10 check   # the old one
    server web-2 10.0.0.2:80 weight 20 check cookie b ssl verify none
    server web-3 10.0.0.3:80 backup no-check disabled maxconn 0
    server-template w 2-3 10.0.0.4:80 check rise 5
"""


def read(text: str, part: str | None = None) -> Imported:
    return HaproxyImporter().read(text, file=Path("haproxy.cfg"), part=part)


def test_a_backend_is_read_with_its_defaults():
    found = read(CONFIG).configuration
    assert {name: (one.address, one.weight, one.limit) for name, one in found.servers.items()} == {
        "web-1": ("10.0.0.1:80", 10, 20),
        "web-2": ("10.0.0.2:80", 20, 20),
        "web-3": ("10.0.0.3:80", 1, None),
        "w2": ("10.0.0.4:80", 1, 20),
        "w3": ("10.0.0.4:80", 1, 20),
    }
    assert (found.servers["web-3"].state, found.servers["web-3"].priority) == ("maint", 1)
    balancers = found.balancers
    assert balancers.strategy.kind == "haproxy.leastconn"
    assert balancers.checks.model_dump(exclude_defaults=True) == {"inter": 0.5, "fall": 2, "spread_checks": 5}
    assert balancers.slow_start.slowstart == 2.0
    assert (balancers.queue.timeout, balancers.queue.full_load) == (1.0, 300)
    retries = balancers.retries
    assert (retries.retries, retries.redispatch, retries.connect_timeout, retries.server_timeout) == (
        2,
        -1,
        1,
        60,
    )


def test_all_that_is_not_carried_is_noted_with_its_line():
    assert [str(note) for note in read(CONFIG).notes] == [
        "line 19: server web-2: not carried: cookie b, ssl, verify none",
        "check: not of web-3; here all servers are checked",
        "check: otherwise at w2, w3; here all servers have the same",
        "slowstart: 1.5 s is 2 s, as HAProxy rounds up",
        "defaults: not carried: mode",
        "line 14: option httpchk: asks for an answer; which is not carried",
        "line 15: cookie SRV insert: not carried",
    ]


@pytest.mark.parametrize(
    ("lines", "label"),
    [
        ("balance roundrobin", "haproxy.roundrobin"),
        ("balance static-rr", "haproxy.static_rr"),
        ("balance random(3)", "haproxy.random(draws=3)"),
        ("balance random", "haproxy.random"),
        ("balance uri\nhash-type consistent djb2 avalanche", None),
        ("balance source\nhash-type consistent\nhash-balance-factor 150", None),
    ],
)
def test_algorithms_are_strategies(lines: str, label: str | None):
    strategy = read(f"backend b\n{lines}\nserver a 1.1.1.1:1\n").configuration.balancers.strategy
    if label is not None:
        assert strategy.label == label
    else:
        told = strategy.model_dump(exclude_defaults=True)
        wanted: dict[str, Any] = (
            {"function": "djb2", "avalanche": True} if "uri" in lines else {"balance_factor": 150}
        )
        assert told == {"type": "consistent"} | wanted


def test_named_defaults_are_taken_from_where_a_backend_says():
    text = "defaults a\nretries 1\ndefaults b\nretries 2\nbackend x from a\nserver s 1.1.1.1:1\n"
    assert read(text).configuration.balancers.retries.retries == 1


def test_what_cannot_be_understood_is_told_all_at_once():
    text = (
        "backend b\nbalance nonsense\nserver a 1.1.1.1:1 weight x\nserver a\nserver c 1.1.1.1:1 inter fast\n"
    )
    with pytest.raises(DocumentError) as told:
        read(text)
    assert [(one.line, one.key) for one in told.value.problems] == [
        (2, "balance"),
        (3, "server"),
        (4, "server"),
        (5, "server"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("backend a\nserver s 1:1\nbackend b\nserver s 1:1\n", "backend: given none; allowed: a, b"),
        ("frontend a\nbind :80\n", "allowed: none in this file"),
        ("backend a\n", "given no server"),
        ("bind :80\n", "a line before any section"),
        ('backend a\nserver "s 1:1\n', "quotes that end on their line"),
        ("backend a\nserver s 1:1\nserver s 2:1\n", "the name s twice"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(text: str, message: str):
    with pytest.raises(InputError, match=message):
        read(text)


names = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True), min_size=1, max_size=4, unique=True)
whole_ms = st.integers(1, 100_000).map(lambda ms: ms / 1000)
servers = st.fixed_dictionaries(
    {
        "address": st.just("10.0.0.1:80"),
        "weight": st.integers(0, 256),
        "state": st.sampled_from(["ready", "maint"]),
    },
    optional={"limit": st.integers(1, 99), "least_limit": st.integers(1, 99), "priority": st.just(1)},
)
strategies = st.one_of(
    st.sampled_from(["roundrobin", "static_rr", "leastconn", "first"]).map(
        lambda one: {"kind": f"haproxy.{one}"}
    ),
    st.integers(1, 9).map(lambda draws: {"kind": "haproxy.random", "draws": draws}),
    st.sampled_from(["haproxy.hash", "haproxy.source"]).map(
        lambda kind: {"kind": kind, "type": "consistent"}
    ),
)
checks = st.fixed_dictionaries(
    {
        "kind": st.just("haproxy.check"),
        "inter": whole_ms,
        "rise": st.integers(1, 9),
        "fall": st.integers(1, 9),
    },
    optional={
        "fastinter": whole_ms,
        "downinter": whole_ms,
        "timeout": whole_ms,
        "connect_only": st.just(True),
        "spread_checks": st.integers(1, 50),
    },
)
observing = st.fixed_dictionaries(
    {
        "kind": st.just("haproxy.observe"),
        "layer": st.sampled_from(["layer4", "layer7"]),
        "error_limit": st.integers(1, 99),
        "on_error": st.sampled_from(["fastinter", "fail-check", "sudden-death", "mark-down"]),
    }
)
retries = st.fixed_dictionaries(
    {"kind": st.just("haproxy"), "retries": st.integers(0, 9), "connect_timeout": whole_ms},
    optional={"redispatch": st.sampled_from([-1, 1, 3]), "server_timeout": whole_ms},
)


@st.composite
def configurations(draw: st.DrawFn) -> BalancerConfiguration:
    """Draw a configuration of which HAProxy can carry all."""
    balancers = {
        "strategy": draw(strategies),
        "retries": draw(retries),
        "queue": {"timeout": draw(whole_ms), "limit": draw(st.none() | st.integers(1, 99))},
    }
    if draw(st.booleans()):
        balancers["checks"] = draw(checks)
        if draw(st.booleans()):
            balancers["detector"] = draw(observing)
    if draw(st.booleans()):
        balancers["slow_start"] = {"kind": "haproxy.slowstart", "slowstart": float(draw(st.integers(1, 99)))}
    if draw(st.booleans()):
        balancers["failover"] = {"kind": "haproxy.backup", "all_backups": True}
    pool = {name: draw(servers) for name in draw(names)}
    return BalancerConfiguration.model_validate({"servers": pool, "balancers": balancers})


@settings(max_examples=40)
@given(configurations())
def test_what_haproxy_can_carry_is_read_back_as_the_same(configuration: BalancerConfiguration):
    written = HaproxyExporter().write(configuration, name="web")
    assert [note.key for note in written.notes if note.key != "strategy"] == []
    assert read(written.text).configuration == configuration


def test_what_haproxy_cannot_carry_is_noted(configuration):
    written = HaproxyExporter().write(
        changed(
            configuration.content(),
            [
                "balancers.strategy=power_of_two(choices=4)",
                "balancers.checks={kind: nginx_plus.health_check}",
                "balancers.count=3",
                "servers.web-1.slots=8",
                "servers.web-2.priority=2",
                "clients.timeout=1s",
            ],
            name="test",
        ),
        name="web",
    )
    assert {note.key for note in written.notes} == {
        "slots",
        "checks",
        "count",
        "clients",
        "state",
        "priority",
        "queue",
        "strategy",
    }
    assert "balance random(4)" in written.text
    assert "weight 0" in written.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("servers.web-1.address=", "no address of web-1; allowed: an address"),
        ("servers.a b={address: 'x:1'}", "names: given a b"),
    ],
)
def test_what_haproxy_does_not_take_is_refused(configuration, change: str, message: str):
    with pytest.raises(InputError, match=message):
        HaproxyExporter().write(changed(configuration.content(), [change], name="test"), name="web")
