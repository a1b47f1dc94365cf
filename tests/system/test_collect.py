"""`workbench collect` before Debian's haproxy, nginx and redis, and a Prometheus that scrapes it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.parity.programs import Backends, Client, free_ports, running
from workbench import workflows
from workbench.settings import Settings
from workbench.store import Store
from workbench.tables import EventKind
from workbench.workflows import CollectionView

STEP = 0.2
WAIT = 20


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


@dataclass
class Collecting:
    """A collection under way: what it serves, and at the end what it stored."""

    settings: Settings
    url: str = ""
    view: CollectionView | None = None
    said: list[str] = field(default_factory=list)

    def values(self) -> dict[str, float]:
        """Give every series that is exposed now."""
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def reaches(self, **wanted: float) -> None:
        """Wait until metrics, named without their beginning, have these values."""
        until(lambda: {name: self._one(name) for name in wanted} == wanted)

    def _one(self, name: str) -> float | None:
        metric, _, server = name.partition("__")
        found = [
            value
            for series, value in self.values().items()
            if re.fullmatch(rf'workbench_{metric}\{{\w+="[^"]*{re.escape(server)}"\}}', series)
        ]
        return found[0] if len(found) == 1 else None

    def rows(self, table: str) -> list[dict[str, Any]]:
        with Store(self.settings) as store:
            return store.read_table(table, run_id=self.view.run_id).to_pylist()

    def events(self, kind: EventKind) -> list[dict[str, Any]]:
        return [row for row in self.rows("events") if row["kind"] == kind]


@contextmanager
def collecting(folder: Path, *targets: dict[str, Any]) -> Iterator[Collecting]:
    """Collect in a thread while the block runs."""
    file = folder / "collect.yaml"
    file.write_text(json.dumps({"name": "real", "step": STEP, "flush": "500ms", "targets": list(targets)}))
    state, stop = Collecting(Settings(lake=folder / "lake")), threading.Event()

    def say(line: str) -> None:
        state.said.append(line)
        if line.startswith("metrics: "):
            state.url = line.removeprefix("metrics: ")

    def work() -> None:
        state.view = workflows.collect(file, metrics_port=0, settings=state.settings, stop=stop, say=say)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: state.url)
        yield state
    finally:
        stop.set()
        thread.join(WAIT)
    assert state.view is not None


@pytest.fixture
def backends() -> Iterator[Backends]:
    running_backends = Backends(2)
    yield running_backends
    running_backends.close()


def haproxy_files(folder: Path, port: int, ports: list[int]) -> Path:
    """Two servers that serve one request at once."""
    servers = "\n".join(f"    server s{n} 127.0.0.1:{one} maxconn 1" for n, one in enumerate(ports, start=1))
    file = folder / "haproxy.cfg"
    file.write_text(f"""
global
    nbthread 1
    stats socket {folder}/stats.sock mode 600 level admin
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout queue 30s
frontend fe
    bind 127.0.0.1:{port}
    default_backend be
backend be
    balance roundrobin
    fullconn 100
{servers}
frontend page
    bind 127.0.0.1:{port + 1}
    stats enable
    stats uri /stats
""")
    return file


def test_haproxys_counts_queues_gaps_and_restarts_are_seen(
    program: Callable[[str], str], backends: Backends, tmp_path: Path
):
    (port,) = free_ports(1)
    command = [program("haproxy"), "-db", "-f", str(haproxy_files(tmp_path, port, backends.ports))]
    client = Client(port, backends)
    targets = (
        {"name": "lb", "kind": "haproxy", "socket": str(tmp_path / "stats.sock"), "backends": ["be"]},
        {
            "name": "csv",
            "kind": "haproxy",
            "url": f"http://127.0.0.1:{port + 1}/stats;csv",
            "backends": ["be"],
        },
    )
    with collecting(tmp_path, *targets) as state:
        with running(command, tmp_path / "haproxy.log", port=port):
            state.reaches(target_up__lb=1, target_up__csv=1)
            time.sleep(2 * STEP)
            for _ in range(30):
                client.pick()
            state.reaches(**{"arrivals_total__lb/be/s1": 15, "arrivals_total__lb/be/s2": 15})
            state.reaches(**{"arrivals_total__csv/be/s1": 15, "completions_total__lb/be/s1": 15})
            held = [client.pick(hold=True) for _ in range(2)]
            with socket.create_connection(("127.0.0.1", port), WAIT) as third:
                third.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                state.reaches(
                    **{
                        "queue_depth__lb/be/BACKEND": 1,
                        "in_service__lb/be/s1": 1,
                        "utilisation_ratio__lb/be/s1": 1,
                        "goodput_per_second__lb/be/s1": 0,
                    }
                )
                client.end(0)
                client.end(0)
                assert third.recv(100).startswith(b"HTTP/1.1 200")
            assert sorted(held) == [0, 1]
            state.reaches(**{"in_service__lb/be/s1": 0, "in_service__lb/be/s2": 0})
            time.sleep(2 * STEP)
        state.reaches(target_up__lb=0, target_up__csv=0)
        time.sleep(3 * STEP)
        with running(command, tmp_path / "haproxy.log", port=port):
            state.reaches(target_up__lb=1, target_up__csv=1)
            time.sleep(2 * STEP)
            for _ in range(8):
                client.pick()
            state.reaches(target_resets_total__lb=1)
            before = state.values()
            time.sleep(3 * STEP)
    client.close()
    counted = {one.server: one.counted["arrivals"] for one in state.view.servers if "arrivals" in one.counted}
    assert counted["lb/be/s1"] + counted["lb/be/s2"] == 33 + 8
    # The page tells no process; that the counters began anew shows once they are lower than before.
    assert counted["csv/be/s1"] + counted["csv/be/s2"] == 33 + 8
    assert before['workbench_target_gap_seconds_total{target="lb"}'] >= 3 * STEP
    assert state.view.gaps_s["lb"] >= 3 * STEP
    begins, ends = state.events(EventKind.GAP_BEGINS), state.events(EventKind.GAP_ENDS)
    assert any("stats.sock" in json.loads(row["detail"])["reason"] for row in begins)
    assert len(begins) == len(ends) == 4  # two targets, before the first start and between the two
    samples = sorted(
        (row for row in state.rows("samples") if row["server_id"] == 0), key=lambda row: row["ts_us"]
    )
    gaps = [
        (one["ts_us"] + one["interval_us"], two["ts_us"])
        for one, two in pairwise(samples)
        if one["ts_us"] + one["interval_us"] != two["ts_us"]
    ]
    assert len(gaps) == 1
    assert gaps[0][1] - gaps[0][0] >= 3 * STEP * 1e6


def test_nginxs_requests_are_counted_without_the_looks_and_over_a_restart(
    program: Callable[[str], str], tmp_path: Path
):
    (port,) = free_ports(1)
    file = tmp_path / "nginx.conf"
    file.write_text(f"""
