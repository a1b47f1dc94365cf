"""Comparisons in the catalogue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from workbench.errors import NotFoundError
from workbench.store.catalogue._base import CatalogueConnection, Row, Session
from workbench.store.records import Comparison, NewComparison

_INSERT = """
    insert into comparisons (name, scenario_json, metric, replications, result_json, created)
    values (?, ?, ?, ?, ?, ?)
    returning comparison_id
"""
_INSERT_RUN = "insert into comparison_runs (comparison_id, strategy, replication, run_id) values (?, ?, ?, ?)"
_SELECT = """
    select * from comparisons where :comparison_id is null or comparison_id = :comparison_id
    order by comparison_id desc
"""
_SELECT_RUNS = """
    select comparison_id, strategy, replication, run_id from comparison_runs
    where :comparison_id is null or comparison_id = :comparison_id
    order by rowid
"""


class ComparisonCatalogue:
    """The comparisons.

    Args:
        connection: where they are kept.
        clock: the time of day, in UTC.
    """

    def __init__(self, connection: CatalogueConnection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, new: NewComparison) -> int:
        """Store a comparison and return its number.

        Raises:
            NotFoundError: one of its runs does not exist.
        """
        values = (new.name, new.scenario_json, new.metric, new.replications, new.result_json)
        with self._connection.changing() as session:
            _check_runs(session, set(new.run_ids.values()))
            row = session.execute(_INSERT, (*values, self._clock().isoformat())).fetchone()
            comparison_id = int(row[0])
            members = [(comparison_id, *member, run_id) for member, run_id in new.run_ids.items()]
            session.executemany(_INSERT_RUN, members)
        return comparison_id

    def one(self, comparison_id: int) -> Comparison:
        """Return a comparison.

        Raises:
            NotFoundError: there is no such comparison.
        """
        if not (found := self._read(comparison_id)):
            raise NotFoundError(f"there is no comparison {comparison_id}")
        return found[0]

    def listed(self) -> list[Comparison]:
        """Return all comparisons, newest first."""
        return self._read(None)

    def _read(self, comparison_id: int | None) -> list[Comparison]:
        chosen = {"comparison_id": comparison_id}
        with self._connection.reading():
            rows = self._connection.rows(_SELECT, chosen)
            members: dict[int, dict[tuple[str, int], int]] = defaultdict(dict)
            for owner, strategy, replication, run_id in self._connection.rows(_SELECT_RUNS, chosen):
                members[owner][strategy, replication] = run_id
        return [_comparison(row, members[row["comparison_id"]]) for row in rows]


def _comparison(row: Row, run_ids: Mapping[tuple[str, int], int]) -> Comparison:
    values: dict[str, Any] = dict(row)
    values["created"] = datetime.fromisoformat(values["created"])
    return Comparison(run_ids=run_ids, **values)


def _check_runs(session: Session, run_ids: set[int]) -> None:
    missing = [
        run_id
        for run_id in sorted(run_ids)
        if session.execute("select 1 from runs where run_id = ?", (run_id,)).fetchone() is None
    ]
    if missing:
        raise NotFoundError(f"a comparison of runs that do not exist: {', '.join(map(str, missing))}")
