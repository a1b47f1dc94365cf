"""Which metrics each collector tells is what their definitions say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.unit.monitor.collectors.loopback import serving
from tests.unit.monitor.collectors.test_pages import HAPROXY, PLUS_API, RABBIT, STUB, make
from workbench.monitor import METRICS
from workbench.monitor.collectors import COLLECTORS, COUNTERS, Look, Reading
from workbench.monitor.tracking import Tracker
from workbench.monitor.watching import watched_points

MEASURES = ("waiting", "in_service", "slots", "queue_limit", "oldest_s", "up", *COUNTERS)
ALL_MEASURES = "".join(f'm_{name}{{server="a"}} 5\n' for name in MEASURES)

PAGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "haproxy": (HAPROXY, {}),
    "nginx_stub": (STUB, {}),
    "nginx_plus": (PLUS_API, {}),
    "rabbitmq": (RABBIT, {}),
    "prometheus": (ALL_MEASURES, {"metrics": {name: f"m_{name}" for name in MEASURES}}),
}
REDIS = {
    "redis_list": Reading("a", "a", waiting=1),
    "redis_stream": Reading(
        "a", "a", waiting=1, in_service=1, oldest_s=1.0, counters={"arrivals": 1, "completions": 1}
    ),
}
"""What a Redis tells is in tests/system/test_collect.py; a list tells its length, a stream all of this."""


def later(found: Look) -> Look:
    """The same a moment later, when every counter has grown."""
    grown = [
        Reading(**{**vars(one), "counters": {name: value + 3 for name, value in one.counters.items()}})
        for one in found.readings
    ]
    return Look(tuple(grown), found.process)


@pytest.mark.parametrize("kind", list(COLLECTORS))
def test_what_a_collector_tells_is_what_the_definitions_say(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RABBITMQ_PASSWORD", "guest")
    if kind in REDIS:
        first = Look((REDIS[kind],), "1")
    else:
        page, keys = PAGES[kind]
        if kind == "rabbitmq":
            page = [one | {"head_message_timestamp": 1} for one in page]
        path = "/api/queues" if kind == "rabbitmq" else "/page"
        with serving() as pages:
            pages.pages[path] = page if isinstance(page, str) else json.dumps(page)
            url = pages.url if kind == "rabbitmq" else pages.url + path
            first = make(kind, url=url, **keys).look(timeout=5)
    tracker = Tracker(["t"], step=1)
    for second, look in enumerate((first, later(first), later(later(first)))):
        tracker.take("t", second * 1_000_000, look)
    told = {re.sub(r"_(bucket|count|sum)$", "", one.series) for one in watched_points(tracker, now=2_000_000)}
    assert told == {name for name, metric in METRICS.items() if kind in metric.told_by}
