"""Live runs as jobs: begun, or gone on with, by a command of its own that outlives whoever started it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from workbench.errors import InputError
from workbench.monitor.live import read_speed
from workbench.quantities import parse_duration
from workbench.settings import Settings
from workbench.simulate import Scenario
from workbench.workflows.jobs import job_words, start_job
from workbench.workflows.running import check_pool

_FILE = "scenario.yaml"
_BEGUN = re.compile(r"^live run (\d+): ", re.MULTILINE)


def start_live_job(
    scenario: Scenario,
    *,
    speed: str = "1",
    until: str = "",
    rules: Path | None = None,
    settings: Settings | None = None,
) -> int:
    """Start a live run as a job, and return the job's number at once.

    Args:
        scenario: what is simulated.
        speed: simulated seconds in a second, or `max`.
        until: simulated time at which arrivals end, such as 10min; empty for the scenario's horizon.
        rules: file of alert rules that are evaluated in simulated time.
        settings: where the lake is.

    Raises:
        InputError: the speed, the time or the scenario cannot be used.
        StoreError: the lake cannot be written.
    """
    pace = read_speed(speed)
    check_pool(scenario)
    words = ["live", "start", _FILE, f"--speed={'max' if pace is None else f'{pace:g}'}"]
    if until:
        _check_time(until)
        words.append(f"--until={until}")
    if rules is not None:
        words.append(f"--rules={rules}")
    files = {_FILE: json.dumps(json.loads(scenario.to_json()), indent=1)}
    return start_job(words, title=f"{scenario.name}, live", files=files, settings=settings)


def resume_live_job(run_id: int, *, settings: Settings | None = None) -> int:
    """Go on with a live run whose process is gone, as a job, and return the job's number at once.

    Raises:
        StoreError: the lake cannot be written.
    """
    return start_job(["live", "resume", str(run_id)], title=f"live run {run_id} again", settings=settings)


def run_of_job(number: int, *, settings: Settings | None = None) -> int | None:
    """Say which live run a job has begun; None before it has.

    Raises:
        NotFoundError: there is no such job.
    """
    begun = _BEGUN.search(job_words(number, settings=settings))
    return int(begun[1]) if begun else None


def _check_time(until: str) -> None:
    try:
        parse_duration(until)
    except ValueError:
        raise InputError(f"until: given {until!r}; allowed: a duration such as 15min or 2h") from None
