"""nginx.conf: what an upstream stands for, what is noted, and that writing and reading gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.configuration import BalancerConfiguration, changed
from workbench.configuration.exporters import NginxExporter
from workbench.configuration.importers import Imported, NginxImporter
from workbench.errors import DocumentError, InputError

CONFIG = """\
http {
    proxy_read_timeout 30s;
    upstream web {
        least_conn;  # the "method"
        zone web 64k;
        server 10.0.0.1:80 weight=5 max_conns=20 max_fails=2 fail_timeout=5s;
        server 10.0.0.2:80 max_fails=2 fail_timeout=5s backup resolve;
        server unix:/run/app.sock down max_fails=3;
        keepalive 32;
    }
    server {
        location /api/ {
            proxy_set_header X "{;}";
            proxy_pass http://web/v1;
            proxy_next_upstream error http_500 invalid_header;
            proxy_next_upstream_tries 2;
            proxy_read_timeout 1m30s;
        }
    }
}
"""


def read(text: str, part: str | None = None) -> Imported:
    return NginxImporter().read(text, file=Path("nginx.conf"), part=part)


def upstream(*lines: str) -> BalancerConfiguration:
    return read(f"upstream u {{ {' '.join(lines)} server a:1; }}").configuration


def test_an_upstream_is_read_with_the_location_that_passes_to_it():
    found = read(CONFIG).configuration
    assert {
        name: (one.weight, one.limit, one.priority, one.state.value) for name, one in found.servers.items()
    } == {
        "10.0.0.1:80": (5, 20, 0, "ready"),
        "10.0.0.2:80": (1, None, 1, "ready"),
        "unix:/run/app.sock": (1, None, 0, "maint"),
    }
    balancers = found.balancers
    assert balancers.strategy.kind == "nginx.least_conn"
    assert balancers.detector.model_dump(exclude_defaults=True) == {
        "max_fails": 2,
        "fail_timeout": 5,
        "unsuccessful": ["http_500"],
    }
    assert balancers.retries.model_dump(exclude_defaults=True) == {
        "next_upstream": ("error", "http_500"),
        "tries": 2,
        "read_timeout": 90,
    }


def test_all_that_is_not_carried_is_noted_with_its_line():
    assert [str(note) for note in read(CONFIG).notes] == [
        "line 5: zone web 64k: not carried",
        "line 7: server 10.0.0.2:80: not carried: resolve",
        "line 9: keepalive 32: not carried",
        "line 15: proxy_next_upstream: not carried: invalid_header",
        "max_fails and fail_timeout: otherwise at unix:/run/app.sock; here all servers have the same",
    ]


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("", "nginx.round_robin"),
        ("ip_hash;", "nginx.ip_hash"),
        ("hash $request_uri consistent;", "nginx.hash_consistent"),
        ("hash $arg_x;", "nginx.hash"),
        ("random;", "nginx.random"),
        ("random two;", "nginx.random_two_least_conn"),
        ("least_time last_byte inflight;", "nginx.least_time(inflight=True)"),
    ],
)
def test_methods_are_strategies(line: str, label: str):
    assert upstream(line).balancers.strategy.label == label


def test_what_plus_has_is_read():
    text = """upstream u { queue 100 timeout=70; server a:1 slow_start=30s; server b:1 drain slow_start=30s; }
    server { location / { proxy_pass http://u; health_check interval=2 fails=3 uri=/up mandatory; } }"""
    found = read(text)
    balancers = found.configuration.balancers
    assert (balancers.queue.limit, balancers.queue.timeout) == (100, 70)
    assert balancers.slow_start.slow_start == 30
    assert balancers.checks.model_dump(exclude_defaults=True) == {
        "interval": 2,
        "fails": 3,
        "mandatory": True,
    }
    assert found.configuration.servers["b:1"].state == "drain"
    assert [str(note) for note in found.notes] == ["line 2: health_check: not carried: uri=/up"]


def test_what_cannot_be_understood_is_told_all_at_once():
    with pytest.raises(DocumentError) as told:
        read("upstream u {\nserver a:1 weight=x;\nserver b:1 fail_timeout=soon;\nrandom three;\n}\n")
    assert [(one.line, one.key) for one in told.value.problems] == [
        (2, "server"),
        (3, "server"),
        (4, "random"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("upstream a { server x:1; } upstream b { server x:1; }", "upstream: given none; allowed: a, b"),
        ("http { }", "allowed: none in this file"),
        ("upstream a { }", "one `server` or more"),
        ("upstream a { server x:1;", "given no end; allowed: ; or }"),
        ("upstream a { server x:1 }", "given }; allowed: ; after a directive"),
        ("upstream a { server 'x:1; }", "a quote without its end"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(text: str, message: str):
    with pytest.raises(InputError, match=message):
        read(text)


addresses = st.lists(
    st.integers(1, 99).map(lambda port: f"10.0.0.1:{port}"), min_size=1, max_size=4, unique=True
)
servers = st.fixed_dictionaries(
    {"weight": st.integers(1, 99), "state": st.sampled_from(["ready", "maint"])},
    optional={"limit": st.integers(1, 99), "priority": st.just(1)},
)
retries = st.fixed_dictionaries(
    {
        "kind": st.just("nginx"),
        "next_upstream": st.lists(st.sampled_from(["error", "timeout"]), unique=True),
        "tries": st.integers(0, 9),
        "timeout": st.integers(0, 9000).map(lambda ms: ms / 1000),
        "read_timeout": st.integers(1, 9000).map(lambda ms: ms / 1000),
    }
)


@st.composite
def configurations(draw: st.DrawFn) -> BalancerConfiguration:
    """Draw a configuration of which nginx can carry all."""
    pool = {address: {"address": address} | draw(servers) for address in draw(addresses)}
    kinds = ["round_robin", "least_conn"]
    if not any("priority" in one for one in pool.values()):
        kinds += ["ip_hash", "random", "random_two_least_conn"]  # which take no backups
    balancers: dict[str, Any] = {
        "strategy": f"nginx.{draw(st.sampled_from(kinds))}",
        "retries": draw(retries),
        "detector": {
            "kind": "nginx.max_fails",
            "max_fails": draw(st.integers(2, 9)),
            "fail_timeout": float(draw(st.integers(1, 99))),
        },
    }
    return BalancerConfiguration.model_validate({"servers": pool, "balancers": balancers})


@settings(max_examples=40)
@given(configurations())
def test_what_nginx_can_carry_is_read_back_as_the_same(configuration: BalancerConfiguration):
    written = NginxExporter().write(configuration, name="web")
    assert written.notes == ()
    found = read(written.text)
    assert found.configuration == configuration
    assert found.notes == ()


def test_what_nginx_cannot_carry_is_noted(configuration):
    written = NginxExporter().write(
        changed(
            configuration.content(),
            ["balancers.checks=haproxy.check", "servers.web-1.zone=a", "servers.web-2.weight=0"],
            name="test",
        ),
        name="web",
    )
    assert {note.key for note in written.notes} == {"zone", "checks", "names", "weight", "state", "strategy"}
    assert "server 10.0.0.2:80 down;" in written.text


def test_only_plus_drains(configuration):
    assert "server 10.0.0.3:80 drain;" in NginxExporter(plus=True).write(configuration, name="web").text
    assert "server 10.0.0.3:80 down;" in NginxExporter().write(configuration, name="web").text


def test_what_a_file_cannot_say_stays_as_it_was_known(configuration):
    known = changed(configuration.content(), ["servers.web-1.slots=8", "load=load.yaml"], name="test")
    text = NginxExporter().write(known, name="web").text.replace("weight=3", "weight=4")
    kept = NginxImporter().keep(read(text).configuration, known)
    assert list(kept.servers) == ["web-1", "web-2", "10.0.0.3:80"]
    assert (kept.servers["web-1"].slots, kept.servers["web-2"].weight, kept.load) == (8, 4, "load.yaml")
