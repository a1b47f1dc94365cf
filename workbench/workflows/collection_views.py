"""What a collection says: what each target tells, and what was stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import TargetError
from workbench.monitor.collectors import Look, Reading
from workbench.monitor.tracking import Member, Tracker
from workbench.quantities import format_duration
from workbench.store import Store
from workbench.workflows.results import Number, View, shown


class ReadingView(BaseModel):
    """What a system says of one of its servers or queues; null where it says nothing."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    server: str
    state: str
    waiting: Number
    in_service: Number
    slots: Number
    oldest_s: Number
    counters: dict[str, float]
    """What is counted since the system started."""


class LooksView(View):
    """One look at each target of a collection."""

    schema_: Literal["workbench.looks/1"] = Field("workbench.looks/1", alias="schema")
    collection: str
    readings: list[ReadingView]
    unreachable: dict[str, str]
    """The targets that gave no answer, and why."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["server", "state", "waiting", "in service", "slots", "oldest", "arrivals", "completions"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.server,
                one.state or "-",
                *(_plain(value) for value in (one.waiting, one.in_service, one.slots)),
                shown(one.oldest_s),
                *(_plain(one.counters.get(name)) for name in ("arrivals", "completions")),
            ]
            for one in self.readings
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"{self.collection}: {len(self.readings)} servers; nothing is stored"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        return [f"{target}: {reason}" for target, reason in self.unreachable.items()]


class CollectedView(BaseModel):
    """One server or queue of a collection; null where the system does not tell."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    server: str
    samples: int
    queue_depth: Number
    """Requests waiting, mean over what was sampled."""
    queue_max: Number
    utilisation: Number
    oldest_s: Number
    """The greatest age of the oldest that waited."""
    counted: dict[str, float]
    """What was counted from the first look to the last, gaps included."""


class CollectionView(View):
    """What was collected."""

    schema_: Literal["workbench.collection/1"] = Field("workbench.collection/1", alias="schema")
    run_id: int
    collection: str
    lake: str
    lasted_s: float
    servers: list[CollectedView]
    gaps_s: dict[str, float]
    """For how long nothing is known of each target, seconds."""
    resets: dict[str, int]
    """How often each target's counters began anew."""

    def columns(self) -> list[str]:
        """Give the headings of the table."""
        return ["server", "samples", "arrivals", "completions", "waiting", "most", "busy", "oldest"]

    def rows(self) -> list[list[str]]:
        """Give the rows of the table, as text."""
        return [
            [
                one.server,
                f"{one.samples:,}",
                *(_plain(one.counted.get(name)) for name in ("arrivals", "completions")),
                *(_plain(value) for value in (one.queue_depth, one.queue_max)),
                "-" if one.utilisation is None else f"{100 * one.utilisation:.0f} %",
                shown(one.oldest_s),
            ]
            for one in self.servers
        ]

    def title(self) -> str:
        """Give the line above the table."""
        return f"run {self.run_id}: {self.collection}, {format_duration(self.lasted_s)}, in {self.lake}"

    def remarks(self) -> list[str]:
        """Give the lines below the table."""
        lines = [
            f"{target}: nothing is known for {format_duration(seconds)} of it"
            for target, seconds in self.gaps_s.items()
            if seconds > 0
        ]
        lines += [f"{target}: its counters began anew {n} times" for target, n in self.resets.items() if n]
        return [*lines, f"next: workbench metrics {self.run_id}"]


def view_looks(collection: str, answers: Mapping[str, Look | TargetError]) -> LooksView:
    """Show what targets answered."""
    readings = [
        _reading(target, reading)
        for target, answer in answers.items()
        if isinstance(answer, Look)
        for reading in answer.readings
    ]
    failed = {target: str(error) for target, error in answers.items() if isinstance(error, TargetError)}
    return LooksView(collection=collection, readings=readings, unreachable=failed)


def view_collection(store: Store, run_id: int, tracker: Tracker, *, last: int) -> CollectionView:
    """Show what a collection has stored; `last` is the time of the last look, microseconds."""
    source = store.relation_sql("samples", run_ids=[run_id])
    sql = f"""
        select server_id, count(*) as samples,
            sum(queue_depth::double * interval_us) / sum(interval_us) as queue_depth,
            max(queue_max) as queue_max,
            sum(utilisation::double * interval_us) / sum(interval_us) as utilisation,
            max(oldest_us) / 1e6 as oldest_s
        from {source} group by server_id
    """
    rows = {row.pop("server_id"): row for row in store.query(sql, views=()).to_pylist()}
    none = dict.fromkeys(("queue_depth", "queue_max", "utilisation", "oldest_s")) | {"samples": 0}
    return CollectionView(
        run_id=run_id,
        collection=store.run(run_id).scenario,
        lake=str(store.lake),
        lasted_s=last / 1e6,
        servers=[_collected(member, rows.get(member.number, none)) for member in tracker.members],
        gaps_s={
            name: (one.gaps + (last - one.at if one.reason else 0)) / 1e6
            for name, one in tracker.targets.items()
        },
        resets={name: one.resets for name, one in tracker.targets.items()},
    )


def _collected(member: Member, row: Mapping[str, object]) -> CollectedView:
    return CollectedView.model_validate(
        {"server": member.watched.name, "counted": dict(member.counted), **row}
    )


def _reading(target: str, one: Reading) -> ReadingView:
    kept = {name: getattr(one, name) for name in ("state", "waiting", "in_service", "slots", "oldest_s")}
    return ReadingView.model_validate(
        {"server": f"{target}/{one.server}", "counters": dict(one.counters), **kept}
    )


def _plain(value: float | None) -> str:
    if value is None or not np.isfinite(value):
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3g}"
