"""What is written for HAProxy and nginx, their own programs accept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.configuration import EXPORTERS, BalancerConfiguration
from workbench.documents import check

STRATEGIES = {
    "haproxy": ["roundrobin", "static_rr", "leastconn", "first", "random", "source", "hash"],
    "nginx": [
        "round_robin",
        "least_conn",
        "ip_hash",
        "hash",
        "hash_consistent",
        "random",
        "random_two_least_conn",
    ],
}
PARTS = {
    "haproxy": {
        "checks": {
            "kind": "haproxy.check",
            "inter": 0.5,
            "fastinter": 0.0015,
            "timeout": 1.0,
            "spread_checks": 5,
        },
        "detector": {"kind": "haproxy.observe", "layer": "layer7", "on_error": "mark-down"},
        "slow_start": {"kind": "haproxy.slowstart", "slowstart": 30.0},
        "failover": {"kind": "haproxy.backup", "all_backups": True},
        "retries": {"kind": "haproxy", "redispatch": -1, "server_timeout": 60.0},
        "queue": {"timeout": 1.5, "limit": 20, "full_load": 300},
    },
    "nginx": {
        "detector": {"kind": "nginx.max_fails", "max_fails": 3, "fail_timeout": 5.0},
        "retries": {"kind": "nginx", "next_upstream": ["error", "http_500"], "tries": 2, "timeout": 1.5},
    },
}


def configuration(product: str, strategy: str, *, parts: bool) -> BalancerConfiguration:
    content = {
        "servers": {
            "web-1": {"address": "127.0.0.1:8081", "weight": 5, "limit": 20, "slots": 4},
            "web-2": {"address": "127.0.0.1:8082", "state": "drain"},
            "web-3": {"address": "127.0.0.1:8083", "state": "maint"},
            "spare": {"address": "127.0.0.1:8084", "priority": 1},
            "none": {"address": "127.0.0.1:8085", "weight": 0},
        },
        "balancers": {"strategy": strategy} | (PARTS[product] if parts else {}),
    }
    return check(content, BalancerConfiguration, name="test", folder=Path.cwd())


def commands(product: str, program: str, file: Path) -> list[str]:
    if product == "haproxy":
        return [program, "-c", "-f", str(file)]
    settings = f"pid {file.parent}/nginx.pid; error_log stderr;"
    return [program, "-t", "-p", str(file.parent), "-g", settings, "-c", str(file)]


@pytest.mark.parametrize(
    ("product", "strategy"),
    [(product, f"{product}.{one}") for product, some in STRATEGIES.items() for one in some]
    + [("haproxy", "power_of_two"), ("nginx", "power_of_two"), ("nginx", "nginx.least_time")],
)
def test_what_is_written_is_accepted(
    program: Callable[[str], str], tmp_path: Path, product: str, strategy: str
):
    for parts in (False, True):
        exporter = EXPORTERS[product].model_validate({})
        file = tmp_path / "written.conf"
        file.write_text(exporter.write(configuration(product, strategy, parts=parts), name="web").text)
        told = subprocess.run(
            commands(product, program(product), file), capture_output=True, text=True, check=False, timeout=30
        )
        assert told.returncode == 0, f"{told.stderr}\n{file.read_text()}"
