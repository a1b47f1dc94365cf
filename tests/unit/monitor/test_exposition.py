"""The text that Prometheus reads, and the server that gives it."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from workbench.errors import InputError, StoreError
from workbench.monitor import Point
from workbench.monitor.exposition import exposition
from workbench.monitor.serving import serve_metrics


def get(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_come_in_the_order_of_their_definitions_each_with_its_head_once():
    text = exposition(
        [
            Point("workbench_arrivals_total", {"server": "b"}, 7.0),
            Point("workbench_queue_depth", {"server": "b"}, 1.5),
            Point("workbench_arrivals_total", {"server": "a"}, 1e6),
        ]
    )
    assert text == (
        "# HELP workbench_queue_depth requests waiting at the server\n"
        "# TYPE workbench_queue_depth gauge\n"
        'workbench_queue_depth{server="b"} 1.5\n'
        "# HELP workbench_arrivals_total requests that came to the server\n"
        "# TYPE workbench_arrivals_total counter\n"
        'workbench_arrivals_total{server="a"} 1000000\n'
        'workbench_arrivals_total{server="b"} 7\n'
    )


def test_buckets_rise_and_come_before_count_and_sum():
    name, labels = "workbench_wait_seconds", {"server": "a"}
    points = [
        Point(f"{name}_sum", labels, 0.75),
        Point(f"{name}_bucket", labels | {"le": "+Inf"}, 3.0),
        Point(f"{name}_count", labels, 3.0),
        Point(f"{name}_bucket", labels | {"le": "10"}, 3.0),
        Point(f"{name}_bucket", labels | {"le": "0.5"}, 2.0),
    ]
    assert exposition(points).splitlines()[2:] == [
        'workbench_wait_seconds_bucket{server="a",le="0.5"} 2',
        'workbench_wait_seconds_bucket{server="a",le="10"} 3',
        'workbench_wait_seconds_bucket{server="a",le="+Inf"} 3',
        'workbench_wait_seconds_count{server="a"} 3',
        'workbench_wait_seconds_sum{server="a"} 0.75',
    ]


def test_openmetrics_names_counters_without_total_has_units_and_moments_in_order():
    points = [
        Point("workbench_target_gap_seconds_total", {"target": "t"}, 2.5, at)
        for at in (1700000010.25, 1700000000.0)
    ]
    assert exposition(points, form="openmetrics") == (
        "# HELP workbench_target_gap_seconds time for which nothing is known of the target\n"
        "# TYPE workbench_target_gap_seconds counter\n"
        "# UNIT workbench_target_gap_seconds seconds\n"
        'workbench_target_gap_seconds_total{target="t"} 2.5 1700000000.000000\n'
        'workbench_target_gap_seconds_total{target="t"} 2.5 1700000010.250000\n'
        "# EOF\n"
    )


def test_a_time_is_in_milliseconds_in_prometheuss_own_format():
    point = Point("workbench_server_up", {"server": "a"}, 0.0, 1700000000.25)
    assert exposition([point]).splitlines()[-1] == 'workbench_server_up{server="a"} 0 1700000000250'


@pytest.mark.parametrize(
    ("value", "text"),
    [(float("inf"), "+Inf"), (float("-inf"), "-Inf"), (float("nan"), "NaN"), (0.1, "0.1"), (1e300, "1e+300")],
)
def test_numbers_are_written_as_prometheus_reads_them(value: float, text: str):
    line = exposition([Point("workbench_overflow_seconds", {}, value)]).splitlines()[-1]
    assert line == f"workbench_overflow_seconds {text}"


def test_labels_are_escaped():
    line = exposition([Point("workbench_server_up", {"server": 'a"b\\c\nd'}, 1.0)]).splitlines()[-1]
    assert line == r'workbench_server_up{server="a\"b\\c\nd"} 1'


def test_a_series_without_a_definition_is_refused():
    with pytest.raises(KeyError, match="workbench_queue_dept"):
        exposition([Point("workbench_queue_dept", {}, 1.0)])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("prometheus", "text/plain; version=0.0.4"), ("openmetrics", "application/openmetrics")],
)
def test_each_scrape_is_rendered_anew_and_names_its_format(name, kind: str):
    values = iter((1.0, 2.0))
    with serve_metrics(
        lambda: exposition([Point("workbench_server_up", {}, next(values))], form=name)
    ) as server:
        first, second = get(server.url), get(server.url)
    assert first[0] == second[0] == 200
    assert first[1].startswith(kind)
    assert "workbench_server_up 1\n" in first[2]
    assert "workbench_server_up 2\n" in second[2]


def failing() -> str:
    raise StoreError("the lake is gone")


@pytest.mark.parametrize(
    ("render", "path", "status", "said"),
    [(failing, "/metrics", 503, "the lake is gone\n"), (str, "/else", 404, "only /metrics is here\n")],
)
def test_what_cannot_be_served_is_said(render: Callable[[], str], path: str, status: int, said: str):
    with serve_metrics(render) as server:
        code, _, text = get(server.url.replace("/metrics", path))
    assert (code, text) == (status, said)


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"given 127.0.0.1:{port}, .* allowed: a free port"):
            serve_metrics(str, port=port)


def test_a_closed_server_answers_no_more_and_closes_twice():
    server = serve_metrics(str)
    server.close()
    server.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), 1)
