"""One evaluation of 1,000 alert rules over 10,000 series, beside Prometheus where it is installed."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from workbench.alerts.evaluation import Memory, evaluate
from workbench.alerts.exporting import prometheus_rules
from workbench.alerts.labels import Labels
from workbench.alerts.rules import RuleFile, make_rules
from workbench.alerts.series import MemorySource, SeriesSet

RULES, SERIES = 1_000, 10_000
STEP, SAMPLES = 15.0, 21
ROUNDS = 5
PATIENCE = 90.0
"""Seconds to wait for Prometheus's rules to have been evaluated often enough."""

LABELS = tuple(
    Labels({"pool": f"p{number % RULES}", "server": f"s{number}", "zone": "abc"[number % 3]})
    for number in range(SERIES)
)


def values(rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Draw each series' level: one in a hundred is above 99, where the rules' thresholds begin."""
    return rng.random(SERIES) * 100


def metrics(round_number: int) -> dict[str, SeriesSet]:
    """Make the series of an evaluation: 21 samples each, so that windows of five minutes are full."""
    rng = np.random.default_rng(round_number)
    level = np.repeat(values(rng), SAMPLES)
    end = STEP * (SAMPLES + round_number)
    times = np.tile(end - STEP * np.arange(SAMPLES)[::-1], SERIES)
    edges = SAMPLES * np.arange(SERIES + 1, dtype=np.int64)
    return {"depth": SeriesSet(LABELS, times, level, edges)}


def rules(kind: str) -> RuleFile:
    """Make the rules: each over the ten series of its own pool, or each over all."""
    made: list[dict[str, Any]] = []
    for number in range(RULES):
        signal: dict[str, Any] = {"metric": "depth"}
        if kind == "own pool, last value":
            signal["match"] = {"pool": f"p{number}"}
        elif kind == "own pool, mean of 5 min":
            signal |= {"match": {"pool": f"p{number}"}, "function": "avg_over_time", "over": 300}
        elif kind == "all series, mean of 5 min":
            signal |= {"function": "avg_over_time", "over": 300}
        above = 99 + number / RULES
        made.append(
            {
                "name": f"R{number}",
                "condition": {"kind": "threshold", "of": signal, "above": above},
                "for": 30,
                "annotations": {"summary": "{{ $labels.server }} has {{ $value | humanize }}"},
            }
        )
    return make_rules(*made, interval=STEP)


KINDS = (
    "own pool, last value",
    "own pool, mean of 5 min",
    "all series, last value",
    "all series, mean of 5 min",
)


def ours(kind: str) -> tuple[float, float, int]:
    """Measure evaluations with fresh data each; the median, the longest, and the alerts of the last."""
    file = rules(kind)
    memory, seconds, alerts = Memory(), [], 0
    for number in range(ROUNDS):
        source = MemorySource(metrics(number))
        begun = time.process_time()
        memory, evaluation = evaluate(file.every_rule, memory, source, STEP * (SAMPLES + number))
        seconds.append(time.process_time() - begun)
        alerts = len(evaluation.instances)
        assert not evaluation.failures
    return statistics.median(seconds), max(seconds), alerts


class _Metrics(BaseHTTPRequestHandler):
    """Serves the series as a scrape would find them; each scrape has other values."""

    scrapes = 0

    def do_GET(self) -> None:
        """Answer a scrape."""
        _Metrics.scrapes += 1
        level = values(np.random.default_rng(_Metrics.scrapes))
        lines = [
            f"depth{str(labels).replace(', ', ',')} {level[place]}" for place, labels in enumerate(LABELS)
        ]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _prometheus(folder: Path, kind: str) -> Iterator[str]:
    """Run a Prometheus that scrapes the series and evaluates the rules every two seconds."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "rules.yml").write_text(prometheus_rules(rules(kind)).replace("interval: 15s", "interval: 2s"))
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 2s}\nrule_files: [rules.yml]\nscrape_configs:\n"
        f"  - {{job_name: x, static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]}}\n"
    )
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/api/v1/rules"
    finally:
        process.terminate()
        process.wait(30)
        server.shutdown()


def theirs(kind: str) -> float | None:
    """Let Prometheus evaluate the same rules; the median of the times that it reports, seconds."""
    if shutil.which("prometheus") is None:
        return None
    with tempfile.TemporaryDirectory() as name, _prometheus(Path(name), kind) as address:
        seen: dict[str, float] = {}
        deadline = time.monotonic() + PATIENCE
        while len(seen) < 3 * ROUNDS and time.monotonic() < deadline:
            time.sleep(0.5)
            try:
                with urllib.request.urlopen(address, timeout=30) as reply:
                    (group,) = json.load(reply)["data"]["groups"]
            except OSError:
                continue
            seen[group["lastEvaluation"]] = float(group["evaluationTime"])
        # The first ones find no series yet.
        times = list(seen.values())[5:]
        return statistics.median(times) if times else None


def row(kind: str, peer: float | None) -> str:
    """Measure one kind and write its row."""
    median, longest, alerts = ours(kind)
    other = "-" if peer is None else f"{peer * 1000:,.0f}"
    return f"| {kind} | {median * 1000:,.0f} | {longest * 1000:,.0f} | {alerts:,} | {other} |"


def main(kinds: Sequence[str] = KINDS) -> list[str]:
    """Give the lines of the table."""
    heading = "| each rule looks at | ours, ms (median of 5) | longest | alerts | Prometheus, ms |"
    peers = {kind: theirs(kind) if kind.startswith("own") else None for kind in kinds}
    return [heading, "|---|---|---|---|---|", *(row(kind, peers[kind]) for kind in kinds)]


if __name__ == "__main__":
    print("\n".join(main()))
