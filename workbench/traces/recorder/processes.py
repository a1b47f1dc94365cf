"""The processes of a run: each started here, and ended by its id whatever happens."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Self

from workbench.errors import InputError, NotFoundError, RecordingError

_PATIENCE = 10.0
"""Longest wait for a process to end, seconds."""
_PORTS = range(20_000, 32_768)
"""Below the ports that Linux gives to outgoing connections: one of those could take a dead server's."""
_TRIES = 200
_MOST_TOLD = 2000
_FIFO = ["chrt", "-f", "10"]


class Processes:
    """A context that ends what was started in it, in the reverse order."""

    def __init__(self, folder: Path, scheduling: str) -> None:
        self.folder = folder
        self._before = _FIFO if scheduling == "fifo" else []
        self._running: list[subprocess.Popen[bytes]] = []
        self._groups: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in reversed(self._running.copy()):
            self.end(process)

    def start(
        self,
        command: Sequence[str],
        log: str,
        *,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        group: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a program in the run's folder; its errors, and by default its output, go to a file.

        With `group` it is the first of a group of its own, which ends with it: nginx's workers outlive
        a master that is killed.
        """
        with (self.folder / log).open("ab") as told:
            process = subprocess.Popen(
                [*self._before, *command],
                cwd=self.folder,
                stdin=stdin,
                stdout=stdout or told,
                stderr=told,
                process_group=0 if group else None,
            )
        self._running.append(process)
        if group:
            self._groups.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process, or what is left of its group, and wait for it."""
        self._running.remove(process)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def told(self, log: str) -> str:
        """Give the end of what a program has said."""
        file = self.folder / log
        text = file.read_text(errors="replace").strip() if file.is_file() else ""
        return text[-_MOST_TOLD:] or "it said nothing"


def find_program(name: str) -> str:
    """Find a system program.

    Raises:
        NotFoundError: there is none; the message says how to get it.
    """
    # Debian keeps haproxy and nginx where a plain user's PATH does not reach.
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise NotFoundError(f"{name}: no such program; install it (Debian: apt-get install {name})")
    return found


def check_scheduling(scheduling: str) -> None:
    """Try whether processes may run before all ordinary ones.

    Raises:
        InputError: they may not.
    """
    if scheduling != "fifo":
        return
    find_program(_FIFO[0])
    tried = subprocess.run([*_FIFO, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise InputError(
            f"scheduling: given fifo, which this user may not have ({tried.stderr.strip()}); "
            "allowed: normal, or fifo as root"
        )


def free_ports(count: int, given: int = 0) -> list[int]:
    """Find ports of 127.0.0.1 that nobody listens on, the given one first.

    Raises:
        InputError: the given one is taken.
        RecordingError: too few are free.
    """
    found = [given] if given else []
    if given and not _is_free(given):
        raise InputError(f"port: given {given}, which is taken; allowed: a free port, or 0 to find one")
    # Which ports they are has no bearing on the run; two recorders at once must not seek the same.
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        if len(found) >= count:
            return found
        port = chance.choice(_PORTS)
        if port not in found and _is_free(port):
            found.append(port)
    raise RecordingError(
        f"found {len(found)} free ports of {count} on 127.0.0.1 from {_PORTS[0]} to {_PORTS[-1]}"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until_open(process: subprocess.Popen[bytes], port: int, patience: float) -> bool:
    """Wait until a process takes connections; false where it ends instead, or takes none in time."""
    until = time.monotonic() + patience
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as tried:
            tried.settimeout(1)
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.01)
    return False


@contextmanager
def stopped_by_terminate() -> Iterator[None]:
    """Let SIGTERM end what goes on as Ctrl-C does, so that no process is left behind."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
