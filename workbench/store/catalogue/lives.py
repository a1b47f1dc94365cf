"""Live runs in the catalogue: how far each has come, and the journal of commands to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from workbench.errors import ConflictError, InputError, NotFoundError
from workbench.store.catalogue._base import CatalogueConnection, Row, Session
from workbench.store.catalogue.parts import PartCatalogue
from workbench.store.live_records import (
    CommandResult,
    LiveCommand,
    LiveRun,
    LiveState,
    NewCommand,
    Snapshot,
)
from workbench.store.processes import Process, this_process
from workbench.store.records import Part

_BEGIN = """
    insert into live_runs
        (run_id, state, speed, sample_us, until_us, at_us, requests, answered, behind_s, committed)
    values (:run_id, 'running', :speed, :sample_us, :until_us, 0, 0, 0, 0, :now)
"""
_COMMIT = """
    update live_runs set state = :state, speed = :speed, at_us = :at_us, requests = :requests,
        answered = :answered, behind_s = :behind_s, committed = :now
    where run_id = :run_id
"""
_SEND = """
    insert into live_commands (run_id, command, author, reason, forced, sent, state, result)
    values (:run_id, :command, :author, :reason, :forced, :now, 'waiting', '')
"""
_DONE = """
    update live_commands set state = :state, at_us = :at_us, done = :now, result = :result
    where command_id = :command_id
"""
_COMMANDS = """
    select command_id, run_id, command, author, reason, forced, sent, state, at_us, done, result
    from live_commands
    where run_id = :run_id and (:state is null or state = :state)
    order by command_id
"""
_RUNS = """
    select l.*, r.scenario, r.strategy, r.state as run_state, r.reason, r.started, r.host, r.pid,
        r.process_started, (select count(*) from live_commands c where c.run_id = l.run_id) as commands
    from live_runs l join runs r on r.run_id = l.run_id
    where (:run_id is null or l.run_id = :run_id)
    order by l.run_id desc
"""
_OWNER = "select host, pid, process_started, state from runs where run_id = ?"
_AT = "select at_us from live_runs where run_id = ?"
_TAKE_OVER = """
    update runs set host = :host, pid = :pid, process_started = :process_started, started = :now,
        state = 'running', reason = null, finished = null
    where run_id = :run_id
