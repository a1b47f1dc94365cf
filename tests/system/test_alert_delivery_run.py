"""`workbench alerts run` as a process: killed at random instants, and beside a real Prometheus."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tests.parity.programs import free_ports, running
from tests.unit.alerts_delivery.loopback import Receiver, Reply, receiving

PLAN = """\
receivers:
  - name: team
    channels: {kind: webhook, url: "URL", timeout: 1s}
route:
  receiver: team
  group_by: [pool]
  group_wait: 100ms
  group_interval: 400ms
  repeat_interval: 1h
"""

# Eight alerts that fire for twenty seconds and are quiet for twenty, each five seconds before the other.
RULES = """\
name: waves
interval: 500ms
rules:
  - name: Wave
    condition:
      kind: sql
      query: >-
        select 'p' || number as pool, 1.0 as value
        from range(8) as numbers(number)
        where (cast(floor($at) as bigint) + 5 * number) % 40 < 20
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "workbench.cli", "alerts", *arguments]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running_receiver:
        yield running_receiver


@pytest.fixture
def folder(tmp_path: Path, receiver: Receiver) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("URL", receiver.url))
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["run", "rules.yaml", "--to", "plan.yaml", *more]
    return subprocess.Popen(command(*arguments), cwd=folder, stderr=subprocess.PIPE, text=True)


def rows(folder: Path, sql: str) -> list[tuple]:
    with sqlite3.connect(folder / "data" / "lake" / "alerts.sqlite") as database:
        found = database.execute(sql).fetchall()
    database.close()
    return found


@pytest.mark.slow
def test_a_run_that_is_killed_at_random_instants_tells_of_every_alert(folder: Path, receiver: Receiver):
    rng = np.random.default_rng(9)
    receiver.replies.extend(
        Reply(500 if bad else 200, delay=delay)
        for bad, delay in zip(rng.random(5000) < 0.2, rng.random(5000) * 0.1, strict=True)
    )
    for _ in range(16):
        process = start(folder)
        assert "rules: 1, every 500 ms" in process.stderr.readline()
        time.sleep(3.0 * rng.random())
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stderr.close()
    ended = time.time()
    (folder / "rules.yaml").write_text(RULES.replace("where", "where false and"))
    receiver.replies.clear()
    last = start(folder, "--for", "8s")
    _, said = last.communicate(timeout=60)
    assert last.returncode == 0, said
    assert "Traceback" not in said

    fired = {
        (fingerprint, at)
        for fingerprint, at in rows(folder, "select fingerprint, at from events where kind = 'firing'")
        if at < ended - 2.0  # what began later ended before anybody could be told
    }
    told = {
        (one["fingerprint"], one["startsAt"])
        for got in receiver.received
        for one in got.body["alerts"]
        if one["status"] == "firing"
    }
    assert len(fired) >= 12
    assert len({fingerprint for fingerprint, _ in fired}) == 8
    assert Counter(name for name, _ in told) >= Counter(name for name, _ in fired)

    letters = rows(folder, "select key, group_key, state from letters order by letter_id")
    assert {state for *_, state in letters} == {"delivered"}
    sent: dict[str, list[str]] = defaultdict(list)
    for got in receiver.received:
        if got.key not in sent[got.body["groupKey"]]:
            sent[got.body["groupKey"]].append(got.key)
    expected: dict[str, list[str]] = defaultdict(list)
    for key, group, _ in letters:
        expected[group].append(key)
    assert sent == expected
    verdicts = dict(rows(folder, "select verdict, count(*) from attempts group by verdict"))
    assert verdicts["delivered"] == len(letters)


def test_a_run_ends_well_when_it_is_asked_to_and_a_second_one_is_refused(folder: Path, receiver: Receiver):
    process = start(folder)
    deadline = time.monotonic() + 30
    while not receiver.received:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = subprocess.run(
        command("run", "rules.yaml", "--to", "plan.yaml"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert f"process {process.pid} sends its alerts already" in second.stderr
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "firing {alertname=" in said


class _Depth(BaseHTTPRequestHandler):
    """What a program tells that has a queue; its depth is a field of the server."""

    def do_GET(self) -> None:
        text = "".join(
            f'workbench_queue_depth{{pool="{pool}"}} {depth}\n' for pool, depth in self.server.depths.items()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def exporting(depths: dict[str, float]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Depth)
    server.depths = depths
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


PROMETHEUS = """\
global: {scrape_interval: 500ms}
scrape_configs:
  - job_name: pool
    static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""

DEPTH_RULES = """\
name: depth
interval: 500ms
rules:
  - name: DeepQueue
    for: 1s
    condition: {kind: threshold, of: workbench_queue_depth, above: 10}
    annotations: {summary: "{{ $value }} wait in {{ $labels.pool }}"}
"""


def test_an_alert_of_a_target_that_is_gone_ends_with_its_series(
    folder: Path, receiver: Receiver, program: Callable[[str], str]
):
    (folder / "rules.yaml").write_text(DEPTH_RULES)
    (port,) = free_ports(1)
    with contextlib.ExitStack() as stack:
        exporter = stack.enter_context(exporting({"api": 25.0}))
        (folder / "prometheus.yml").write_text(PROMETHEUS.replace("PORT", str(exporter)))
        prometheus = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
        prometheus += [f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"]
        with running(prometheus, folder / "prometheus.log", port=port):
            process = start(folder, "--prometheus", f"http://127.0.0.1:{port}")
            for count in (1, 2):
                deadline = time.monotonic() + 40
                while len(receiver.received) < count and time.monotonic() < deadline:
                    time.sleep(0.05)
                stack.close()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
    assert [got.body["status"] for got in receiver.received] == ["firing", "resolved"], said


def test_series_come_from_a_real_prometheus(folder: Path, receiver: Receiver, program: Callable[[str], str]):
    (folder / "rules.yaml").write_text(DEPTH_RULES)
    depths = {"web": 3.0, "api": 25.0}
    with exporting(depths) as exporter:
        (port,) = free_ports(1)
        (folder / "prometheus.yml").write_text(PROMETHEUS.replace("PORT", str(exporter)))
        prometheus = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
        prometheus += [f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"]
        with running(prometheus, folder / "prometheus.log", port=port):
            process = start(folder, "--prometheus", f"http://127.0.0.1:{port}")
            deadline = time.monotonic() + 40
            while len(receiver.received) < 2 and time.monotonic() < deadline:
                if receiver.received:
                    depths["api"] = 1.0
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    first, second = (got.body for got in receiver.received)
    assert first["status"] == "firing"
    (alert,) = first["alerts"]
    assert {name: alert["labels"][name] for name in ("alertname", "pool", "job")} == {
        "alertname": "DeepQueue",
        "pool": "api",
        "job": "pool",
    }
    assert alert["annotations"] == {"summary": "25 wait in api"}
    assert (second["status"], second["alerts"][0]["fingerprint"]) == ("resolved", alert["fingerprint"])
