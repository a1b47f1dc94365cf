"""Long work in processes of their own: started from a page, watched from any, stopped from any.

A job is a command of the workbench with `--json`. Its folder below the lake's `jobs` holds what it was
given, how far it is and what it printed, so that closing the browser, or the dashboard itself, loses
nothing. How it ended is told by what it printed and by whether its process lives; nobody need watch.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import InputError, NotFoundError, StoreError
from workbench.settings import Settings, load_settings
from workbench.store.processes import Process, process_start, this_process
from workbench.workflows.results import View
from workbench.workflows.schemas import FORMS

PROGRESS_FILE = "WORKBENCH_PROGRESS"
"""Variable that names the file which a command writes its progress to."""

JobState = Literal["running", "done", "failed", "cancelled", "interrupted"]

_JOB, _PROGRESS, _OUTPUT, _ERRORS, _CANCELLED = (
    "job.json",
    "progress.json",
    "output.json",
    "errors.txt",
    "cancelled",
)
_SIGNALS = ((signal.SIGINT, 5.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""What a cancelled process is sent in turn, and how long it then has, seconds."""
_EVERY = 0.25
"""Seconds between two notes of progress."""
_TOLD = 4000
"""Most characters of a failure that are shown, the last ones."""

_SECRETS = frozenset({"WORKBENCH_OPERATOR_PASSWORD", "WORKBENCH_READER_PASSWORD"})
"""Variables that are the dashboard's own and no job's."""


