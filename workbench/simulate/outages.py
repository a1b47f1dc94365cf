"""Outages of a run: what each fault of a server came to, from its begin until all was well again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.simulate.events import Event
from workbench.simulate.records import Records
from workbench.tables import OUTAGES, EventKind

_OUT = (EventKind.DOWN, EventKind.EJECTED)
_BACK = (EventKind.UP, EventKind.RETURNED)


class _Levels(NamedTuple):
    times: NDArray[np.float64]
    present: NDArray[np.float64]
    """Requests in the system from then on."""


@dataclass
class _Outage:
    server: int
    fault: str
    begin: float
    end: float = math.inf


def outages_table(records: Records, *, desks: int, run_id: int = 0) -> pa.Table:
    """Reckon the outages of a run as rows of the outages table.

    Args:
        records: what became of the requests, with attempts and events.
        desks: balancers that watch servers for themselves; 1 where they share a view.
        run_id: the run's number.
    """
    found = _found(records.events)
    levels = _levels(records)
    known = [_row(records, outage, desks, levels) for outage in found]
    columns: dict[str, Any] = {
        name: [row[name] for row in known] for name in OUTAGES.names if name != "run_id"
    }
    columns["run_id"] = [run_id] * len(known)
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in OUTAGES}, schema=OUTAGES
    )


def _found(events: Sequence[Event]) -> list[_Outage]:
    """Pair the beginnings of faults of servers with their ends; a reload is none of a server."""
    found: list[_Outage] = []
    lasting: dict[tuple[int, int, str], list[_Outage]] = {}
    for event in events:
        key = event.server, event.balancer, event.detail
        if event.kind is EventKind.FAULT_BEGINS and event.server >= 0:
            found.append(_Outage(event.server, event.detail, event.time))
            lasting.setdefault(key, []).append(found[-1])
        elif event.kind is EventKind.FAULT_ENDS and lasting.get(key):
            lasting[key].pop(0).end = event.time
    return found


def _row(records: Records, outage: _Outage, desks: int, levels: _Levels) -> dict[str, Any]:
    begin, end, until = outage.begin, outage.end, records.until
    over = min(end, until)
    inside = (records.arrival >= begin) & (records.arrival < over)
    ok = records.ok()
    out = [event for event in records.events if event.server == outage.server and event.time >= begin]
    gone = _first_times(out, _OUT, before=end)
    back = _first_times([event for event in out if event.time >= end], _BACK, before=math.inf)
    length = over - begin
    return {
        "server_id": outage.server if outage.server >= 0 else None,
        "fault": outage.fault,
        "begin_us": round(begin * 1e6),
        "end_us": round(end * 1e6) if end < math.inf else None,
        "detected_s": min(gone.values()) - begin if gone else None,
        "ejected_s": max(gone.values()) - begin if len(gone) == desks else None,
        "back_s": max(back.values()) - end if gone and len(back) >= len(gone) else None,
        "settled_s": _settled(records, levels, begin, end),
        "sent": _sent(records, outage.server, begin, over),
        "failed": int(np.count_nonzero(inside & ~ok)),
        "retried": int(np.count_nonzero(inside & records.retried())),
        "goodput_before_per_s": _goodput(records, ok, begin - length, begin),
        "goodput_during_per_s": _goodput(records, ok, begin, over),
        "goodput_after_per_s": _goodput(records, ok, end, end + length) if end + length <= until else None,
    }


def _first_times(events: list[Event], kinds: tuple[EventKind, ...], *, before: float) -> dict[int, float]:
    """Give for each balancer when it first noticed something of these kinds."""
    first: dict[int, float] = {}
    for event in events:
        if event.kind in kinds and event.time < before:
            first.setdefault(event.balancer, event.time)
    return first


def _sent(records: Records, server: int, begin: float, end: float) -> int:
    attempts = records.attempts
    if attempts is None:
        return 0
    return int(
        np.count_nonzero((attempts.server == server) & (attempts.sent >= begin) & (attempts.sent < end))
    )


def _goodput(records: Records, ok: NDArray[np.bool_], begin: float, end: float) -> float:
    """Good answers a second from a time until another; the run begins at 0."""
    begin = max(begin, 0.0)
    if end <= begin:
        return 0.0
    inside = ok & (records.answered >= begin) & (records.answered < end)
    return float(np.count_nonzero(inside)) / (end - begin)


def _levels(records: Records) -> _Levels:
    """Reckon how many requests were in the system from each arrival and answer on."""
    times = np.concatenate([records.arrival, records.answered])
    steps = np.concatenate([np.ones(len(records)), -np.ones(len(records))])
    order = np.argsort(times, kind="stable")
    return _Levels(times[order], np.cumsum(steps[order]))


def _settled(records: Records, levels: _Levels, begin: float, end: float) -> float | None:
    """From the end of a fault until no more requests are in the system than on average before it.

    That it runs empty when no more requests arrive does not count.
    """
    if begin <= 0 or not end < math.inf or len(records) == 0:
        return None
    spent = np.minimum(records.answered, begin) - np.minimum(records.arrival, begin)
    before = float(spent.sum()) / begin
    last = max(0, int(np.searchsorted(levels.times, end, side="right")) - 1)
    if levels.present[last] <= before:
        return 0.0
    later = np.flatnonzero((levels.present[last:] <= before) & (levels.times[last:] <= records.until))
    return float(levels.times[last + later[0]] - end) if len(later) else None
