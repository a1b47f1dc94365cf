"""The configurations that are written are those of the recordings that are known to be replayed."""

from __future__ import annotations

import pytest

from workbench.traces.recorder import Plan
from workbench.traces.recorder.proxies import PROXIES

PORTS = [40155, 33017, 38907]


def lines_of(**given: object) -> list[str]:
    plan = Plan.model_validate({"weights": [3, 1]} | given)
    return [line.strip() for line in PROXIES[plan.proxy].configure(plan, PORTS, log_port=514).splitlines()]


def test_haproxy_has_one_thread_and_sends_its_log_with_ids():
    lines = lines_of(proxy="haproxy", balance="leastconn", extra="option redispatch")
    assert {
        "nbthread 1",
        "log 127.0.0.1:514 format raw local0",
        "option httplog",
        "option http-keep-alive",
        "http-reuse always",
        "retries 3",
        "bind 127.0.0.1:40155",
        "http-request capture req.hdr(X-Id) len 12",
        "balance leastconn",
        "option redispatch",
        "server s1 127.0.0.1:33017 weight 3",
        "server s2 127.0.0.1:38907 weight 1",
    } <= set(lines)


def test_words_of_a_server_stand_in_its_line():
    lines = lines_of(proxy="haproxy", maxconn=2, sextra="check inter 500ms")
    assert "server s1 127.0.0.1:33017 weight 3 maxconn 2 check inter 500ms" in lines
    assert "option log-health-checks" in lines


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, " max_fails=0"),
        ({"sextra": "max_fails=2 fail_timeout=3s"}, " max_fails=2 fail_timeout=3s"),
        ({"kill_at": "1s", "restart_at": "2s"}, ""),
    ],
)
def test_nginx_puts_a_server_out_only_where_that_is_asked_or_one_is_killed(given, words: str):
    lines = lines_of(proxy="nginx", balance="least_conn", **given)
    assert "least_conn;" in lines
    assert f"server 127.0.0.1:33017 weight=3{words};" in lines
    assert "keepalive 128;" in lines


def test_nginx_takes_turns_without_a_directive():
    assert not [line for line in lines_of(proxy="nginx") if "robin" in line]
