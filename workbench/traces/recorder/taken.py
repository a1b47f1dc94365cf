"""What a run gave: for each request what the client and the servers noted of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import RecordingError
from workbench.traces.recorder.load import Load

NONE = -(2**62)
"""A time that nobody noted."""


class Served(NamedTuple):
    """What a server noted of a request, nanoseconds of the monotonic clock."""

    received: int
    start: int
    finish: int
    sent: int


@dataclass(frozen=True)
class ServerNotes:
    """The notes of one server, over all its lives."""

    served: dict[str, Served] = field(default_factory=dict)
    stall: int = 0
    """Nanoseconds."""


@dataclass(frozen=True, eq=False)
class Taken:
    """One entry a request, in the order of arrival; times in microseconds from the start, or `NONE`."""

    load: Load
    send: NDArray[np.int64]
    latency: NDArray[np.int64]
    """From the scheduled arrival to the answer, or to the end of waiting for one."""
    status: NDArray[np.int64]
    """-1 closed without an answer, 0 unanswered."""
    server: NDArray[np.int64]
    """-1 where no server answered."""
    received: NDArray[np.int64]
    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    sent: NDArray[np.int64]
    stalls: Mapping[str, float]
    """The longest time, seconds, for which the client and each server did not run though it should have."""
    connections: int
    """Connections that the client made."""

    @property
    def noted(self) -> NDArray[np.bool_]:
        """Which requests were answered by a server that noted their times."""
        return np.asarray(self.received != NONE)


def read_notes(file: Path) -> ServerNotes:
    """Read a server's log; a last line that a kill has cut is left out."""
    served, stall = {}, 0
    lines = file.read_text().splitlines(keepends=True) if file.is_file() else []
    for line in lines:
        name, *times = line.split()
        if not line.endswith("\n"):
            continue
        if name == "stall":
            stall = max(stall, int(times[0]))
        else:
            served[name] = Served(*map(int, times))
    return ServerNotes(served, stall)


def gather(answers: str, load: Load, servers: Sequence[ServerNotes], *, zero: int, prefix: str = "") -> Taken:
    """Put the client's and the servers' notes together.

    Args:
        answers: what the client wrote.
        load: what it was to send.
        servers: the servers' notes.
        zero: when the run started, nanoseconds of the monotonic clock.
        prefix: of the requests' ids.

    Raises:
        RecordingError: the client has not told of every request.
    """
    rows: dict[str, list[int]] = {}
    for line in answers.splitlines():
        name, *values = line.split()
        rows[name] = [int(value) for value in values]
    names = [f"{prefix}{number}" for number in range(len(load))]
    if missing := [name for name in (*names, "stall", "connections") if name not in rows]:
        raise RecordingError(f"the client told nothing of {missing[0]}, nor of {len(missing) - 1} others")
    due, send, answered, status, server = np.array([rows[name] for name in names], np.int64).T
    found = [
        servers[number].served.get(name) if number >= 0 else None
        for name, number in zip(names, server.tolist(), strict=True)
    ]
    received, start, finish, sent = (
        _micro((getattr(one, what) if one else None for one in found), zero) for what in Served._fields
    )
    stalls = {"client": rows["stall"][0] / 1e9}
    stalls |= {f"server {number}": notes.stall / 1e9 for number, notes in enumerate(servers)}
    return Taken(
        load=load,
        send=(send - zero) // 1000,
        latency=(answered - due) // 1000,
        status=status,
        server=server,
        received=received,
        start=start,
        finish=finish,
        sent=sent,
        stalls=stalls,
        connections=rows["connections"][0],
    )


def _micro(times: Iterable[int | None], zero: int) -> NDArray[np.int64]:
    return np.array([NONE if time is None else (time - zero) // 1000 for time in times], np.int64)
