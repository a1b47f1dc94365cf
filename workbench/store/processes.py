"""Which process a run belongs to, and whether it still lives."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process of some host; `started` tells it from a later one with the same number."""

    host: str
    pid: int
    started: str

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended; False for a process of another host."""
        return self.host == socket.gethostname() and process_start(self.pid) != self.started


def this_process() -> Process:
    """Name the process that runs this."""
    return Process(socket.gethostname(), os.getpid(), process_start(os.getpid()))


def process_start(pid: int) -> str:
    """Say when a process of this host started, in words that only serve for comparing.

    Returns:
        An empty text where no such process lives; a killed one that its parent has not yet
        collected does not live.
    """
    if (_PROC / "self/stat").exists():
        return _start_in_proc(pid)
    return _start_by_ps(pid)


def _start_in_proc(pid: int) -> str:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    # The command's name, in parentheses, may hold blanks and parentheses; the state comes after it.
    state, *rest = text.rpartition(")")[2].split()
    return "" if state in "ZX" else f"{boot}/{rest[18]}"


def _start_by_ps(pid: int) -> str:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return "" if not found or found[0].startswith("Z") else " ".join(found[1:])
