"""Which files live, and whose rows are in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime

from workbench.errors import StoreError
from workbench.store.catalogue._base import CatalogueConnection, Session
from workbench.store.records import Garbage, Part, StoredFile

_FILE = tuple(field.name for field in fields(StoredFile))
_ROWS = ("path", "run_id", "rows", "min_us", "max_us")


def _list(names: Sequence[str], form: str = '"{0}"') -> str:
    return ", ".join(form.format(name) for name in names)


_INSERT_FILE = f"""
    insert into files ({_list(_FILE)}) values ({_list(_FILE, "?")}) on conflict (path) do nothing
"""
_INSERT_ROWS = f"insert into rows_of_runs ({_list(_ROWS)}) values ({_list(_ROWS, '?')})"
_DELETE_ROWS = "delete from rows_of_runs where path = ? and run_id = ? and rows = ?"
_RENEW = "update runs set revision = (select version from manifest) where run_id = ?"
_PARTS = f"""
    select {", ".join(f'f."{name}"' if name not in _ROWS else f"p.{name}" for name in Part.__annotations__)}
    from rows_of_runs p join files f on f.path = p.path
    where (:table is null or f."table" = :table)
      and (:run_ids is null or p.run_id in (select value from json_each(:run_ids)))
    order by p.run_id, f."table", p.path
"""
_FILES = f"select {_list(_FILE)} from files order by path"
_UNOWNED = "select path from files where path not in (select path from rows_of_runs)"
_DISCARD = """
    insert into garbage (path, bytes, since) select path, bytes, ? from files where path = ?
    on conflict (path) do update set since = excluded.since
"""


class _SupersededError(Exception):
    """Rows that were to be replaced do not live any more."""


class PartCatalogue:
    """The files and the rows of runs in them.

    Args:
        connection: where they are kept.
        clock: the time of day, in UTC.
    """

    def __init__(self, connection: CatalogueConnection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def listed(self, *, table: str | None = None, run_ids: Collection[int] | None = None) -> list[Part]:
        """Return the parts that live, of one table or all and of some runs or all."""
        chosen = {"table": table, "run_ids": None if run_ids is None else json.dumps([*map(int, run_ids)])}
        return [Part(*row) for row in self._connection.rows(_PARTS, chosen)]

    def files(self) -> list[StoredFile]:
        """Return the files that live."""
        return [StoredFile(*row) for row in self._connection.rows(_FILES)]

    def garbage(self) -> list[Garbage]:
        """Return the files that nobody needs any more."""
        rows = self._connection.rows("select path, bytes, since from garbage order by path")
        return [Garbage(row["path"], row["bytes"], datetime.fromisoformat(row["since"])) for row in rows]

    def replace(self, session: Session, run_id: int, parts: Sequence[Part]) -> None:
        """List the parts of a run in place of those that it had, in a transaction of the caller's."""
        session.execute("delete from rows_of_runs where run_id = ?", (run_id,))
        self._insert(session, parts)
        self._discard_unowned(session)

    def add(self, session: Session, parts: Sequence[Part]) -> None:
        """List further parts of a run, in a transaction of the caller's."""
        self._insert(session, parts)

    def swap(
        self,
        old: Collection[Part],
        new: Sequence[Part],
        check: Callable[[], None],
        renew: Collection[int] = (),
    ) -> bool:
        """List new parts in the place of old ones.

        Args:
            check: looks, while no file can be collected, whether the new parts are there.
            renew: runs that count as changed by it.

        Returns:
            False where one of the old ones does not live any more; nothing is changed then.
        """
        try:
            with self._connection.changing() as session:
                check()
                for part in old:
                    values = (part.path, part.run_id, part.rows)
                    if session.execute(_DELETE_ROWS, values).rowcount == 0:
                        raise _SupersededError
                self._insert(session, new)
                self._discard_unowned(session)
                session.executemany(_RENEW, [(run_id,) for run_id in renew])
        except _SupersededError:
            return False
        return True

    def drop(self, session: Session, run_id: int, tables: Collection[str]) -> None:
        """List a run's parts of some tables no more, in a transaction of the caller's."""
        for part in self.listed(run_ids=[run_id]):
            if part.table in tables:
                session.execute(_DELETE_ROWS, (part.path, run_id, part.rows))
        self._discard_unowned(session)

    def collect(self, paths: Iterable[str], remove: Callable[[str], bool]) -> list[str]:
        """Remove files that no run needs, each while no other process can list it.

        Args:
            paths: files to remove; those that live are left.
            remove: removes one; says whether it did.

        Returns:
            Those that were removed.
        """
        collected = []
        for some in _batches(list(paths)):
            with self._connection.writing() as session:
                for path in some:
                    if session.execute("select 1 from files where path = ?", (path,)).fetchone():
                        continue
                    if remove(path):
                        collected.append(path)
                        session.execute("delete from garbage where path = ?", (path,))
        return collected

    def _insert(self, session: Session, parts: Sequence[Part]) -> None:
        for path, members in _by_path(parts).items():
            first, rows = members[0], sum(part.rows for part in members)
            if first.runs != len(members):
                raise StoreError(f"{path} holds {first.runs} runs; {len(members)} of them are given")
            values = {name: getattr(first, name) for name in _FILE} | {"rows": rows}
            session.execute(_INSERT_FILE, tuple(values.values()))
            session.execute("delete from garbage where path = ?", (path,))
        session.executemany(_INSERT_ROWS, [tuple(getattr(part, name) for name in _ROWS) for part in parts])

    def _discard_unowned(self, session: Session) -> None:
        now = self._clock().isoformat()
        for row in session.execute(_UNOWNED).fetchall():
            session.execute(_DISCARD, (now, row[0]))
            session.execute("delete from files where path = ?", (row[0],))


def _by_path(parts: Sequence[Part]) -> dict[str, list[Part]]:
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.path, []).append(part)
    return found


def _batches(paths: list[str]) -> Iterator[list[str]]:
    # Short, because writers wait meanwhile.
    for start in range(0, len(paths), 100):
        yield paths[start : start + 100]