daemon off;
worker_processes 1;
pid {tmp_path}/nginx.pid;
error_log {tmp_path}/nginx.err;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {tmp_path}/t1; proxy_temp_path {tmp_path}/t2; fastcgi_temp_path {tmp_path}/t3;
    uwsgi_temp_path {tmp_path}/t4; scgi_temp_path {tmp_path}/t5;
    server {{
        listen 127.0.0.1:{port};
        location = /status {{ stub_status; }}
        location / {{ return 204; }}
    }}
}}
""")
    command = [program("nginx"), "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "nginx.err")]

    def ask(count: int) -> None:
        for _ in range(count):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()

    target = {"name": "web", "kind": "nginx_stub", "url": f"http://127.0.0.1:{port}/status"}
    with collecting(tmp_path, target) as state:
        with running(command, tmp_path / "nginx.log", port=port):
            state.reaches(target_up__web=1)
            time.sleep(2 * STEP)
            ask(25)
            state.reaches(arrivals_total__nginx=25, completions_total__nginx=25)
            time.sleep(3 * STEP)
            state.reaches(arrivals_total__nginx=25)  # looks alone count nothing
        state.reaches(target_up__web=0)
        with running(command, tmp_path / "nginx.log", port=port):
            state.reaches(target_up__web=1)
            time.sleep(2 * STEP)
            ask(6)
            state.reaches(target_resets_total__web=1)
            time.sleep(3 * STEP)
    (server,) = state.view.servers
    # `running` looks once whether the port is open, and that connection is no request.
    assert server.counted["arrivals"] == 25 + 6
    assert {row["queue_depth"] for row in state.rows("samples")} == {None}


def test_redis_lists_and_streams_tell_what_waits_is_pending_and_is_done(
    program: Callable[[str], str], tmp_path: Path
):
    (port,) = free_ports(1)
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    cli = [program("redis-cli"), "-p", str(port)]

    def redis(*words: str | int) -> str:
        done = subprocess.run(
            [*cli, *map(str, words)], capture_output=True, text=True, check=True, timeout=20
        )
        assert not done.stdout.startswith("ERR"), done.stdout
        return done.stdout

    place = f"127.0.0.1:{port}"
    targets = (
        {"name": "q", "kind": "redis_list", "socket": place, "lists": ["mail", "none"]},
        {"name": "s", "kind": "redis_stream", "socket": place, "streams": ["jobs", "later"]},
    )
    with running([*command, "--dir", str(tmp_path)], tmp_path / "redis.log", port=port):
        redis("XGROUP", "CREATE", "jobs", "workers", "$", "MKSTREAM")
        with collecting(tmp_path, *targets) as state:
            state.reaches(target_up__q=1, target_up__s=1)
            time.sleep(2 * STEP)
            redis("LPUSH", "mail", 1, 2, 3, 4, 5)
            ids = [redis("XADD", "jobs", "*", "n", n).strip() for n in range(6)]
            redis("XREADGROUP", "GROUP", "workers", "w1", "COUNT", 4, "STREAMS", "jobs", ">")
            redis("XACK", "jobs", "workers", *ids[:3])
            redis("XADD", "later", "*", "n", 1)
            state.reaches(
                **{
                    "queue_depth__q/mail": 5,
                    "queue_depth__q/none": 0,
                    "queue_depth__s/jobs/workers": 2,
                    "in_service__s/jobs/workers": 1,
                    "arrivals_total__s/jobs/workers": 6,
                    "completions_total__s/jobs/workers": 3,
                    "queue_depth__s/later": 1,
                }
            )
            age = time.time() - int(ids[4].partition("-")[0]) / 1000
            told = state.values()['workbench_oldest_wait_seconds{server="s/jobs/workers"}']
            assert told == pytest.approx(age, abs=2 * STEP + 0.5)
            redis("SET", "later2", "x")
    assert [row["arrivals"] for row in state.rows("samples") if row["server_id"] == 0][-1] is None
    wrong = {"name": "q", "kind": "redis_list", "socket": place, "lists": ["mail"], "database": 99}
    (tmp_path / "wrong.yaml").write_text(json.dumps({"name": "wrong", "targets": wrong}))
    assert "Connection refused" in workflows.look_once(tmp_path / "wrong.yaml").unreachable["q"]


def test_redis_says_what_is_wrong(program: Callable[[str], str], tmp_path: Path, monkeypatch):
    (port,) = free_ports(1)
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    place = f"127.0.0.1:{port}"

    def unreachable(**keys: Any) -> str:
        target = {"name": "q", "kind": "redis_list", "socket": place, "lists": ["text"]} | keys
        (tmp_path / "one.yaml").write_text(json.dumps({"name": "one", "targets": target}))
        return workflows.look_once(tmp_path / "one.yaml").unreachable.get("q", "")

    with running(
        [*command, "--dir", str(tmp_path), "--requirepass", "s3cret"], tmp_path / "redis.log", port=port
    ):
        assert "NOAUTH" in unreachable()
        monkeypatch.setenv("WRONG", "other")
        assert "WRONGPASS" in unreachable(password_env="WRONG")
        monkeypatch.setenv("RIGHT", "s3cret")
        assert unreachable(password_env="RIGHT") == ""
        assert "out of range" in unreachable(password_env="RIGHT", database=99)
        subprocess.run(
            [program("redis-cli"), "--no-auth-warning", "-a", "s3cret", "-p", str(port), "SET", "text", "x"],
            check=True,
            capture_output=True,
            timeout=20,
        )
        assert "WRONGTYPE" in unreachable(password_env="RIGHT")


def test_a_prometheus_scrapes_what_is_collected(program: Callable[[str], str], tmp_path: Path):
    """It collects the pages of the Prometheus itself, which scrapes it in turn."""
    (port,) = free_ports(1)
    target = {
        "name": "prom",
        "kind": "prometheus",
        "url": f"http://127.0.0.1:{port}/metrics",
        "server": "handler",
        "metrics": {"arrivals": "prometheus_http_requests_total", "waiting": None},
    }
    with collecting(tmp_path, target) as state:
        configuration = tmp_path / "prometheus.yml"
        scraped = state.url.removeprefix("http://").removesuffix("/metrics")
        configuration.write_text(
            "global: {scrape_interval: 300ms, scrape_timeout: 300ms}\n"
            f"scrape_configs: [{{job_name: wb, static_configs: [{{targets: ['{scraped}']}}]}}]\n"
        )
        command = [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

        def query(expression: str) -> list[dict[str, Any]]:
            address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.request.quote(expression)}"
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    return json.load(answer)["data"]["result"]
            except urllib.error.HTTPError:  # it is still starting
                return []

        with running(command, tmp_path / "prometheus.log", port=port):
            until(lambda: [one["value"][1] for one in query("workbench_target_up")] == ["1"])
            until(lambda: query('workbench_arrivals_total{server="prom//api/v1/query"} > 0'))
            (up,) = query('up{job="wb"}')
            (metadata,) = query("count({__name__=~'workbench_.+'})")
            assert up["value"][1] == "1"
            # Prometheus's count of its own queries, by way of us, lags behind by a step and a scrape.
            (ours,) = query('workbench_arrivals_total{server="prom//api/v1/query"}')
            assert 0 < float(ours["value"][1]) < 1000
            assert float(metadata["value"][1]) > 10


def test_the_command_stores_what_it_has_when_it_is_ended(program: Callable[[str], str], tmp_path: Path):
    (port,) = free_ports(1)
    redis = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    target = {"name": "q", "kind": "redis_list", "socket": f"127.0.0.1:{port}", "lists": ["mail"]}
    (tmp_path / "one.yaml").write_text(json.dumps({"name": "one", "step": "100ms", "targets": target}))
    command = [sys.executable, "-m", "workbench.cli", "collect", "one.yaml", "--json"]
    with (
        running([*redis, "--dir", str(tmp_path)], tmp_path / "redis.log", port=port),
        subprocess.Popen(
            command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        line = ""
        while "kept as run 1" not in line:
            line = process.stderr.readline()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 0
    (server,) = json.loads(told)["servers"]
    assert server["server"] == "q/mail"
    assert server["samples"] >= 3
