"""HAProxy with one thread, whose log goes to a socket line by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from workbench.traces.recorder.plan import Plan
from workbench.traces.recorder.proxies._base import RecordedProxy

_HEAD = """\
global
    nbthread 1
    maxconn 4000
    log 127.0.0.1:{log_port} format raw local0
defaults
    mode http
    log global
    option httplog
    option http-keep-alive
    http-reuse always
    retries 3
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout queue 30s
    timeout http-keep-alive 60s
frontend fe
    bind 127.0.0.1:{port}
    http-request capture req.hdr(X-Id) len 12
    default_backend be
backend be
    balance {balance}
"""
"""`retries` and the timeouts are those that `workbench.traces.setups` simulates."""


class Haproxy(RecordedProxy):
    """HAProxy."""

    name: ClassVar[str] = "haproxy"
    configuration: ClassVar[str] = "haproxy.cfg"
    logs_itself: ClassVar[bool] = False

    def configure(self, plan: Plan, ports: Sequence[int], *, log_port: int) -> str:
        """Write the configuration; `ports`: the proxy's, then one a server; `log_port` takes the log."""
        servers = []
        for number, (port, weight) in enumerate(zip(ports[1:], plan.weights, strict=True), start=1):
            limit = f" maxconn {plan.maxconn}" if plan.maxconn else ""
            words = f" {plan.sextra.strip()}" if plan.sextra.strip() else ""
            servers.append(f"    server s{number} 127.0.0.1:{port} weight {weight}{limit}{words}\n")
        head = _HEAD.format(port=ports[0], log_port=log_port, balance=plan.balance)
        return f"{head}{plan.backend_lines}{''.join(servers)}"

    def check(self, program: str, folder: Path) -> list[str]:
        """Give the command that says what is wrong with the configuration."""
        return [program, "-c", "-f", self.configuration]

    def start(self, program: str, folder: Path) -> list[str]:
        """Give the command that runs it in the foreground."""
        return [program, "-db", "-f", self.configuration]
