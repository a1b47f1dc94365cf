"""What each collector makes of the pages that its system gives.

The pages are of the systems' own documented form; those of a real HAProxy, nginx and Redis are in
tests/system/test_collect.py.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.monitor.collectors.loopback import serving
from workbench.errors import TargetError
from workbench.monitor.collectors import COLLECTORS, Collector, Look, Reading

STUB = """Active connections: 291
server accepts handled requests
 16630948 16630940 31070465
Reading: 6 Writing: 179 Waiting: 106
"""
HAPROXY = (
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,econ,eresp,wretr,status,weight,qlimit,type,"
    "hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,qtime,rtime,ttime,\n"
    "web,FRONTEND,,,3,9,2000,400,,,,OPEN,,,0,0,390,0,10,0,0,,,,\n"
    "be,s1,4,9,2,2,2,300,1,2,5,UP,10,20,2,0,280,0,8,7,0,12,30,45,\n"
    'be,s2,0,1,0,2,,100,0,0,0,"MAINT (via be/s1)",1,,2,0,100,0,0,0,0,0,25,26,\n'
    "be,BACKEND,6,9,2,4,200,400,1,2,5,UP,11,,1,0,380,0,8,7,0,12,30,45,\n"
    "raw,t1,0,0,1,1,50,9,0,0,0,no check,1,,2,,,,,,,0,0,0,\n"
)
PLUS_API = {
    "be": {
        "peers": [
            {
                "id": 0,
                "server": "10.0.0.1:80",
                "name": "app:80",
                "backup": False,
                "weight": 5,
                "state": "up",
                "active": 3,
                "max_conns": 20,
                "requests": 600,
                "header_time": 12,
                "response_time": 20,
                "responses": {"1xx": 0, "2xx": 590, "3xx": 0, "4xx": 5, "5xx": 1, "total": 596},
                "fails": 2,
            },
            {
                "id": 1,
                "server": "10.0.0.2:80",
                "name": "app:80",
                "backup": True,
                "weight": 1,
                "state": "unhealthy",
                "active": 0,
                "requests": 0,
                "responses": {"total": 0},
                "fails": 9,
            },
        ],
        "queue": {"size": 7, "max_size": 100, "overflows": 3},
    }
}
RABBIT = [
    {
        "name": "jobs",
        "vhost": "/",
        "state": "running",
        "messages": 12,
        "messages_ready": 9,
        "messages_unacknowledged": 3,
        "consumers": 2,
        "arguments": {"x-max-length": 1000},
        "message_stats": {"publish": 500, "ack": 480, "deliver_no_ack": 8, "redeliver": 4},
    },
    {
        "name": "idle",
        "vhost": "b",
        "state": "down",
        "messages_ready": 0,
        "messages_unacknowledged": 0,
        "arguments": {},
    },
]
METRICS = """# HELP jobs_waiting Jobs that wait.
# TYPE jobs_waiting gauge
jobs_waiting{queue="mail",priority="high"} 3
jobs_waiting{queue="mail",priority="low"} 4 1700000000000
jobs_waiting{queue="a \\"b\\\\c"} NaN
jobs_started_total{queue="mail"} 1.5e2
process_start_time_seconds 1.7e9
"""


def make(kind: str, **keys: Any) -> Collector:
    return COLLECTORS.read({"kind": kind, "name": "t", **keys})


def look(kind: str, page: Any, path: str = "/page", **keys: Any) -> Look:
    with serving() as pages:
        pages.pages[path] = page if isinstance(page, str) else json.dumps(page)
        return make(kind, url=pages.url + ("" if kind == "rabbitmq" else path), **keys).look(timeout=5)


def test_the_page_of_stub_status_tells_what_is_served_less_the_look():
    assert look("nginx_stub", STUB).readings == (
        Reading(
            server="nginx",
            pool="nginx",
            in_service=184,
            counters={"arrivals": 31070465, "completions": 31070281, "refused": 8},
            own=1,
        ),
    )


def test_haproxys_csv_tells_of_servers_and_of_what_waits_in_the_backend():
    first, second, backend, raw = look("haproxy", HAPROXY).readings
    assert first == Reading(
        server="be/s1",
        pool="be",
        waiting=4,
        in_service=2,
        slots=2,
        queue_limit=20,
        up=True,
        state="UP",
        weight=10,
        counters={
            "arrivals": 300,
            "completions": 298,
            "refused": 1,
            "answers": 298,
            "errors": 10,
            "retried": 5,
        },
        means_s={"wait": 0.012, "service": 0.03, "response": 0.045},
    )
    assert (second.up, second.state, second.slots, second.queue_limit) == (
        False,
        "MAINT (via be/s1)",
        None,
        None,
    )
    assert (backend.server, backend.waiting, backend.in_service, backend.counters) == (
        "be/BACKEND",
        6,
        None,
        {},
    )
    assert "answers" not in raw.counters  # plain TCP has no answers to count


def test_only_the_backends_that_are_named_are_read():
    assert [one.server for one in look("haproxy", HAPROXY, backends=["raw"]).readings] == ["raw/t1"]


def test_nginx_plus_tells_of_peers_and_of_the_upstreams_queue():
    first, second, queue = look("nginx_plus", PLUS_API).readings
    assert first == Reading(
        server="be/app:80",
        pool="be",
        in_service=3,
        slots=20,
        up=True,
        state="up",
        weight=5,
        counters={"arrivals": 600, "completions": 596, "answers": 596, "errors": 2},
        means_s={"response": 0.02},
    )
    assert (second.server, second.up) == ("be/app:80#1", False)
    assert (queue.server, queue.waiting, queue.queue_limit, queue.counters) == (
        "be/queue",
        7,
        100,
        {"refused": 3},
    )


def test_the_older_page_of_nginx_plus_also_has_streams():
    peer = {"id": 0, "server": "a:1", "weight": 1, "state": "up", "active": 2, "connections": 50, "fails": 0}
    page = {"upstreams": {}, "stream": {"upstreams": {"db": {"peers": [peer]}}}}
    (found,) = look("nginx_plus", page).readings
    assert (found.server, found.pool) == ("stream/db/a:1", "stream/db")
    assert found.counters == {"arrivals": 50, "completions": 48, "errors": 0}


def test_rabbitmqs_queues_are_read_with_user_and_password(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RABBIT", "s3cret")
    head = round(time.time()) - 40
    with serving() as pages:
        pages.pages["/api/queues"] = json.dumps([RABBIT[0] | {"head_message_timestamp": head}, RABBIT[1]])
        collector = make("rabbitmq", url=pages.url, user="watcher", password_env="RABBIT")
        first, second = collector.look(timeout=5).readings
        (_, headers) = pages.asked[0]
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"watcher:s3cret"
    assert (first.server, first.waiting, first.in_service, first.queue_limit) == ("//jobs", 9, 3, 1000)
    assert first.counters == {"arrivals": 500, "completions": 488, "retried": 4}
    assert first.oldest_s == pytest.approx(40, abs=3)
    assert (second.up, second.oldest_s, second.counters["arrivals"]) == (False, 0, 0)


def test_rabbitmqs_virtual_host_is_part_of_the_address(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RABBITMQ_PASSWORD", "guest")
    found = look("rabbitmq", RABBIT, path="/api/queues/%2F", vhost="/", queues=["jobs"])
    assert [one.server for one in found.readings] == ["//jobs"]


def test_any_page_of_metrics_is_read_by_the_names_that_are_given():
    metrics = {
        "waiting": "jobs_waiting",
        "arrivals": 'jobs_started_total{queue="mail"}',
        "in_service": None,
    }
    found = look("prometheus", METRICS, server="queue", metrics=metrics)
    mail, _ = found.readings
    assert (mail.server, mail.waiting, mail.counters) == ("mail", 7, {"arrivals": 150})
    assert found.process == "1700000000.0"


def test_what_is_said_to_be_unknown_is_not_0():
    odd = 'jobs_waiting{queue="a \\"b\\\\c"}'
    (found,) = look("prometheus", METRICS, server="queue", metrics={"waiting": odd}).readings
    assert (found.server, found.waiting) == ('a "b\\c', None)


PAGED = ("haproxy", "nginx_stub", "nginx_plus", "rabbitmq", "prometheus")


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("page", ["", "<html>an error</html>", '{"error": "no"}', "[1, 2]", "{}garbage"])
def test_a_page_of_something_else_is_an_error_that_names_the_address(
    kind: str, page: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RABBITMQ_PASSWORD", "guest")
    with pytest.raises(TargetError, match=r"^http://127\.0\.0\.1:\d+/"):
        look(kind, page, path="/api/queues" if kind == "rabbitmq" else "/page")


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_answer_that_is_an_error_is_named(status: int):
    with serving(page=status) as pages, pytest.raises(TargetError, match=f"answered {status}"):
        make("nginx_stub", url=f"{pages.url}/page").look(timeout=5)


def test_a_page_that_does_not_come_in_time_is_an_error():
    with serving(page=STUB) as pages:
        pages.delay = 1.0
        with pytest.raises(TargetError, match=r"no answer within 0\.2 s"):
            make("nginx_stub", url=f"{pages.url}/page").look(timeout=0.2)


@pytest.mark.parametrize("kind", ["haproxy", "redis_list", "redis_stream"])
def test_a_socket_that_nobody_listens_on_is_an_error(kind: str, tmp_path):
    more = {"redis_list": {"lists": ["a"]}, "redis_stream": {"streams": ["a"]}}.get(kind, {})
    with pytest.raises(TargetError, match="none: No such file or directory"):
        make(kind, socket=str(tmp_path / "none"), **more).look(timeout=1)


def test_a_missing_password_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RABBITMQ_PASSWORD", raising=False)
    with pytest.raises(TargetError, match="the variable RABBITMQ_PASSWORD is not set"):
        make("rabbitmq").look(timeout=1)


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("haproxy", {}, "one of socket and url"),
        ("haproxy", {"socket": "here"}, "the path of a socket, or host:port"),
        ("haproxy", {"url": "http://me:secret@host/"}, "with no password in it"),
        ("nginx_stub", {"url": "ftp://host/"}, "a plain address of HTTP"),
        ("nginx_plus", {"url": "http://host/", "file": "a.jsonl"}, "one of url and file"),
        ("redis_list", {"lists": []}, "at least 1 item"),
        ("prometheus", {"url": "http://host/", "metrics": {"waiting": "a b"}}, "a metric, such as"),
        ("nginx_stub", {"url": "http://host/", "name": "a/b"}, "match pattern"),
    ],
)
def test_what_cannot_be_watched_is_refused(kind: str, keys: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        make(kind, **keys)
