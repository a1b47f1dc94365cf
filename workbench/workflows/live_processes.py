"""Live runs in processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from workbench.errors import InputError, StoreError

_PROGRAM = """
import json, sys
from workbench.errors import WorkbenchError
from workbench.workflows.living import run_started

def say(line):
    print(line, flush=True)

try:
    run_started(json.load(sys.stdin), say)
except WorkbenchError as error:
    print(f"error {error.exit_code}: {error}", flush=True)
    sys.exit(error.exit_code)
"""


def begin_process(request: dict[str, Any]) -> int:
    """Begin a process that runs what is asked for, and give the run's number once it has one.

    The process stands on its own: it goes on when this one ends.

    Raises:
        InputError: what is given cannot be used.
        StoreError: the process has ended before it began to simulate.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise StoreError("a live run could not be started: its process has no input and output")
    process.stdin.write(json.dumps(request))
    process.stdin.close()
    said = process.stdout.readline()
    if begun := re.match(r"live run (\d+)", said):
        process.stdout.close()
        _abandon(process)
        return int(begun[1])
    said += process.stdout.read()
    process.wait()
    if refused := re.match(r"error (\d+): (.*)", said, re.DOTALL):
        text = refused[2].strip()
        raise InputError(text) if int(refused[1]) == InputError.exit_code else StoreError(text)
    raise StoreError(f"a live run could not be started: its process ended ({process.returncode})")


_ABANDONED: list[subprocess.Popen[str]] = []
"""Processes that go on, kept so that nobody waits for them and they are collected when they end."""


def _abandon(process: subprocess.Popen[str]) -> None:
    _ABANDONED[:] = [one for one in _ABANDONED if one.poll() is None]
    _ABANDONED.append(process)
