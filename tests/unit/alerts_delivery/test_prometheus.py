"""A Prometheus that does not answer as one: what is said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workbench.alerts.labels import Labels
from workbench.alerts.matchers import parse_matcher
from workbench.alerts.prometheus import PrometheusSource
from workbench.alerts.series import is_stale
from workbench.errors import InputError


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(asked)
        status, body = self.server.answers[min(len(self.server.asked), len(self.server.answers)) - 1]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Any]:
    running: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.asked, running.answers = [], [(200, "{}")]
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def source(server: Any) -> PrometheusSource:
    return PrometheusSource(f"http://127.0.0.1:{server.server_address[1]}/")


def result(kind: str, *series: dict[str, Any]) -> tuple[int, str]:
    return 200, json.dumps({"status": "success", "data": {"resultType": kind, "result": series}})


WEB, API = {"__name__": "depth", "pool": "web"}, {"__name__": "depth", "pool": "api"}


def test_samples_of_a_range_become_series_without_the_metrics_name(server: Any):
    server.answers = [
        result(
            "matrix",
            {"metric": WEB, "values": [[10.5, "3"], [11.5, "NaN"]]},
            {"metric": API, "values": [[10.5, "+Inf"]]},
        ),
        result("vector", {"metric": WEB, "value": [12, "3"]}, {"metric": API, "value": [12, "1"]}),
    ]
    found = source(server).series("depth", [parse_matcher('pool=~"web|api"')], start=10.0, end=12.0)
    assert found.labels == (Labels({"pool": "web"}), Labels({"pool": "api"}))
    assert found.times.tolist() == [10.5, 11.5, 10.5]
    assert str(found.values.tolist()) == "[3.0, nan, inf]"
    assert not is_stale(found.values).any()
    chosen = "query=depth%7Bpool%3D~%22web%7Capi%22%7D"
    assert server.asked == [f"{chosen}%5B2001ms%5D&time=12.000", f"{chosen}&time=12.000"]


def test_a_series_that_has_no_value_at_the_end_has_ended(server: Any):
    server.answers = [
        result("matrix", {"metric": WEB, "values": [[10, "3"]]}, {"metric": API, "values": [[10, "4"]]}),
        result("vector", {"metric": API, "value": [12, "4"]}),
    ]
    found = source(server).series("depth", [], start=10.0, end=12.0)
    assert found.times.tolist() == [10.0, 12.0, 10.0]
    assert is_stale(found.values).tolist() == [False, True, False]


def test_no_series_are_none(server: Any):
    server.answers = [result("matrix")]
    assert len(source(server).series("depth", [], start=0.0, end=1.0)) == 0


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((400, '{"status": "error", "error": "parse error: unexpected end"}'), "answered 400: parse error"),
        ((503, "busy"), "answered 503: Service Unavailable"),
        ((200, "<html>"), "no answer as Prometheus gives it"),
        ((200, "[]"), "no answer as Prometheus gives it"),
        ((200, '{"data": 3}'), "no answer as Prometheus gives it"),
        ((200, '{"data": {"resultType": "vector", "result": []}}'), "given no matrix for depth"),
    ],
)
def test_what_is_no_prometheus_is_an_error_with_its_address(
    server: Any, answer: tuple[int, str], complaint: str
):
    server.answers = [answer]
    with pytest.raises(InputError, match=rf"http://127\.0\.0\.1:\d+: .*{complaint}"):
        source(server).series("depth", [], start=0.0, end=1.0)


def test_a_prometheus_that_is_down_is_an_error_with_its_address():
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9: no answer .*refused"):
        PrometheusSource("http://127.0.0.1:9").series("depth", [], start=0.0, end=1.0)


@pytest.mark.parametrize("url", ["127.0.0.1:9090", "ftp://host", "http://user:s3cr3t@host", ""])
def test_what_is_no_plain_address_is_refused_and_not_repeated(url: str):
    with pytest.raises(InputError) as refused:
        PrometheusSource(url)
    assert "s3cr3t" not in str(refused.value)