class JobView(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    number: int
    kind: str
    """What it was started for, such as `compare`."""
    title: str
    command: str
    """The command, as a shell takes it."""
    state: JobState
    """`interrupted`: its process ended without a word."""
    started: datetime
    ended: datetime | None
    done: float
    """Requests simulated so far."""
    total: float | None
    """Requests in all; null where nobody knows."""
    result: dict[str, Any] | None
    """What the command printed, where it is done."""
    reason: str
    """Why it failed."""

    def view(self) -> View | None:
        """Give what the command printed as the view that it was; None where it is none."""
        form = FORMS.get(str((self.result or {}).get("schema")).removeprefix("workbench.").partition("/")[0])
        if form is None or not issubclass(form, View):
            return None
        return form.model_validate(self.result)

    @property
    def share(self) -> float | None:
        """How far it is, 0 to 1; None where nobody knows."""
        return min(1.0, self.done / self.total) if self.total else None

    def left_s(self, now: datetime) -> float | None:
        """Seconds that it goes on for at the pace so far; None where that is not known."""
        if not self.share:
            return None
        return (now - self.started).total_seconds() * (1 - self.share) / self.share


def start_job(
    arguments: Sequence[str],
    *,
    title: str,
    files: Mapping[str, str | bytes] | None = None,
    settings: Settings | None = None,
) -> int:
    """Start a command in a process of its own, and return its number at once.

    Args:
        arguments: the command's, without `--json`; one that is the name of a file stands for its path.
        title: what it does, in words.
        files: contents by name, kept with the job.
        settings: where the lake is.

    Raises:
        StoreError: the lake cannot be written.
    """
    place, given = (settings or load_settings()).lake.absolute(), files or {}
    try:
        number, folder = _new_folder(place)
        for name, content in given.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        whole = [str(folder / one) if one in given else one for one in arguments]
        process = _spawn([*whole, "--json"], folder, place)
        owner = Process(this_process().host, process.pid, process_start(process.pid))
        about = {"kind": _kind(arguments), "title": title, "arguments": whole, "process": vars(owner)}
        _write(folder / _JOB, about | {"started": datetime.now(UTC).isoformat()})
    except OSError as error:
        raise StoreError(f"{place / 'jobs'}: cannot be written ({error.strerror})") from None
    # Somebody must collect what is left of a child that has ended.
    threading.Thread(target=process.wait, daemon=True).start()
    return number


def list_jobs(*, limit: int = 100, settings: Settings | None = None) -> list[JobView]:
    """List jobs, the newest first; a lake that is not there has none."""
    place = (settings or load_settings()).lake.absolute() / "jobs"
    folders = sorted((one for one in place.glob("[0-9]*") if (one / _JOB).is_file()), reverse=True)
    return [_read(folder) for folder in folders[:limit]]


def show_job(number: int, *, settings: Settings | None = None) -> JobView:
    """Show a job.

    Raises:
        NotFoundError: there is no such job.
    """
    return _read(_folder(number, settings or load_settings()))


def job_files(number: int, *, settings: Settings | None = None) -> dict[str, Path]:
    """Name the files that a job was given or has written, besides those about the job itself.

    Raises:
        NotFoundError: there is no such job.
    """
    about = {_JOB, _PROGRESS, _OUTPUT, _ERRORS, _CANCELLED}
    folder = _folder(number, settings or load_settings())
    return {one.name: one for one in sorted(folder.iterdir()) if one.is_file() and one.name not in about}


def job_words(number: int, *, settings: Settings | None = None) -> str:
    """Give what a job has said so far besides its result.

    Raises:
        NotFoundError: there is no such job.
    """
    return (_folder(number, settings or load_settings()) / _ERRORS).read_text(errors="replace")


def cancel_job(number: int, *, settings: Settings | None = None) -> JobView:
    """Stop a job and wait until it has ended; what it has stored stays. One that has ended stays as it is.

    Raises:
        NotFoundError: there is no such job.
        InputError: it runs on another machine.
    """
    folder = _folder(number, settings or load_settings())
    owner = _owner(folder)
    if _lives(owner):
        if owner.host != this_process().host:
            raise InputError(f"job: given {number}, which runs on {owner.host}; allowed: to cancel it there")
        (folder / _CANCELLED).touch()
        for kind, patience in _SIGNALS:
            _send(owner, kind)
            if _ends_within(owner, patience):
                break
    return _read(folder)


def forget_job(number: int, *, settings: Settings | None = None) -> None:
    """Remove a job that has ended from the list; its results in the store stay.

    Raises:
        NotFoundError: there is no such job.
        InputError: it still runs.
    """
    folder = _folder(number, settings or load_settings())
    if _lives(_owner(folder)):
        raise InputError(f"job: given {number}, which runs; allowed: one that has ended")
    shutil.rmtree(folder, ignore_errors=True)


def note_progress(file: Path) -> Callable[[float, float | None], None]:
    """Return what writes progress to a file, a few times a second at most."""
    last = -_EVERY

    def note(done: float, total: float | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY or done == total:
            last = now
            _write(file, {"done": done, "total": total})

    return note


def _new_folder(lake: Path) -> tuple[int, Path]:
    """Take the next number; of two who ask at once each gets another."""
    place = lake / "jobs"
    place.mkdir(parents=True, exist_ok=True)
    number = max((int(one.name) for one in place.iterdir() if one.name.isdigit()), default=0)
    while True:
        number += 1
        try:
            (folder := place / f"{number:06d}").mkdir()
        except FileExistsError:
            continue
        return number, folder


def _spawn(arguments: Sequence[str], folder: Path, lake: Path) -> subprocess.Popen[bytes]:
    given = {"WORKBENCH_LAKE": str(lake), PROGRESS_FILE: str(folder / _PROGRESS)}
    with (folder / _OUTPUT).open("wb") as output, (folder / _ERRORS).open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", *arguments],
            env={name: value for name, value in os.environ.items() if name not in _SECRETS} | given,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C in the dashboard's terminal is not meant for it
        )


def _read(folder: Path) -> JobView:
    about = json.loads((folder / _JOB).read_text())
    lives = _lives(Process(**about["process"]))
    progress = _json(folder / _PROGRESS) or {}
    output = None if lives else _json(folder / _OUTPUT)
    errors = "" if lives else (folder / _ERRORS).read_text(errors="replace").strip()
    state: JobState = "running"
    reason = ""
    if not lives:
        state, reason = _ended(folder, output, errors)
    return JobView(
        number=int(folder.name),
        kind=about["kind"],
        title=about["title"],
        command=shlex.join(["workbench", *about["arguments"]]),
        state=state,
        started=datetime.fromisoformat(about["started"]),
        ended=None if lives else _last_written(folder),
        done=progress.get("done") or 0.0,
        total=progress.get("total"),
        result=output if state == "done" else None,
        reason=reason,
    )


def _ended(folder: Path, output: dict[str, Any] | None, errors: str) -> tuple[JobState, str]:
    if output is not None and output.get("schema") != "workbench.error/1":
        return "done", ""
    if (folder / _CANCELLED).exists():
        return "cancelled", ""
    if output is not None:
        return "failed", str(output["error"])
    return ("failed", errors[-_TOLD:]) if errors else ("interrupted", "")


def _last_written(folder: Path) -> datetime:
    written = [(folder / name).stat().st_mtime for name in (_OUTPUT, _CANCELLED) if (folder / name).exists()]
    return datetime.fromtimestamp(max(written), UTC)


def _kind(arguments: Sequence[str]) -> str:
    groups = {"alerts", "config", "reconcile", "store"}
    return " ".join(arguments[:2]) if arguments[0] in groups else arguments[0]


def _folder(number: int, settings: Settings) -> Path:
    folder = settings.lake.absolute() / "jobs" / f"{number:06d}"
    if not (folder / _JOB).is_file():
        raise NotFoundError(f"there is no job {number}")
    return folder


def _owner(folder: Path) -> Process:
    return Process(**json.loads((folder / _JOB).read_text())["process"])


def _lives(owner: Process) -> bool:
    return bool(owner.started) and not owner.is_gone


def _send(owner: Process, kind: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(owner.pid, kind)  # it leads a group of its own, with the processes that work for it


def _ends_within(owner: Process, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while _lives(owner) and time.monotonic() < until:
        time.sleep(0.05)
    return not _lives(owner)


def _json(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a file that nobody sees half of."""
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    new.write_text(json.dumps(content))
    new.replace(file)
