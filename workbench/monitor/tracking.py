"""From what systems say at single moments to samples of intervals and events.

A gap is not a zero: while a target does not answer there are no samples, and where it comes back the
first interval begins anew. What its counters counted meanwhile stands in the event that ends the gap.
Counters that begin anew count from 0, as Prometheus takes it; what was lost before is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workbench.monitor.collectors import COUNTERS, Look, Reading
from workbench.monitor.samples import Watched
from workbench.tables import EVENTS, SAMPLES, EventKind

_LATE = 3
"""Steps after which an interval in which nobody looked is a gap."""

Row = dict[str, Any]


@dataclass
class Member:
    """A server or queue of a target, as it was last seen.

    Args:
        number: of the server in samples.
        target: whose it is.
        reading: what was said of it last.
        counted: what was counted since the collection began, by names of `COUNTERS`.
        rates: the same, a second, over the last interval.
        transitions: how often it went up or down.
        recent: its last two samples.
        there: whether the last look told of it.
    """

    number: int
    target: str
    reading: Reading
    counted: dict[str, float]
    rates: dict[str, float] = field(default_factory=dict)
    transitions: int = 0
    recent: list[Row] = field(default_factory=list)
    there: bool = True

    @property
    def watched(self) -> Watched:
        """What metrics need to know of it."""
        one = self.reading
        name, pool = f"{self.target}/{one.server}", f"{self.target}/{one.pool}"
        return Watched(name, one.slots, one.queue_limit, pool)


@dataclass
class Target:
    """A target, as it last answered; times in microseconds since the collection began.

    Args:
        at: when it last answered; 0 before it ever has.
        process: which process that was.
        reason: why it does not answer; empty while it does.
        gaps: how long it did not, gaps that are over.
        resets: how often its counters began anew.
        answered: whether it ever has.
    """

    at: int = 0
    process: str = ""
    reason: str = ""
    gaps: int = 0
    resets: int = 0
    answered: bool = False
    members: dict[str, Member] = field(default_factory=dict)


class Tracker:
    """Takes looks, one after the other, and gives samples and events.

    Args:
        targets: their names.
        step: time between two looks, seconds.
    """

    def __init__(self, targets: Iterable[str], *, step: float) -> None:
        self.targets = {name: Target() for name in targets}
        self.members: list[Member] = []
        self._step_us = round(step * 1e6)
        self._samples: list[Row] = []
        self._events: list[Row] = []

    def take(self, target: str, at: int, look: Look) -> None:
        """Take what a target says.

        Args:
            target: its name.
            at: when, microseconds since the collection began, later than the look before.
            look: what it says.
        """
        known = self.targets[target]
        if known.answered and not known.reason and at - known.at > _LATE * self._step_us:
            self._begin_gap(target, "nobody looked")
        anew = bool(known.process and look.process and known.process != look.process)
        if anew:
            known.resets += 1
            self._tell(at, EventKind.RESET, None, target=target, reason="the system has started anew")
        meanwhile: dict[str, float] = {}
        for reading in look.readings:
            for name, count in self._meet(known, target, at, reading, anew).items():
                meanwhile[name] = meanwhile.get(name, 0.0) + count
        if known.reason:
            self._end_gap(target, at, meanwhile, anew)
        self._miss_members(target, at, {reading.server for reading in look.readings})
        known.at, known.process, known.answered = at, look.process, True

    def miss(self, target: str, reason: str) -> None:
        """Note that a target does not answer, and why."""
        if not self.targets[target].reason:
            self._begin_gap(target, reason)

    def drain(self, run_id: int) -> dict[str, pa.Table]:
        """Give the samples and events that have come since this was last asked, as tables."""
        samples = sorted(self._samples, key=lambda row: (row["server_id"], row["ts_us"]))
        events = sorted(self._events, key=lambda row: row["ts_us"])
        self._samples, self._events = [], []
        found = {"samples": _table(SAMPLES, samples, run_id), "events": _table(EVENTS, events, run_id)}
        return {name: table for name, table in found.items() if table.num_rows}

    def recent(self) -> pa.Table:
        """Give the last two samples of each server that is told of now."""
        rows = [row for one in self.members if self._is_there(one) for row in one.recent]
        return _table(SAMPLES, rows, 0)

    def _is_there(self, member: Member) -> bool:
        return member.there and not self.targets[member.target].reason

    def _meet(self, known: Target, target: str, at: int, reading: Reading, anew: bool) -> Mapping[str, float]:
        """Take what is said of one server; give what was counted in a gap of its target that ends now."""
        member = known.members.get(reading.server)
        if member is None:
            self._find(known, target, at, reading)
            return {}
        began = anew or _fell(member.reading, reading)
        if began and not anew:
            known.resets += 1
            name = member.watched.name
            self._tell(at, EventKind.RESET, member, target=target, reason=f"counters of {name} fell")
        grown = _grown(member.reading, reading, began)
        if not member.there:
            self._tell(at, EventKind.GAP_ENDS, member, target=target, counted=grown)
        elif not known.reason:
            self._sample(member, known.at, at, reading, grown)
        self._changes(member, at, reading)
        for name, count in grown.items():
            member.counted[name] = member.counted.get(name, 0.0) + count
        in_gap = bool(known.reason) and member.there
        member.reading, member.there = _highest(member.reading, reading, began), True
        return grown if in_gap else {}

    def _find(self, known: Target, target: str, at: int, reading: Reading) -> None:
        member = Member(len(self.members), target, reading, dict.fromkeys(reading.counters, 0.0))
        known.members[reading.server] = member
        self.members.append(member)
        one = member.watched
        self._tell(
            at,
            EventKind.FOUND,
            member,
            target=target,
            server=one.name,
            pool=one.pool,
            slots=one.slots,
            queue_limit=one.queue_limit,
            up=reading.up,
        )

    def _sample(self, member: Member, begin: int, at: int, now: Reading, grown: Mapping[str, float]) -> None:
        before, seconds = member.reading, (at - begin) / 1e6
        busy = _mean(before.in_service, now.in_service)
        highest = None if before.waiting is None or now.waiting is None else max(before.waiting, now.waiting)
        row = {
            "server_id": member.number,
            "ts_us": begin,
            "interval_us": at - begin,
            "queue_depth": _mean(before.waiting, now.waiting),
            "queue_max": None if highest is None else round(highest),
            "in_service": busy,
            "utilisation": None if busy is None or not now.slots else min(1.0, busy / now.slots),
            "oldest_us": None if now.oldest_s is None else round(now.oldest_s * 1e6),
            **{name: _whole(grown.get(name)) for name in ("arrivals", "completions", "refused")},
        }
        self._samples.append(row)
        member.recent = [*member.recent[-1:], row]
        member.rates = {name: count / seconds for name, count in grown.items()}

    def _changes(self, member: Member, at: int, now: Reading) -> None:
        before = member.reading
        if before.up is not None and now.up is not None and before.up != now.up:
            member.transitions += 1
            kind = EventKind.UP if now.up else EventKind.DOWN
            self._events.append(_event(at, kind, member.number, now.state))
        if before.weight is not None and now.weight is not None and before.weight != now.weight:
            self._events.append(_event(at, EventKind.WEIGHT, member.number, f"{now.weight:g}"))

    def _miss_members(self, target: str, at: int, told: set[str]) -> None:
        for name, member in self.targets[target].members.items():
            if member.there and name not in told:
                member.there, member.recent = False, []
                reason = "the target tells of it no more"
                self._tell(at, EventKind.GAP_BEGINS, member, target=target, reason=reason)

    def _begin_gap(self, target: str, reason: str) -> None:
        known = self.targets[target]
        known.reason = reason
        self._tell(known.at, EventKind.GAP_BEGINS, None, target=target, reason=reason)

    def _end_gap(self, target: str, at: int, counted: Mapping[str, float], anew: bool) -> None:
        known = self.targets[target]
        known.reason, known.gaps = "", known.gaps + at - known.at
        for member in known.members.values():
            member.recent = []
        more = {"anew": True} if anew else {}
        lasted = (at - known.at) / 1e6
        self._tell(at, EventKind.GAP_ENDS, None, target=target, lasted_s=lasted, counted=counted, **more)

    def _tell(self, at: int, kind: EventKind, member: Member | None, **detail: Any) -> None:
        number = None if member is None else member.number
        self._events.append(_event(at, kind, number, json.dumps(detail, separators=(",", ":"))))


def _event(at: int, kind: EventKind, server: int | None, detail: str) -> Row:
    return {"ts_us": at, "kind": int(kind), "server_id": server, "balancer_id": None, "detail": detail}


def _table(schema: pa.Schema, rows: list[Row], run_id: int) -> pa.Table:
    columns = [
        pa.array([run_id if field.name == "run_id" else row[field.name] for row in rows], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _fell(before: Reading, now: Reading) -> bool:
    """Whether counters began anew: the arrivals fell, or where they are not counted, anything did."""
    shared = before.counters.keys() & now.counters.keys()
    judged = shared & {"arrivals"} or shared
    return any(now.counters[name] < before.counters[name] for name in judged)


def _grown(before: Reading, now: Reading, anew: bool) -> dict[str, float]:
    """Say by how much each counter grew; the looks themselves are taken out."""
    grown = {}
    for name in COUNTERS:
        if name in now.counters and name in before.counters:
            count = now.counters[name] - (0.0 if anew else before.counters[name])
            own = now.own if name in ("arrivals", "completions") else 0
            grown[name] = max(0.0, count - own)
    return grown


def _highest(before: Reading, now: Reading, anew: bool) -> Reading:
    """Keep the highest of each counter, so that one that is worked out of others never counts twice."""
    if anew:
        return now
    counters = {name: max(value, before.counters.get(name, 0.0)) for name, value in now.counters.items()}
    return Reading(**{**vars(now), "counters": counters})


def _mean(before: float | None, now: float | None) -> float | None:
    return None if before is None or now is None else (before + now) / 2


def _whole(count: float | None) -> int | None:
    return None if count is None else round(count)
