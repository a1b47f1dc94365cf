"""Writing a recording: TAG.csv.gz, TAG.meta.json, TAG.log.gz, the configuration and the overhead."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import InputError, RecordingError
from workbench.traces.overhead import OVERHEAD_FILE, Overhead
from workbench.traces.recorder.plan import Plan
from workbench.traces.recorder.proxies import PROXIES
from workbench.traces.recorder.session import Session
from workbench.traces.recorder.taken import NONE, Taken
from workbench.traces.recorder.verdict import Verdict

REFUSED = ".refused"
"""Ends the tag of a run that does not count as good."""

_COLUMNS = "id,arr_us,svc_us,key,send_us,lat_us,status,server,b_recv_us,b_start_us,b_fin_us,b_sent_us"


class Place(NamedTuple):
    """Where a recording is to lie."""

    folder: Path
    tag: str


def claim_place(folder: Path, tag: str, *, replace: bool) -> Place:
    """Make the folder and see that nothing is in the way, before any time is spent.

    Raises:
        InputError: a recording of this name is there and is not to be replaced, the folder cannot be
            made, or its overhead file is corrupt.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made there ({error.strerror})") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: this folder cannot be written to")
    if (taken := folder / f"{tag}.csv.gz").exists() and not replace:
        raise InputError(f"{taken}: there is such a recording already; allowed: another name, or --replace")
    _overheads(folder)
    return Place(folder, tag)


def write_recording(place: Place, plan: Plan, session: Session, verdict: Verdict) -> Path:
    """Write the files of a run; give TAG.csv.gz, or TAG.refused.csv.gz of one that is not good.

    A file appears whole or not at all, and TAG.csv.gz last. What a good run of this name left before is
    not touched by one that is refused, nor is the overhead of the folder.

    Raises:
        RecordingError: a file cannot be written.
    """
    folder = place.folder
    tag = place.tag if not verdict.reasons else f"{place.tag}{REFUSED}"
    meta = _meta(tag, plan, session, verdict)
    texts = {
        f"{tag}.{PROXIES[plan.proxy].configuration}": session.configuration,
        f"{tag}.log.gz": "".join(f"{line}\n" for line in session.log),
        f"{tag}.meta.json": json.dumps(meta, indent=1) + "\n",
        f"{tag}.csv.gz": "\n".join([_COLUMNS, *_rows(session.taken)]) + "\n",
    }
    if not verdict.reasons:
        known = _overheads(folder) | {plan.proxy: _microseconds(session.overhead)}
        texts = {OVERHEAD_FILE: json.dumps(known, indent=1) + "\n"} | texts
    for name, text in texts.items():
        _write(folder / name, text)
    return folder / f"{tag}.csv.gz"


def _meta(tag: str, plan: Plan, session: Session, verdict: Verdict) -> dict[str, Any]:
    return {
        "tag": tag,
        "good": not verdict.reasons,
        "reasons": verdict.reasons,
        "lag_us": {lag.what: _round(lag._asdict(), leave=("what",)) for lag in verdict.lags},
        "stall_us": _round(verdict.stalls),
        "bounds_us": _round(plan.bounds.model_dump()),
        "overhead_us": _microseconds(session.overhead),
        "rho": plan.rho,
        "n": len(session.taken.load),
        "mean_ms": 1000 * plan.service.moments().mean,
        "service": plan.service.model_dump(mode="json"),
        "keys": plan.keys.model_dump(mode="json"),
        "seed": plan.seed,
        "scheduling": plan.scheduling,
        "version": session.version,
        "wall_s": round(session.took, 3),
        "client": f"done {len(session.taken.load)} connections {session.taken.connections}",
        "ev": session.events,
        "sc": _setup(plan),
        "ports": session.ports,
    }


def _setup(plan: Plan) -> dict[str, Any]:
    """Tell what ran, as a replay reads it."""
    setup: dict[str, Any] = {
        "proxy": plan.proxy,
        "balance": plan.balance,
        "weights": plan.weights,
        "factors": plan.all_factors,
        "maxconn": plan.maxconn,
        "k": plan.k,
        "extra": plan.backend_lines,
        "sextra": plan.sextra.strip(),
        "name": plan.name,
    }
    if plan.kill_at is not None:
        setup |= {"kill_at": plan.kill_at, "restart_at": plan.restart_at, "victim": plan.victim}
    return setup


def _round(seconds: dict[str, Any], leave: tuple[str, ...] = ()) -> dict[str, float]:
    return {name: round(1e6 * value, 1) for name, value in seconds.items() if name not in leave}


def _microseconds(overhead: Overhead) -> dict[str, float]:
    return _round(overhead._asdict())


def _rows(taken: Taken) -> Iterator[str]:
    load = taken.load
    measured = (taken.send, taken.latency, taken.status, taken.server)
    noted = (taken.received, taken.start, taken.finish, taken.sent)
    columns = [column.tolist() for column in (load.arrival, load.service, *measured, *noted)]
    for number, (arrival, service, send, latency, status, server, *times) in enumerate(
        zip(*columns, strict=True)
    ):
        first = (number, arrival, service, load.key[number], send, latency, status)
        shown = ["" if time == NONE else time for time in times]
        yield ",".join(map(str, (*first, "" if server < 0 else server, *shown)))


def _overheads(folder: Path) -> dict[str, Any]:
    """Read the overheads that a folder has already."""
    file = folder / OVERHEAD_FILE
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: given what is not JSON ({error}); allowed: overheads by proxy") from None
    if not isinstance(found, dict):
        raise InputError(f"{file}: given no overheads; allowed: overheads by proxy")
    return found


def _write(file: Path, text: str) -> None:
    content = text.encode()
    if file.suffix == ".gz":
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed:
            packed.write(content)
        content = buffer.getvalue()
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(f"{file}: cannot be written ({error.strerror})") from None