"""


class LiveCatalogue:
    """The live runs.

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

    @property
    def version(self) -> int:
        """Number that rises with every command that is sent."""
        return self._connection.version

    def begin(self, run_id: int, *, speed: float | None, sample_us: int, until_us: int | None) -> None:
        """Let a run of this process be a live one."""
        values = {"run_id": run_id, "speed": speed, "sample_us": sample_us, "until_us": until_us}
        with self._connection.changing() as session:
            session.execute(_BEGIN, values | {"now": self._now()})

    def take_over(self, run_id: int) -> LiveRun:
        """Let a crashed run be one of this process.

        Raises:
            ConflictError: its process lives, or another one was faster.
            InputError: it has ended.
            NotFoundError: there is no such live run.
        """
        owner = this_process()
        with self._connection.changing() as session:
            found = self._state(session, run_id)
            if found in ("running", "paused"):
                raise ConflictError(
                    f"live run {run_id}: given one that is {found}; allowed: one that crashed"
                )
            if found == "stopped":
                raise InputError(f"live run {run_id}: given one that has ended; allowed: one that crashed")
            values = {"host": owner.host, "pid": owner.pid, "process_started": owner.started}
            session.execute(_TAKE_OVER, values | {"run_id": run_id, "now": self._now()})
        return self.one(run_id)

    def commit(
        self,
        run_id: int,
        snapshot: Snapshot,
        *,
        results: Sequence[CommandResult] = (),
        parts: Sequence[Part] = (),
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Store how far a run has come with all that it has stored until then, or nothing of it.

        Args:
            results: what became of commands.
            parts: written since the last time.
            check: looks, while no file can be collected, whether the parts are there.

        Raises:
            ConflictError: the run belongs to another process by now.
        """
        now = self._now()
        values = {
            "run_id": run_id,
            "state": "paused" if snapshot.paused else "running",
            "speed": snapshot.speed,
            "at_us": snapshot.at_us,
            "requests": snapshot.requests,
            "answered": snapshot.answered,
            "behind_s": snapshot.behind_s,
            "now": now,
        }
        with self._connection.changing() as session:
            check()
            self._check_owner(session, run_id)
            session.execute(_COMMIT, values)
            self._parts.add(session, parts)
            self._settle(session, results, now)

    def send(self, run_id: int, command: NewCommand) -> int:
        """Put a command into the journal and return its number.

        Raises:
            InputError: nobody is there to obey it.
            NotFoundError: there is no such live run.
        """
        with self._connection.changing() as session:
            found = self._state(session, run_id)
            if found == "crashed":
                raise InputError(
                    f"live run {run_id}: given one whose process is gone; allowed: first `workbench live "
                    f"resume {run_id}`"
                )
            if found not in ("running", "paused"):
                raise InputError(f"live run {run_id}: given one that has {found}; allowed: one that runs")
            values = {
                "run_id": run_id,
                "command": command.command,
                "author": command.author,
                "reason": command.reason,
                "forced": int(command.forced),
                "now": self._now(),
            }
            session.execute(_SEND, values)
            newest = "select max(command_id) from live_commands where run_id = ?"
            return int(session.execute(newest, (run_id,)).fetchone()[0])

    def refuse_waiting(self, run_id: int) -> None:
        """Refuse the commands that nobody will obey any more, since the run has ended."""
        with self._connection.changing() as session:
            at_us = session.execute(_AT, (run_id,)).fetchone()[0]
            waiting = session.execute(_COMMANDS, {"run_id": run_id, "state": "waiting"}).fetchall()
            over = "the run had ended"
            results = [CommandResult(row["command_id"], False, at_us, over) for row in waiting]
            self._settle(session, results, self._now())

    def commands(self, run_id: int, *, state: str | None = None) -> list[LiveCommand]:
        """Return the commands to a run in the order in which they were sent."""
        rows = self._connection.rows(_COMMANDS, {"run_id": run_id, "state": state})
        return [_command(row) for row in rows]

    def listed(self) -> list[LiveRun]:
        """Return all live runs, the newest first."""
        return [_live(row) for row in self._connection.rows(_RUNS, {"run_id": None})]

    def one(self, run_id: int) -> LiveRun:
        """Return a live run.

        Raises:
            NotFoundError: there is no such live run.
        """
        rows = self._connection.rows(_RUNS, {"run_id": run_id})
        if not rows:
            raise _no_run(run_id)
        return _live(rows[0])

    def _state(self, session: Session, run_id: int) -> LiveState:
        row = session.execute(f"select * from ({_RUNS}) as found", {"run_id": run_id}).fetchone()
        if row is None:
            raise _no_run(run_id)
        return _live_state(row)

    def _check_owner(self, session: Session, run_id: int) -> None:
        row = session.execute(_OWNER, (run_id,)).fetchone()
        owner = None if row is None else Process(row["host"], row["pid"], row["process_started"])
        if owner != this_process():
            raise ConflictError(f"live run {run_id} goes on in another process; this one has ended")

    @staticmethod
    def _settle(session: Session, results: Sequence[CommandResult], now: str) -> None:
        for one in results:
            state = "applied" if one.applied else "refused"
            values = {"command_id": one.command_id, "at_us": one.at_us, "result": one.result, "now": now}
            session.execute(_DONE, values | {"state": state})

    def _now(self) -> str:
        return self._clock().isoformat()


def _live_state(row: Row) -> LiveState:
    if row["run_state"] == "complete":
        return "stopped"
    if row["run_state"] == "failed":
        return "failed"
    gone = Process(row["host"], row["pid"], row["process_started"]).is_gone
    state: LiveState = "paused" if row["state"] == "paused" else "running"
    return "crashed" if gone else state


def _live(row: Row) -> LiveRun:
    values: dict[str, Any] = {name: row[name] for name in LiveRun.__annotations__}
    values["state"] = _live_state(row)
    for name in ("started", "committed"):
        values[name] = datetime.fromisoformat(values[name])
    return LiveRun(**values)


def _command(row: Row) -> LiveCommand:
    values: dict[str, Any] = dict(row)
    values["forced"] = bool(values["forced"])
    values["sent"] = datetime.fromisoformat(values["sent"])
    values["done"] = values["done"] and datetime.fromisoformat(values["done"])
    return LiveCommand(**values)


def _no_run(run_id: int) -> NotFoundError:
    return NotFoundError(f"there is no live run {run_id}; `workbench live list` lists those there are")
