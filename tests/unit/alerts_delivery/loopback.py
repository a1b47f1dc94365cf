"""Receivers on loopback that answer as they are told to, and alerts to send them."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from workbench.alerts.instances import AlertInstance, State
from workbench.alerts.labels import Labels
from workbench.alerts.messages import Message


@dataclass(frozen=True)
class Reply:
    """What a receiver answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between the bytes of the status line, where it is sent byte by byte."""


@dataclass(frozen=True)
class Received:
    """A request that arrived."""

    at: float
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


class Receiver:
    """A server on loopback that keeps what it is sent."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.reply = Reply()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512  # a full queue would make clients wait a second
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        content = self.rfile.read(int(self.headers["Content-Length"]))
        received = Received(time.time(), self.path, dict(self.headers), json.loads(content))
        reply = receiver.replies.popleft() if receiver.replies else receiver.reply
        receiver.received.append(received)
        time.sleep(reply.delay)
        if reply.drip:
            for byte in b"HTTP/1.1 200 OK\r\n" * 100:
                self.wfile.write(bytes([byte]))
                time.sleep(reply.drip)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """Run a receiver while it is needed."""
    receiver = Receiver(port)
    try:
        yield receiver
    finally:
        receiver.close()


def alert(
    name: str = "DeepQueue",
    *,
    active_at: float = 0.0,
    resolved_at: float | None = None,
    severity: str = "page",
    **labels: str,
) -> AlertInstance:
    """Make an alert that fires since `active_at`, or that has resolved."""
    return AlertInstance(
        rule=name,
        labels=Labels({"alertname": name, "severity": severity, **labels}),
        annotations={"summary": f"{name} in {labels.get('pool', 'some pool')}"},
        severity=severity,
        state=State.FIRING if resolved_at is None else State.RESOLVED,
        active_at=active_at,
        value=12.5,
        fired_at=active_at,
        resolved_at=resolved_at,
        generator="http://workbench.example/alerts",
    )


def message(
    *alerts: AlertInstance,
    receiver: str = "team",
    group: str = "DeepQueue",
    at: float = 100.0,
    **changes: Any,
) -> Message:
    """Make a message about some alerts, or about one."""
    told = alerts or (alert(group),)
    labels = Labels({"alertname": group})
    fields = {"channel": 0, "group_key": f"{{}}:{labels}", "group_labels": labels, "reason": "new alert"}
    return Message(receiver=receiver, alerts=told, at=at, **(fields | changes))
