"""The servers, the proxy and the client of a run, each a process on loopback."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from pathlib import Path

from workbench.errors import InputError, RecordingError
from workbench.traces.recorder import loopback
from workbench.traces.recorder.load import Load
from workbench.traces.recorder.plan import Plan
from workbench.traces.recorder.processes import Processes, wait_until_open
from workbench.traces.recorder.proxies import PROXIES
from workbench.traces.recorder.taken import ServerNotes, Taken, gather, read_notes

_SECOND = 1_000_000_000
_PATIENCE = 35
"""How long the client waits after the last request, seconds: more than HAProxy's `timeout queue`, 30 s."""
_START = 10.0
"""How long a process may take to be up, seconds."""
_CONNECTIONS = 64
"""Connections that the client has made before the first request.

Where a server is killed each request has a connection of its own: of a request that is not the first of its
connection HAProxy tells neither client nor log when a server breaks it off, so that the client tries again.
"""
_PROGRAM = [sys.executable, "-I", "-S", loopback.__file__]


class Stage:
    """Starts what a run consists of, and says what went wrong with it.

    Args:
        plan: what runs.
        folder: where its files are.
        processes: end what was started here.
        program: the proxy's.
        ports: the proxy's, then one a server.
        log_port: where a log that the proxy sends is taken.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        processes: Processes,
        program: str,
        *,
        ports: list[int],
        log_port: int,
    ) -> None:
        self.plan = plan
        self.folder = folder
        self.processes = processes
        self.program = program
        self.ports = ports
        self.log_port = log_port
        self.proxy = PROXIES[plan.proxy]
        self._watched: dict[str, subprocess.Popen[bytes]] = {}

    def start_server(self, number: int) -> tuple[subprocess.Popen[bytes], int]:
        """Start a server; give the process and when it listened, nanoseconds of the monotonic clock.

        Raises:
            RecordingError: it does not listen.
        """
        slots, factor = self.plan.k, self.plan.all_factors[number]
        arguments = [str(self.ports[1 + number]), str(slots), str(factor), self._notes_file(number).name]
        log = f"server-{number}.err"
        process = self.processes.start(
            [*_PROGRAM, "server", str(number), *arguments],
            log,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        out = process.stdout
        readable = select.select([out], [], [], _START)[0] if out else []
        words = out.readline().split() if out and readable else []
        if len(words) != 2:
            raise RecordingError(f"server {number} did not start: {self.processes.told(log)}")
        self._watched[f"server {number}"] = process
        return process, int(words[1])

    def start_proxy(self, plan: Plan) -> subprocess.Popen[bytes]:
        """Start the proxy under a plan and wait until it takes connections.

        Raises:
            InputError: it does not accept the configuration.
            RecordingError: it does not start.
        """
        self.configuration.write_text(self.proxy.configure(plan, self.ports, log_port=self.log_port))
        checked = subprocess.run(
            self.proxy.check(self.program, self.folder),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            lines = f"{checked.stdout}{checked.stderr}".replace(f"{self.folder}/", "").strip().splitlines()
            said = "\n".join(line for line in lines if "[NOTICE]" not in line)
            raise InputError(
                f"{self.proxy.name} does not accept balance, weights, maxconn, extra or sextra:\n{said}"
            )
        process = self.processes.start(self.proxy.start(self.program, self.folder), "proxy.err", group=True)
        if not wait_until_open(process, self.ports[0], _START):
            raise RecordingError(f"{self.proxy.name} did not start: {self.processes.told('proxy.err')}")
        self._watched[self.proxy.name] = process
        return process

    def start_client(self, load: Load, port: int, zero: int, prefix: str = "") -> subprocess.Popen[bytes]:
        """Start the client, whose first request is due some time after `zero`, on the monotonic clock."""
        arrival, service = load.arrival.tolist(), load.service.tolist()
        rows = zip(arrival, service, load.key, strict=True)
        requests = self.folder / f"{prefix}requests"
        requests.write_text("".join(f"{due} {work} {key}\n" for due, work, key in rows))
        end = zero + 1000 * arrival[-1] + _PATIENCE * _SECOND
        connections = _CONNECTIONS if self.plan.kill_at is None else 0
        command = [*_PROGRAM, "client", str(port), str(zero), prefix, str(connections), str(end)]
        with requests.open("rb") as given, (self.folder / f"{prefix}answers").open("wb") as answers:
            return self.processes.start(command, f"{prefix}client.err", stdin=given, stdout=answers)

    def finished(self, client: subprocess.Popen[bytes], prefix: str = "") -> bool:
        """Tell whether the client is done.

        Raises:
            RecordingError: it failed, or a server or the proxy has ended although nobody ended it.
        """
        code = client.poll()
        if code:
            said = self.processes.told(f"{prefix}client.err")
            raise RecordingError(f"the client ended with code {code}: {said}")
        for name, process in self._watched.items():
            if (ended := process.poll()) is not None:
                log = "proxy.err" if name == self.proxy.name else f"{name.replace(' ', '-')}.err"
                said = self.processes.told(log)
                raise RecordingError(f"{name} ended with code {ended} in the middle of the run: {said}")
        return code == 0

    def forget(self, name: str) -> None:
        """No longer wonder whether a process ends."""
        self._watched.pop(name, None)

    def gather(self, load: Load, zero: int, prefix: str = "") -> Taken:
        """Put together what client and servers noted.

        Raises:
            RecordingError: the client has not told of every request.
        """
        notes = [self._notes(number) for number in range(len(self.plan.weights))]
        answers = (self.folder / f"{prefix}answers").read_text()
        return gather(answers, load, notes, zero=zero, prefix=prefix)

    def _notes(self, number: int) -> ServerNotes:
        return read_notes(self._notes_file(number))

    def _notes_file(self, number: int) -> Path:
        return self.folder / f"server-{number}.notes"

    @property
    def configuration(self) -> Path:
        """The file that the proxy reads."""
        return self.folder / self.proxy.configuration

    @property
    def access_log(self) -> Path:
        """The file that nginx writes."""
        return self.folder / "access.log"


def sleep_until(instant: int) -> None:
    """Sleep until an instant of the monotonic clock, nanoseconds."""
    while (left := instant - time.monotonic_ns()) > 0:
        time.sleep(left / _SECOND)
