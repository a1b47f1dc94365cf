"""The tables and views that queries name, kept abreast of the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from workbench.store import snapshot
from workbench.store.catalogue import Catalogue
from workbench.store.database import Database
from workbench.store.relations import result_sql, rows_sql, stored_sql
from workbench.tables import RESULTS, SCHEMAS

VIEWS = ("comparison_runs", "comparisons", "runs", *RESULTS, *SCHEMAS)
"""Every table and view that a statement may name."""


class Views:
    """The tables and views of one database.

    Each is made when a statement first needs it and made anew when the catalogue has changed since;
    statements that run meanwhile go on with what they began with.

    Args:
        database: where they are made.
        catalogue: what they follow.
        root: folder or address that the paths of parts begin at.
        lake: folder of the lake, where reconciliations have theirs.
    """

    def __init__(self, database: Database, catalogue: Catalogue, root: str, lake: Path) -> None:
        self._database = database
        self._catalogue = catalogue
        self._root = root
        self._lake = lake
        self._lock = threading.Lock()
        self._current: dict[str, tuple[int, ...]] = {}

    def refresh(self, names: Collection[str]) -> None:
        """Bring these tables and views up to date, all to the same moment."""
        if not names:
            return
        with self._lock, self._catalogue.reading():
            states = {name: self._state(name) for name in names}
            stale = [name for name, state in states.items() if self._current.get(name) != state]
            if stale:
                self._database.run([self._statement(name) for name in stale])
            self._current.update(states)

    def _state(self, name: str) -> tuple[int, ...]:
        version = self._catalogue.version
        if name in RESULTS:
            return tuple(file.stat().st_mtime_ns for file in result_files(self._lake, name))
        if name != "runs":
            return (version,)
        # A process that is killed changes no catalogue, yet its runs become interrupted.
        return (version, *(run.run_id for run in self._catalogue.runs.listed(state="interrupted")))

    def _statement(self, name: str) -> tuple[str, Mapping[str, Any]]:
        kind = "view" if name in SCHEMAS else "table"
        sql, parameters = definition(name, self._catalogue, self._root, self._lake)
        return f"create or replace {kind} {name} as {sql}", parameters


def definition(name: str, catalogue: Catalogue, root: str, lake: Path) -> tuple[str, Mapping[str, Any]]:
    """Build the statement that yields all rows of a table or view, with its parameters.

    Args:
        name: one of `VIEWS`.
        catalogue: what is in the lake.
        root: folder or address that the paths of parts begin at.
        lake: folder of the lake.
    """
    match name:
        case "runs":
            return rows_sql(snapshot.RUN_COLUMNS), snapshot.run_lists(catalogue.runs.listed())
        case "comparisons":
            lists = snapshot.comparison_lists(catalogue.comparisons.listed())
            return rows_sql(snapshot.COMPARISON_COLUMNS), lists
        case "comparison_runs":
            return rows_sql(snapshot.MEMBER_COLUMNS), snapshot.member_lists(catalogue.comparisons.listed())
        case _ if name in RESULTS:
            return result_sql(name, result_files(lake, name)), {}
        case _:
            return stored_sql(name, catalogue.parts.listed(table=name), root), {}


def result_files(lake: Path, name: str) -> list[Path]:
    """Find the files of a table of reconciliations, one a plan."""
    return sorted((lake / "reconciliation").glob(f"*/{name}.parquet"))
