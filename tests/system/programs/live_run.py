"""A live run that will be killed: every commit is acknowledged to the one who kills.

Run by `runpy` with `lake`, `run_id` (0 for a new run), `scenario`, `sample_s` and the pipe's end `told`.
"""

from __future__ import annotations

import struct
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import workbench as wb
from workbench.settings import Settings
from workbench.workflows import resume_live

SPEED, COMMIT_S = 100, 0.005


def go_on(lake: Path, run_id: int, told: Connection, scenario: dict[str, Any], sample_s: float) -> None:
    """Start a run, or go on with one."""

    def committed(at_us: int) -> None:
        told.send_bytes(struct.pack("q", at_us))

    told.send_bytes(struct.pack("q", -1))
    around = {"settings": Settings(lake=lake), "commit_every": COMMIT_S, "committed": committed}
    if run_id == 0:
        wb.live(scenario, speed=SPEED, sample_every=sample_s, **around)
    else:
        resume_live(run_id, **around)


given = globals()
go_on(*(given[name] for name in ("lake", "run_id", "told", "scenario", "sample_s")))
