"""HAProxy, by its stats socket or its statistics as CSV over HTTP.

The fields are those of chapter 9.1 of HAProxy's management guide.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from workbench.errors import TargetError
from workbench.monitor.collectors._asking import SocketPlace, Url, ask_line, fetch
from workbench.monitor.collectors._base import COLLECTORS, Collector, Look, Reading

_BACKEND, _SERVER = "1", "2"
"""The field `type`."""

_PROCESS = ("Pid", "Start_time_sec")
_WELL = ("UP", "OPEN", "no check", "DRAIN")


@COLLECTORS.register
class Haproxy(Collector):
    """HAProxy: its servers, and what waits in a backend for whichever of them is free first."""

    summary: ClassVar[str] = "haproxy: HAProxy's stats socket, or its statistics as CSV over HTTP"
    kind: Literal["haproxy"] = "haproxy"
    socket: SocketPlace | None = None
    """The stats socket: a path, or host:port."""
    url: Url | None = None
    """The page of statistics with `;csv` at its end, in place of the socket."""
    backends: tuple[str, ...] = ()
    """Only these backends; all by default."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.socket is None) == (self.url is None):
            raise ValueError("one of socket and url")
        return self

    def look(self, *, timeout: float) -> Look:
        """Ask for the statistics; the socket also tells the process, so that restarts are noticed."""
        if self.url is not None:
            page = fetch(self.url, timeout=timeout).decode("utf-8", "replace")
            return Look(tuple(self._readings(page, self.url)))
        place = str(self.socket)
        info, _, page = ask_line(place, "show info;show stat", timeout=timeout).partition("\n\n")
        told = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
        process = ":".join(told[name] for name in _PROCESS if name in told)
        return Look(tuple(self._readings(page, place)), process)

    def _readings(self, page: str, place: str) -> Iterator[Reading]:
        text = page.lstrip()
        if not text.startswith("# pxname,"):
            raise TargetError(f"{place}: answered {text[:40]!r}, which is not HAProxy's CSV")
        for row in csv.DictReader(io.StringIO(text.removeprefix("# "))):
            if self.backends and row["pxname"] not in self.backends:
                continue
            if row["type"] == _SERVER:
                yield _server(row)
            elif row["type"] == _BACKEND:
                yield _backend(row)


def _server(row: Mapping[str, str]) -> Reading:
    sessions, current = _number(row, "stot") or 0.0, _number(row, "scur") or 0.0
    failed = sum(_number(row, name) or 0.0 for name in ("econ", "eresp"))
    answers = _answers(row)
    counters = {
        "arrivals": sessions,
        "completions": sessions - current,
        "refused": _number(row, "econ"),
        "answers": None if answers is None else answers + failed,
        "errors": failed + (_number(row, "hrsp_5xx") or 0.0),
        "retried": _number(row, "wretr"),
    }
    means = {name: _number(row, column) for name, column in _TIMES.items()}
    return Reading(
        server=f"{row['pxname']}/{row['svname']}",
        pool=row["pxname"],
        waiting=_number(row, "qcur"),
        in_service=current,
        slots=_number(row, "slim") or None,
        queue_limit=_number(row, "qlimit") or None,
        up=row["status"].startswith(_WELL),
        state=row["status"],
        weight=_number(row, "weight"),
        counters={name: value for name, value in counters.items() if value is not None},
        means_s={name: value / 1000.0 for name, value in means.items() if value is not None},
    )


_TIMES = {"wait": "qtime", "service": "rtime", "response": "ttime"}
"""Means over the last 1024 requests, in milliseconds."""


def _backend(row: Mapping[str, str]) -> Reading:
    """What waits in the backend itself belongs to no server yet."""
    return Reading(
        server=f"{row['pxname']}/BACKEND",
        pool=row["pxname"],
        waiting=_number(row, "qcur"),
        up=row["status"].startswith(_WELL),
        state=row["status"],
    )


def _answers(row: Mapping[str, str]) -> float | None:
    """Count the server's answers; a backend of plain TCP has none."""
    parts = [_number(row, f"hrsp_{name}") for name in ("1xx", "2xx", "3xx", "4xx", "5xx", "other")]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _number(row: Mapping[str, str], column: str) -> float | None:
    text = row.get(column) or ""
    return float(text) if text.isdecimal() else None
