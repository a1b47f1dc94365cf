"""Retention: single requests go with age or size, what was computed from them stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.store.records import Run
from workbench.store.store import Store
from workbench.tables import PER_REQUEST


@dataclass(frozen=True)
class RolledUp:
    """A run whose single requests were let go.

    Args:
        run_id: the run.
        bytes: what they took.
        reason: `age` or `size`.
    """

    run_id: int
    bytes: int
    reason: str


def roll_up(
    store: Store,
    *,
    now: datetime,
    age_s: float | None,
    size: int | None,
    prepare: Callable[[Run], None],
    dry: bool = False,
) -> list[RolledUp]:
    """Let go of single requests of complete runs, the oldest first.

    Args:
        store: the lake.
        now: the time of day, in UTC.
        age_s: age from which they go, seconds; None keeps any age.
        size: bytes that the lake may hold; None is no limit.
        prepare: makes the histograms of a run that has none yet, before its requests go.
        dry: only say what would be done.

    Raises:
        StoreError: the lake cannot be written.
    """
    owned: dict[int, int] = defaultdict(int)
    histograms = set()
    for part in store.parts():
        if part.table in PER_REQUEST:
            owned[part.run_id] += part.bytes // part.runs
        if part.table == "histograms":
            histograms.add(part.run_id)
    total = sum(file.bytes for file in store.catalogue.parts.files())
    oldest = now - timedelta(seconds=age_s) if age_s is not None else None
    done = []
    for run in reversed(store.runs(state="complete")):
        reason = _reason(run, oldest, size, total)
        if run.run_id not in owned or not reason:
            continue
        total -= owned[run.run_id]
        done.append(RolledUp(run.run_id, owned[run.run_id], reason))
        if not dry:
            if run.run_id not in histograms:
                prepare(run)
            store.catalogue.runs.roll_up(run.run_id, PER_REQUEST)
    return done


def _reason(run: Run, oldest: datetime | None, size: int | None, total: int) -> str:
    if oldest is not None and (run.finished or run.started) < oldest:
        return "age"
    return "size" if size is not None and total > size else ""
