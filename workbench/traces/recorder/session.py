"""One run: servers, the proxy and the client are started, one server is perhaps killed, all are ended."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InputError
from workbench.traces.overhead import Overhead
from workbench.traces.recorder.idle import measure_idle
from workbench.traces.recorder.load import Load
from workbench.traces.recorder.log_socket import LogSocket
from workbench.traces.recorder.plan import Plan
from workbench.traces.recorder.processes import (
    Processes,
    check_scheduling,
    find_program,
    free_ports,
    stopped_by_terminate,
)
from workbench.traces.recorder.proxies import PROXIES
from workbench.traces.recorder.stage import Stage, sleep_until
from workbench.traces.recorder.taken import Taken

_SECOND = 1_000_000_000
_LEAD = _SECOND
"""From when the proxy is up to the start, nanoseconds: time to read the requests and to connect."""
_GLANCE = 0.05
"""How often the processes are looked at, seconds."""

Report = Callable[[float, float | None], None]
"""Told now and then how many requests are due by now, and of how many."""


@dataclass(frozen=True, eq=False)
class Session:
    """What a run left behind."""

    taken: Taken
    overhead: Overhead
    ports: list[int]
    """The proxy's, then one a server."""
    events: dict[str, int | float]
    """`ev` of the meta file."""
    log: list[str]
    configuration: str
    version: str
    """Of the proxy, as it says itself."""
    took: float
    """From the start to the last answer, seconds."""


def run_session(plan: Plan, load: Load, report: Report | None = None) -> Session:
    """Run a plan.

    Args:
        plan: what runs.
        load: what the client sends.
        report: of how far it has come.

    Raises:
        NotFoundError: a program is missing.
        InputError: the proxy does not accept the configuration, a port is taken, the scheduling is not
            allowed, or the victim would be killed after the last request.
        RecordingError: a process does not start, or ends before its time.
    """
    last = load.arrival[-1] / 1e6
    if plan.kill_at is not None and plan.kill_at >= last:
        raise InputError(
            f"kill_at: given {plan.kill_at:g} s; allowed: before {last:.3f} s, when the last request is due"
        )
    program = find_program(PROXIES[plan.proxy].name)
    check_scheduling(plan.scheduling)
    with tempfile.TemporaryDirectory(prefix="workbench-record-") as name, stopped_by_terminate():
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user than root
        with LogSocket() as socket, Processes(folder, plan.scheduling) as processes:
            ports = free_ports(1 + len(plan.weights), plan.port)
            stage = Stage(plan, folder, processes, program, ports=ports, log_port=socket.port)
            return _Run(stage, load, socket, report).record()


class _Run:
    """A run under way."""

    def __init__(self, stage: Stage, load: Load, socket: LogSocket, report: Report | None) -> None:
        self.stage = stage
        self.plan = stage.plan
        self.load = load
        self.socket = socket
        self.report = report
        self.events: dict[str, int | float] = {}

    def record(self) -> Session:
        """Measure the idle system, then record with a proxy that has seen no request."""
        stage, plan = self.stage, self.plan
        servers = [stage.start_server(number)[0] for number in range(len(plan.weights))]
        overhead = self._idle()
        earlier = len(self.socket.lines)
        began = time.monotonic_ns()
        proxy = stage.start_proxy(plan)
        ready = time.monotonic_ns()
        zero = ready + _LEAD
        wall_minus_mono = time.time() - time.monotonic()
        client = stage.start_client(self.load, stage.ports[0], zero)
        self._break(zero, client, servers)
        self._wait(client, zero=zero)
        stage.forget(stage.proxy.name)
        stage.processes.end(proxy)
        taken = stage.gather(self.load, zero)
        self.events |= {
            "ha_start": (began - zero) // 1000,
            "ha_ready": (ready - zero) // 1000,
            "wall_minus_mono_s": wall_minus_mono,
            "t0_ns": zero,
        }
        return Session(
            taken=taken,
            overhead=overhead,
            ports=stage.ports,
            events=self.events,
            log=self._log(earlier, zero),
            configuration=stage.configuration.read_text(),
            version=_version(stage.program),
            took=float((self.load.arrival + taken.latency).max()) / 1e6,
        )

    def _idle(self) -> Overhead:
        """Measure the overhead with a plain proxy, which is ended again."""
        plain = self.plan.model_copy(
            update={"balance": "roundrobin", "extra": "", "sextra": "", "maxconn": 0, "kill_at": None}
        )
        proxy = self.stage.start_proxy(plain)
        overhead = measure_idle(self.stage, self._wait)
        self.stage.forget(self.stage.proxy.name)
        self.stage.processes.end(proxy)
        self.stage.access_log.unlink(missing_ok=True)
        return overhead

    def _break(
        self, zero: int, client: subprocess.Popen[bytes], servers: list[subprocess.Popen[bytes]]
    ) -> None:
        """Kill the victim and start it again, where the plan says so."""
        plan, stage = self.plan, self.stage
        if plan.kill_at is None or plan.restart_at is None:
            return
        self._pass(zero + round(plan.kill_at * _SECOND), client, zero)
        stage.forget(f"server {plan.victim}")
        servers[plan.victim].kill()
        self.events["kill"] = (time.monotonic_ns() - zero) // 1000
        servers[plan.victim].wait()
        self._pass(zero + round(plan.restart_at * _SECOND), client, zero)
        self.events["spawn"] = (time.monotonic_ns() - zero) // 1000
        _, ready = stage.start_server(plan.victim)
        self.events["ready"] = (ready - zero) // 1000

    def _pass(self, instant: int, client: subprocess.Popen[bytes], zero: int) -> None:
        """Let time pass until an instant, with an eye on the processes."""
        glance = round(_GLANCE * _SECOND)
        while instant - time.monotonic_ns() > 2 * glance:
            time.sleep(_GLANCE)
            self.stage.finished(client)
            self._tell(zero)
        sleep_until(instant)

    def _wait(self, client: subprocess.Popen[bytes], prefix: str = "", zero: int | None = None) -> None:
        while not self.stage.finished(client, prefix):
            time.sleep(_GLANCE)
            if zero is not None:
                self._tell(zero)

    def _tell(self, zero: int) -> None:
        if self.report is not None:
            now = (time.monotonic_ns() - zero) // 1000
            self.report(float(self.load.arrival.searchsorted(now)), float(len(self.load)))

    def _log(self, earlier: int, zero: int) -> list[str]:
        """Give the proxy's log; HAProxy's lines begin with their time, microseconds from the start."""
        if self.stage.proxy.logs_itself:
            return self.stage.access_log.read_text(errors="replace").splitlines()
        self.socket.finish()
        return [f"{(time - zero) // 1000} {line}" for time, line in self.socket.lines[earlier:]]


def _version(program: str) -> str:
    """Ask a proxy which it is."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).strip().partition("\n")[0]
