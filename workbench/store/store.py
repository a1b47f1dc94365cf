"""The store: the lake of one folder, read and written by any number of processes at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from workbench.errors import StoreError
from workbench.settings import Settings
from workbench.store.catalogue import Catalogue
from workbench.store.database import Database
from workbench.store.disk import writing_to
from workbench.store.files import open_files
from workbench.store.live_records import CommandResult, Snapshot
from workbench.store.records import (
    Comparison,
    NewComparison,
    NewRun,
    Part,
    Run,
    RunResult,
    RunState,
    StoredFile,
)
from workbench.store.relations import raw_sql, stored_sql
from workbench.store.views import VIEWS, Views
from workbench.tables import SCHEMAS

CATALOGUE_FILE = "catalogue.sqlite"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """A lake, opened; it is made where it is missing.

    Threads may share a store; processes each open their own. Use it as a context manager, or close
    it.

    Args:
        settings: where the lake is, and how much of the machine its queries may take.
        clock: the time of day, in UTC.

    Raises:
        StoreError: the folder cannot be made or written.
        CatalogueError: the catalogue is corrupt, locked or cannot be written.
        SchemaVersionError: the lake was written by a newer version.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = _utc_now) -> None:
        # Absolute, because a notebook may change the working folder.
        self.settings = settings.model_copy(update={"lake": settings.lake.absolute()})
        if "?" in str(self.lake):  # what follows it DuckDB takes for options
            raise StoreError(f"the lake {self.lake} has a question mark in its path; choose another folder")
        self.files = open_files(self.settings)
        with writing_to(self.lake):
            self.lake.mkdir(parents=True, exist_ok=True)
        self.catalogue = Catalogue(self.lake / CATALOGUE_FILE, clock, self.settings.catalogue)
        try:
            self._database = Database(self.settings)
        except BaseException:
            self.catalogue.close()
            raise
        self._views = Views(self._database, self.catalogue, self.files.root, self.lake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the lake; closing twice does nothing."""
        self._database.close()
        self.catalogue.close()

    @property
    def lake(self) -> Path:
        """Root folder of the lake, absolute."""
        return self.settings.lake

    @property
    def version(self) -> int:
        """Number that rises whenever any process commits a change; the same in all processes.

        Asking takes microseconds, so it serves in the keys of caches.
        """
        return self.catalogue.version

    def find_run(self, key: str) -> Run | None:
        """Return the complete run of this key: the same key gives the same records, so it is reused.

        A run whose stored files are not all there in full is not found, so that it is simulated again;
        neither is one that kept fewer of its requests than the settings ask for.
        """
        run = self.catalogue.runs.find(key)
        if (
            run is None
            or run.records < self.settings.records
            or not all(map(self.is_whole, self.parts(run_ids=[run.run_id])))
        ):
            return None
        return run

    def begin_run(self, new: NewRun) -> int:
        """Number a run that this process is going to simulate.

        A run of the same key that is running, interrupted or failed is taken over under its number;
        a complete one keeps its state and its parts until it is finished again.
        """
        return self.catalogue.runs.begin(new)

    def finish_run(self, run_id: int, result: RunResult, parts: Sequence[Part]) -> None:
        """Complete a run and list its parts, both or neither.

        Raises:
            StoreError: a part belongs to another run, or its file is not there in full.
            NotFoundError: there is no such run.
        """

        def check() -> None:
            for part in parts:
                self._check_part(part, run_id)

        stored = sum(part.rows for part in parts if part.table == "requests")
        if result.records == 1 and stored not in (0, result.requests):
            raise StoreError(f"run {run_id} has {result.requests:,} requests, of which {stored:,} are stored")
        self.catalogue.runs.finish(run_id, result, parts, check)

    def commit_live(
        self,
        run_id: int,
        snapshot: Snapshot,
        *,
        results: Sequence[CommandResult] = (),
        parts: Sequence[Part] = (),
    ) -> None:
        """Store how far a live run has come, with its new parts and what became of commands, or nothing.

        Raises:
            StoreError: a part belongs to another run, or its file is not there in full.
            ConflictError: the run belongs to another process by now.
        """

        def check() -> None:
            for part in parts:
                self._check_part(part, run_id)

        self.catalogue.lives.commit(run_id, snapshot, results=results, parts=parts, check=check)

    def replace_parts(self, old: Sequence[Part], new: Sequence[Part], *, renew: Collection[int] = ()) -> bool:
        """List new parts in the place of old ones, both or neither.

        Args:
            old: parts that live.
            new: parts that were written, with the same rows or better ones.
            renew: runs that count as changed by it, for copies of the lake.

        Returns:
            False where one of the old parts does not live any more; nothing is changed then.

        Raises:
            StoreError: the file of a new part is not there in full.
        """

        def check() -> None:
            for part in new:
                self._check_part(part, part.run_id)

        return self.catalogue.parts.swap(old, new, check, renew)

    def fail_run(self, run_id: int, reason: str) -> None:
        """Mark a run as failed and say why; a run that is complete stays complete."""
        self.catalogue.runs.fail(run_id, reason)

    def runs(
        self, limit: int | None = None, scenario: str | None = None, state: RunState | None = None
    ) -> list[Run]:
        """Return runs, newest first.

        Args:
            limit: at most so many; None for all.
            scenario: only those of the scenario of this name.
            state: only those in this state.
        """
        return self.catalogue.runs.listed(limit=limit, scenario=scenario, state=state)

    def run(self, run_id: int) -> Run:
        """Return one run.

        Raises:
            NotFoundError: there is no such run.
        """
        return self.catalogue.runs.one(run_id)

    def parts(self, table: str | None = None, run_ids: Collection[int] | None = None) -> list[Part]:
        """Return the parts that live, of one table or all and of some runs or all."""
        return self.catalogue.parts.listed(table=table, run_ids=run_ids)

    def add_comparison(self, new: NewComparison) -> int:
        """Store a comparison and return its number.

        Raises:
            NotFoundError: one of its runs does not exist.
        """
        return self.catalogue.comparisons.add(new)

    def comparisons(self) -> list[Comparison]:
        """Return all comparisons, newest first."""
        return self.catalogue.comparisons.listed()

    def comparison(self, comparison_id: int) -> Comparison:
        """Return one comparison.

        Raises:
            NotFoundError: there is no such comparison.
        """
        return self.catalogue.comparisons.one(comparison_id)

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, views: Collection[str] = VIEWS
    ) -> pa.Table:
        """Run one SQL statement and return its rows.

        Args:
            sql: the statement, with parameters as `$name`.
            parameters: their values by name.
            views: the tables and views that it names; they are brought up to date first. A
                statement over `relation_sql` alone names none.

        Raises:
            StoreError: the statement failed; the text holds the statement.
        """
        self._views.refresh(views)
        return self._database.query(sql, parameters)

    def relation_sql(self, table: str, *, run_ids: Collection[int]) -> str:
        """Build a relation of a stored table that reads the parts of these runs only.

        Returns:
            A select in parentheses, to stand after `from`, with the columns of the view of that name.
        """
        return f"({stored_sql(table, self.parts(table, run_ids), self.files.root)})"

    def read_table(self, table: str, *, run_id: int) -> pa.Table:
        """Read the rows of a run as they are stored, in their order.

        What older parts lack is null, or what the schema says of rows from before.

        Raises:
            StoreError: a part is damaged, or lacks what may not be null.
        """
        sql = raw_sql(table, self.parts(table, [run_id]), self.files.root)
        found = self._database.query(sql)
        for field in SCHEMAS[table]:
            if not field.nullable and found[field.name].null_count:
                raise StoreError(
                    f"run {run_id}: {table}.{field.name} is missing in rows of an earlier version, and the "
                    "schema does not say what it was before"
                )
        return found.select(SCHEMAS[table].names).cast(SCHEMAS[table])

    def _check_part(self, part: Part, run_id: int) -> None:
        file = f"{self.files.root}/{part.path}"
        if part.run_id != run_id:
            raise StoreError(f"{file} belongs to run {part.run_id}, not to run {run_id}")
        if not self.is_whole(part):
            raise StoreError(f"{file} is not there in full; write the parts of run {run_id} again")

    def is_whole(self, part: Part | StoredFile) -> bool:
        """Whether a part's file is there with its full size."""
        return self.files.size(part.path) == part.bytes
