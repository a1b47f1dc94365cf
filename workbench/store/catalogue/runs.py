"""Runs in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from workbench.errors import NotFoundError
from workbench.store.catalogue._base import CatalogueConnection, Row
from workbench.store.catalogue.parts import PartCatalogue
from workbench.store.processes import Process, this_process
from workbench.store.records import NewRun, Part, Run, RunResult, RunState

_NEW = tuple(field.name for field in fields(NewRun))
_RESULT = tuple(field.name for field in fields(RunResult))
_OWNER = ("started", "host", "pid", "process_started")
_READ = (*(field.name for field in fields(Run)), "host", "pid", "process_started")


def _list(names: Sequence[str], form: str = '"{0}"') -> str:
    return ", ".join(form.format(name) for name in names)


_BEGIN = f"""
    insert into runs ({_list((*_NEW, *_OWNER))}, state) values ({_list((*_NEW, *_OWNER), ":{0}")}, 'running')
    on conflict (key) do update set {_list((*_NEW, *_OWNER), "{0} = excluded.{0}")},
        state = 'running', finished = null, reason = null
    where runs.state <> 'complete'
"""
_FINISH = f"""
    update runs set {_list(_RESULT, "{0} = :{0}")}, state = 'complete', finished = :finished, reason = null,
        revision = (select version from manifest)
    where run_id = :run_id
"""
_FAIL = """
    update runs set state = 'failed', finished = :finished, reason = :reason
    where run_id = :run_id and state = 'running'
"""
_SELECT = f"select {_list(_READ)} from runs"
_LISTED = f"""{_SELECT}
    where (:scenario is null or scenario = :scenario) and (:state is null or state = :state)
    order by run_id desc
    limit coalesce(:limit, -1)
"""
_ROLL_UP = "update runs set records = 0, revision = (select version from manifest) where run_id = ?"
_SIZES = """
    select sum(requests) as requests, sum(bytes) as bytes from (
        select r.requests, (select sum(f.bytes * p.rows / max(f.rows, 1)) from rows_of_runs p
            join files f using (path) where p.run_id = r.run_id) as bytes
        from runs r where r.state = 'complete' and r.records = 1 order by r.run_id desc limit 20
    ) as sizes
"""


class RunCatalogue:
    """The runs.

    Args:
        connection: where they are kept.
        parts: where their parts are listed.
        clock: the time of day, in UTC.
    """

    def __init__(
        self, connection: CatalogueConnection, parts: PartCatalogue, clock: Callable[[], datetime]
    ) -> None:
        self._connection = connection
        self._parts = parts
        self._clock = clock

    def begin(self, new: NewRun) -> int:
        """Number a run of this process; an earlier one of the same key that is not complete is taken over.

        A complete one keeps its state and its parts, so writing it again changes nothing.
        """
        owner = this_process()
        started = {"started": self._now(), "process_started": owner.started}
        with self._connection.changing() as session:
            session.execute(_BEGIN, {**asdict(new), **started, "host": owner.host, "pid": owner.pid})
            return int(session.execute("select run_id from runs where key = ?", (new.key,)).fetchone()[0])

    def finish(
        self, run_id: int, result: RunResult, parts: Sequence[Part], check: Callable[[], None]
    ) -> None:
        """Complete a run and list its parts in place of those that it had.

        Args:
            check: looks, while no file can be collected, whether the parts are there.
        """
        with self._connection.changing() as session:
            check()
            values = {**asdict(result), "finished": self._now(), "run_id": run_id}
            if session.execute(_FINISH, values).rowcount == 0:
                raise _no_run(run_id)
            self._parts.replace(session, run_id, parts)

    def fail(self, run_id: int, reason: str) -> None:
        """Mark a run as failed, unless it is already complete."""
        with self._connection.changing() as session:
            session.execute(_FAIL, {"run_id": run_id, "finished": self._now(), "reason": reason})

    def roll_up(self, run_id: int, tables: Collection[str]) -> None:
        """Let go of a run's rows in these tables; what was computed from them stays."""
        with self._connection.changing() as session:
            self._parts.drop(session, run_id, tables)
            session.execute(_ROLL_UP, (run_id,))

    def bytes_per_request(self) -> float | None:
        """Say what a request of the last runs takes on the disk; None where nothing is stored in full."""
        row = self._connection.rows(_SIZES)[0]
        return float(row["bytes"]) / float(row["requests"]) if row["bytes"] and row["requests"] else None

    def find(self, key: str) -> Run | None:
        """Return the complete run of a key."""
        rows = self._connection.rows(f"{_SELECT} where key = ? and state = 'complete'", (key,))
        return _run(rows[0]) if rows else None

    def one(self, run_id: int) -> Run:
        """Return a run.

        Raises:
            NotFoundError: there is no such run.
        """
        rows = self._connection.rows(f"{_SELECT} where run_id = ?", (run_id,))
        if not rows:
            raise _no_run(run_id)
        return _run(rows[0])

    def listed(
        self, *, limit: int | None = None, scenario: str | None = None, state: RunState | None = None
    ) -> list[Run]:
        """Return runs, newest first."""
        if state not in ("running", "interrupted"):
            chosen = {"scenario": scenario, "state": state, "limit": limit}
            return [_run(row) for row in self._connection.rows(_LISTED, chosen)]
        # Which of the two a run is shows only when its process is looked for.
        chosen = {"scenario": scenario, "state": "running", "limit": None}
        runs = [_run(row) for row in self._connection.rows(_LISTED, chosen)]
        return [run for run in runs if run.state == state][:limit]

    def _now(self) -> str:
        return self._clock().isoformat()


def _run(row: Row) -> Run:
    values: dict[str, Any] = dict(row)
    process = Process(values.pop("host"), values.pop("pid"), values.pop("process_started"))
    if values["state"] == "running" and process.is_gone:
        values["state"] = "interrupted"
    values["started"] = datetime.fromisoformat(values["started"])
    values["finished"] = values["finished"] and datetime.fromisoformat(values["finished"])
    return Run(**values)


def _no_run(run_id: int) -> NotFoundError:
    return NotFoundError(f"there is no run {run_id}; `workbench runs` lists those there are")
