"""Migration: stored runs brought to the present schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from workbench.errors import StoreError
from workbench.store.maintenance.room import require_room
from workbench.store.parts import write_parts
from workbench.store.records import Part, Run
from workbench.store.store import Store
from workbench.tables import SCHEMA_VERSION

MakeHistograms = Callable[[pa.Table, Run], pa.Table]
"""Makes the histograms of a run from its requests."""


@dataclass(frozen=True)
class Migrated:
    """A run that was brought to the present schema.

    Args:
        run_id: the run.
        rewritten: tables whose parts were written anew, with the columns that they lacked.
        added: tables that it lacked.
        remark: why something could not be done.
    """

    run_id: int
    rewritten: tuple[str, ...]
    added: tuple[str, ...]
    remark: str = ""


def migrate(store: Store, *, histograms: MakeHistograms) -> list[Migrated]:
    """Write the parts of older schema versions anew, and add the histograms that runs lack.

    Run by run, each in one transaction: whoever reads sees a run before or after. Migrating twice, or
    after a kill, goes on where it was.

    Args:
        store: the lake.
        histograms: makes the histograms of a run from its requests.

    Raises:
        StoreError: a run cannot be written; those before it are migrated.
    """
    by_run: dict[int, list[Part]] = defaultdict(list)
    for part in store.parts():
        by_run[part.run_id].append(part)
    if not store.settings.parts:
        old = sum(part.bytes for part in store.parts() if part.schema_version != SCHEMA_VERSION)
        require_room(store, needed=old, what="migrating")
    done = []
    for run in reversed(store.runs(state="complete")):
        if (found := _migrate_run(store, run, by_run[run.run_id], histograms)) is not None:
            done.append(found)
    return done


def _migrate_run(store: Store, run: Run, parts: list[Part], histograms: MakeHistograms) -> Migrated | None:
    tables = {part.table for part in parts}
    old = sorted({part.table for part in parts if part.schema_version < SCHEMA_VERSION})
    lacks = parts and "histograms" not in tables
    if not old and not lacks:
        return None
    written = {name: store.read_table(name, run_id=run.run_id) for name in old}
    added: tuple[str, ...] = ()
    remark = ""
    if lacks and "requests" in tables and run.records == 1:
        requests = written.get("requests")
        if requests is None:
            requests = store.read_table("requests", run_id=run.run_id)
        written["histograms"], added = histograms(requests, run), ("histograms",)
    elif lacks:
        remark = "no histograms: its requests are not stored"
    if not written:
        return None
    new = write_parts(store.files, run.run_id, written)
    if not store.replace_parts([part for part in parts if part.table in old], new, renew=[run.run_id]):
        raise StoreError(f"run {run.run_id} was written anew by another process meanwhile; migrate again")
    return Migrated(run.run_id, tuple(old), added, remark)


def add_histograms(store: Store, run: Run, histograms: MakeHistograms) -> None:
    """Add the histograms that a run lacks.

    Raises:
        StoreError: they cannot be written.
    """
    made = histograms(store.read_table("requests", run_id=run.run_id), run)
    new = write_parts(store.files, run.run_id, {"histograms": made})
    store.replace_parts([], new, renew=[run.run_id])
