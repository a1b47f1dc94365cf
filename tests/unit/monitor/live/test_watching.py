"""Who looks at a live run: a Prometheus, and alert rules in the run's own time."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import DocumentError, InputError
from workbench.monitor.live import LiveMetrics, LiveSimulation, read_command
from workbench.settings import Settings
from workbench.simulate import load_scenario
from workbench.store import Store
from workbench.tables import Outcome
from workbench.workflows import active_alerts, alert_history

RULES = """
name: live
interval: 1s
rules:
  - name: QueueDeep
    severity: page
    for: 2s
    condition: {kind: threshold, of: workbench_queue_depth, above: 20}
"""
SLOW_FROM, SLOW_UNTIL = 3_000_000, 8_000_000


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    return file


@pytest.fixture
def failing(content: dict[str, Any]) -> dict[str, Any]:
    """Between seconds 3 and 8 the first server is so slow that its queue grows."""
    slow = {"kind": "slow", "servers": "web-0", "at": "3s", "lasts": "5s", "factor": 0.1}
    return content | {"faults": [slow], "horizon": "30s"}


def told_of(simulation: LiveSimulation) -> LiveMetrics:
    metrics = LiveMetrics(simulation)
    while not simulation.over:
        if simulation.at_us == 4_000_000:
            command = read_command("server 1 kill")
            simulation.obey(command, number=1, author="ann", reason="", forced=False)
        metrics.add(simulation.advance())
    return metrics


def test_metrics_are_those_of_the_records_afterwards(content: dict[str, Any]):
    simulation = LiveSimulation(load_scenario(content), run_id=1, sample_us=500_000)
    points = told_of(simulation).points()
    found = {(one.series, *sorted(one.labels.items())): one.value for one in points}
    records = simulation.records()
    ended = Counter(zip(records.server.tolist(), records.outcome.tolist(), strict=True))
    names = simulation.run.scenario.servers().names
    for server, name in enumerate(names):
        for outcome in Outcome:
            key = ("workbench_requests_total", ("outcome", outcome.label), ("server", name))
            assert found[key] == ended[server, outcome]
        assert found["workbench_arrivals_total", ("server", name)] == (records.server == server).sum()
        served = (records.server == server) & records.served
        assert found["workbench_completions_total", ("server", name)] == served.sum()
        for bound in (0.005, 0.01, 0.05, 0.1):
            le = ("le", f"{bound:g}")
            counted = found["workbench_response_seconds_bucket", le, ("server", name)]
            response = records.response[served]
            assert (response <= bound * (1 - 0.02)).sum() <= counted <= (response <= bound * (1 + 0.02)).sum()
        assert found["workbench_server_up", ("server", name)] == float(name != "web-1")


@pytest.mark.slow
def test_a_scrape_tells_the_metrics_of_a_run_that_goes_on(content: dict[str, Any], settings: Settings):
    said: list[str] = []
    stop = threading.Event()
    given = {"speed": 10, "sample_every": 0.5, "metrics_port": 0, "settings": settings}
    thread = threading.Thread(
        target=lambda: wb.live(content | {"horizon": "1h"}, **given, stop=stop, started=said.append)
    )
    thread.start()
    try:
        until, text = time.monotonic() + 30, ""
        while "workbench_arrivals_total" not in text:
            assert time.monotonic() < until
            time.sleep(0.05)
            if said:
                address = said[0].removeprefix("metrics: ")
                text = urllib.request.urlopen(address, timeout=10).read().decode()
    finally:
        stop.set()
        thread.join(60)
    assert 'workbench_queue_depth{server="web-3"}' in text
    assert "# TYPE workbench_response_seconds histogram" in text


def test_rules_fire_and_resolve_in_simulated_time(failing: dict[str, Any], settings: Settings, rules: Path):
    begun = time.time()
    live = wb.live(failing, speed="max", sample_every=0.5, rules=rules, settings=settings).live
    assert time.time() - begun < 20 < live.at_s
    state = settings.lake / "live" / f"alerts-{live.run_id}.sqlite"
    history = alert_history(settings=settings, state=state)
    states = [line for line in history.model_dump()["events"] if line["alert"] == "QueueDeep"]
    kinds = [line["kind"] for line in sorted(states, key=lambda line: line["at"])]
    assert kinds == ["pending", "firing", "resolved"]
    at = [line["at"] for line in sorted(states, key=lambda line: line["at"])]
    with Store(settings) as store:
        rows = store.query(
            "select (ts_us + interval_us) / 1e6 as end_s, queue_depth from samples where server_id = 0"
        ).to_pylist()
    depth = {row["end_s"]: row["queue_depth"] for row in rows}
    seconds = [float(second) for second in range(1, int(max(depth)) + 1)]
    pending = next(second for second in seconds if depth[second] > 20)
    resolved = next(second for second in seconds if second > pending and depth[second] <= 20)
    assert SLOW_FROM < pending * 1e6 < SLOW_UNTIL
    assert [round(one - at[0], 6) for one in at] == [0, 2, resolved - pending]
    assert [alert.state for alert in active_alerts(settings=settings, state=state).alerts] == ["resolved"]


@pytest.mark.slow
def test_receivers_are_told_once(failing: dict[str, Any], settings: Settings, rules: Path, tmp_path: Path):
    heard: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    to = tmp_path / "receivers.yaml"
    to.write_text(
        f"""
receivers:
  - name: ann
    channels: {{kind: webhook, url: "http://127.0.0.1:{server.server_port}/", timeout: 5s}}
route: {{receiver: ann, group_wait: 1s, group_interval: 2s}}
"""
    )
    try:
        wb.live(failing, speed=20, sample_every=0.5, rules=rules, to=to, settings=settings)
    finally:
        server.shutdown()
        server.server_close()
    assert [one["status"] for one in heard] == ["firing", "resolved"]


def test_files_that_cannot_be_used_are_refused_before_a_run_begins(
    content: dict[str, Any], settings: Settings, tmp_path: Path, rules: Path
):
    with pytest.raises(DocumentError, match=r"nowhere.yaml"):
        wb.live(content, rules=tmp_path / "nowhere.yaml", settings=settings)
    with pytest.raises(InputError, match="to: given receivers without rules"):
        wb.live(content, to=rules, settings=settings)
    assert wb.lives(settings=settings).lives == []
