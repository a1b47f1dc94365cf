"""Delivery of alerts: the pipeline over 10,000 alerts, and an outbox on the disk beside bare requests."""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from workbench.alerts.channels import Webhook
from workbench.alerts.database import Database
from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import Message
from workbench.alerts.outbox import Outbox, Place
from workbench.alerts.pipeline import Pipeline
from workbench.alerts.receivers import Plan
from workbench.alerts.secrets import Vault
from workbench.alerts.sending import Sender
from workbench.documents import check

ALERTS, GROUPS, LETTERS = 10_000, 1_000, 1_000

PLAN = {
    "receivers": [{"name": "team", "channels": ["log"]}],
    "route": {
        "receiver": "team",
        "group_by": ["group"],
        "routes": [{"matchers": [f'severity="s{number}"'], "receiver": "team"} for number in range(20)],
    },
    "inhibit_rules": [
        {"source_matchers": ['severity="s1"'], "target_matchers": ['severity="s2"'], "equal": ["group"]}
    ],
}


class _Accepting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def alerts() -> list[AlertInstance]:
    """Make alerts of twenty severities, ten in each group."""
    made = []
    for number in range(ALERTS):
        labels = {
            "alertname": f"a{number // GROUPS}",
            "group": str(number % GROUPS),
            "severity": f"s{number % 20}",
        }
        made.append(AlertInstance("a", Labels(labels), {"summary": "x"}, "page", State.FIRING, 0.0, 1.0, 0.0))
    return made


def seconds(work: Callable[[], object]) -> float:
    """Measure the wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def pipeline_times() -> tuple[dict[str, float], list[Message]]:
    """Measure what one evaluation costs at first, when nothing has changed, and when all groups are due."""
    pipeline = Pipeline(check(PLAN, Plan, name="plan", folder=Path()))
    many = alerts()
    messages: list[Message] = []
    times = {
        "10,000 new alerts": seconds(lambda: pipeline.receive(many, now=0.0)),
        "the same again": seconds(lambda: pipeline.receive(many, now=15.0)),
        "1,000 groups looked at": seconds(lambda: messages.extend(pipeline.advance(now=30.0).messages)),
    }
    return times, messages


def sending_rates(messages: list[Message], folder: Path) -> dict[str, float]:
    """Measure messages a second: into the outbox, out of it by one channel, and of bare requests."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Accepting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    database = Database(folder / "alerts.sqlite")
    put = seconds(lambda: Outbox(database).put(messages, now=time.time()))
    channel = Webhook(url=f"http://127.0.0.1:{port}/")
    rng = np.random.default_rng(1)
    sender = Sender(database, {Place("team", 0): channel}, vault=Vault({}), clock=time.time, rng=rng)

    def send_all() -> None:
        while Outbox(database).counts()["waiting"]:
            sender.start()
            sender.collect(0.1)
        sender.close()

    def bare() -> None:
        body = messages[0].to_json().encode()
        for _ in messages:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("POST", "/", body)
            connection.getresponse().read()
            connection.close()

    rates = {
        "into the outbox": len(messages) / put,
        "delivered from the outbox": len(messages) / seconds(send_all),
        "bare requests, nothing kept": len(messages) / seconds(bare),
    }
    database.close()
    server.shutdown()
    return rates


def main() -> list[str]:
    """Give the lines of the tables."""
    times, messages = pipeline_times()
    with tempfile.TemporaryDirectory() as folder:
        rates = sending_rates(messages[:LETTERS], Path(folder))
    lines = ["| pipeline | ms |", "|---|---|"]
    lines += [f"| {name} | {1e3 * value:.0f} |" for name, value in times.items()]
    lines += ["", "| outbox, one channel | messages/s |", "|---|---|"]
    return lines + [f"| {name} | {rate:,.0f} |" for name, rate in rates.items()]


if __name__ == "__main__":
    print("\n".join(main()))
