"""HAProxy, through its runtime API: weights, states and limits of servers while it runs."""

from __future__ import annotations

import csv
import io
import re
import socket as sockets
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from workbench.configuration.standing import ServerStanding, ServerState, Standing, Step
from workbench.configuration.targets._base import TARGETS, Observation, Target
from workbench.errors import InputError, TargetError
from workbench.quantities import PositiveDuration

_NAME = re.compile(r"[\w.:-]+")
"""What HAProxy's names of backends and servers are made of; nothing else is put into a command."""
_LINE = 8_000
"""Bytes of commands on one line; HAProxy takes up to its buffer, 16,384 by default."""
_MAINT, _DRAIN, _RUNNING = 0x01 | 0x02 | 0x20 | 0x40, 0x08 | 0x10, 2
"""Bits of `srv_admin_state`: in maintenance or drained, by command, by inheritance or by its address."""
_STATES = {
    ServerState.READY: "state ready",
    ServerState.DRAIN: "state drain",
    ServerState.MAINT: "state maint",
}
_TAKING = ("UP", "no check")


@TARGETS.register
class HaproxyTarget(Target):
    """A backend of an HAProxy that runs, with a `stats socket` of level admin.

    All steps go there on one line, so that HAProxy makes them in one go; whoever applies keeps a note of
    what was before, for a process killed in that instant. Weights of `static-rr` and of hashes by a map
    cannot be changed while HAProxy runs.
    """

    summary: ClassVar[str] = "a backend of an HAProxy that runs, by its stats socket"
    carries: ClassVar[frozenset[str]] = frozenset({"weight", "state", "limit"})
    kind: Literal["haproxy"] = "haproxy"
    socket: str = Field(min_length=1, max_length=300)
    """Path of the stats socket, or host:port."""
    backend: str = Field(min_length=1, max_length=200)
    timeout: PositiveDuration = 5.0
    """How long an answer may take, seconds."""

    @field_validator("backend")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise PydanticCustomError("name", "a name of letters, digits and . : _ -")
        return name

    @property
    def address(self) -> str:
        """Name socket and backend."""
        return f"haproxy {self.socket} {self.backend}"

    def current(self) -> Standing:
        """Read `show servers state`, and the limits from `show stat`."""
        rows = self._states()
        limits = {row["svname"]: row["slim"] for row in self._statistics()}
        servers = {
            row["srv_name"]: ServerStanding(
                weight=int(row["srv_uweight"]),
                state=_state(int(row["srv_admin_state"])),
                limit=int(limits.get(row["srv_name"]) or 0),
                up=int(row["srv_op_state"]) == _RUNNING,
            )
            for row in rows
        }
        algorithm = next(
            (row.get("algo") or "" for row in self._statistics() if row["svname"] == "BACKEND"), ""
        )
        return Standing(servers, {"balance": algorithm} if algorithm else {})

    def apply(self, steps: Sequence[Step]) -> Standing:
        """Send all steps on one line, or on as few as HAProxy's buffer takes."""
        for line in _lines([self._command(step) for step in steps]):
            said = " ".join(part.strip() for part in self._ask(line).splitlines() if part.strip())
            if said:
                raise TargetError(f"{self.address}: refused: {said}")
        return self.current()

    def observe(self) -> Observation:
        """Read the backend's counters; a server's state as HAProxy sees it by its checks."""
        rows = self._statistics()
        (backend,) = [row for row in rows if row["svname"] == "BACKEND"]
        servers = [row for row in rows if row["svname"] != "BACKEND"]
        if backend.get("mode") == "tcp":
            requests, errors = _count(backend, "stot"), _count(backend, "econ") + _count(backend, "eresp")
        else:
            requests = sum(_count(backend, f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx"))
            errors = _count(backend, "hrsp_5xx")
        response = backend.get("ttime")
        return Observation(
            usable=sum(row["status"].startswith(_TAKING) and _count(row, "weight") > 0 for row in servers),
            queued=_count(backend, "qcur") + sum(_count(row, "qcur") for row in servers),
            in_flight=_count(backend, "scur"),
            requests=requests,
            errors=errors,
            response_s=int(response) / 1000 if response and requests else None,
        )

    def _command(self, step: Step) -> str:
        if not _NAME.fullmatch(step.server):
            raise InputError(
                f"servers: given {step.server!r}; allowed: names of letters, digits and . : _ - in HAProxy"
            )
        place = f"server {self.backend}/{step.server}"
        if step.key == "state":
            return f"set {place} {_STATES[ServerState(str(step.after))]}"
        if step.key == "limit":
            return f"set maxconn {place} {int(step.after or 0)}"
        return f"set {place} weight {int(step.after or 0)}"

    def _states(self) -> list[dict[str, str]]:
        text = self._ask(f"show servers state {self.backend}")
        lines = text.splitlines()
        if len(lines) < 2 or not lines[1].startswith("# "):
            known = ", ".join(line for line in self._ask("show backend").splitlines()[1:] if line)
            raise InputError(f"backend: given {self.backend!r}; allowed: {known or 'one that HAProxy has'}")
        names = lines[1][2:].split()
        return [dict(zip(names, line.split(), strict=False)) for line in lines[2:] if line.strip()]

    def _statistics(self) -> list[dict[str, str]]:
        text = self._ask("show stat").removeprefix("# ")
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row.get("pxname") == self.backend]
        rows = [row for row in rows if row["svname"] != "FRONTEND"]
        if not any(row["svname"] == "BACKEND" for row in rows):
            raise TargetError(f"{self.address}: `show stat` does not tell of the backend {self.backend}")
        return rows

    def _ask(self, command: str) -> str:
        try:
            with self._connected() as connection:
                connection.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("utf-8", "replace")
        except OSError as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
            raise TargetError(
                f"{self.address}: does not answer ({reason}); allowed: the `stats socket` of an HAProxy that "
                "runs, of level admin, which this user may open"
            ) from None

    def _connected(self) -> sockets.socket:
        host, colon, port = self.socket.rpartition(":")
        if colon and port.isdigit() and "/" not in self.socket:
            return sockets.create_connection((host, int(port)), timeout=self.timeout)
        connection = sockets.socket(sockets.AF_UNIX)
        connection.settimeout(self.timeout)
        try:
            connection.connect(self.socket)
        except BaseException:
            connection.close()
            raise
        return connection


def _state(bits: int) -> ServerState:
    if bits & _MAINT:
        return ServerState.MAINT
    return ServerState.DRAIN if bits & _DRAIN else ServerState.READY


def _count(row: dict[str, str], column: str) -> int:
    return int(row.get(column) or 0)


def _lines(commands: Sequence[str]) -> Iterator[str]:
    line = ""
    for command in commands:
        if line and len(line) + len(command) > _LINE:
            yield line
            line = ""
        line = f"{line}; {command}" if line else command
    if line:
        yield line
