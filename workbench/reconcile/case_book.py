"""The queue of cases: in which order people look at them, who has taken which, and every verdict.

Cases come in the order of the value of their label. Audits, a random sample of what was accepted,
are spread evenly among the others, and a reviewer cannot tell one from the other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from workbench.errors import ConflictError, InputError, NotFoundError
from workbench.reconcile.book import Book
from workbench.reconcile.cases import Case, CaseVerdict, GivenVerdict, NewCase, Opened, completed
from workbench.reconcile.results import Origin

HOLD = timedelta(minutes=30)
"""How long a case that a reviewer has taken is kept from the others."""


class Cases:
    """The cases, in a book.

    Args:
        book: where they are kept.
    """

    def __init__(self, book: Book) -> None:
        self._book = book

    def open(self, cases: Sequence[NewCase], *, at: datetime) -> Opened:
        """Put proposals into the queue, all or none."""
        added = updated = decided = 0
        with self._book.writing() as sqlite:
            for case in cases:
                known = sqlite.execute(_KNOWN, (case.proposal_id,)).fetchone()
                if known is not None and known["decided"]:
                    decided += 1
                    continue
                sqlite.execute(_OPEN, _values(case, at))
                added, updated = added + (known is None), updated + (known is not None)
        return Opened(added, updated, decided)

    def withdraw(self, keep: Sequence[str]) -> int:
        """Take undecided reviews out of the queue whose proposals are no longer among those to review."""
        with self._book.writing() as sqlite:
            return sqlite.execute(_WITHDRAW, (json.dumps(list(keep)),)).rowcount

    def take(self, by: str, *, at: datetime, skip: Collection[int] = ()) -> Case | None:
        """Take the next case, or the one that this reviewer has taken already; None where none is left.

        Others do not get it for half an hour, so a reviewer who was cut off finds it again.

        Args:
            by: the reviewer.
            at: the time, with its zone.
            skip: cases that are left to others, and let go where this reviewer has taken them.
        """
        _check_name(by)
        with self._book.writing() as sqlite:
            skipped = json.dumps([*skip])
            sqlite.execute(_LET_GO, {"by": by, "skip": skipped})
            moment = {"by": by, "now": at.isoformat(), "until": (at + HOLD).isoformat(), "skip": skipped}
            row = sqlite.execute(_HELD, moment).fetchone() or sqlite.execute(_NEXT, moment).fetchone()
            if row is None:
                return None
            sqlite.execute(_HOLD, {**moment, "case_id": row["case_id"]})
        return self.one(row["case_id"])

    def decide(self, case_id: int, given: GivenVerdict) -> Case:
        """Keep a verdict; it is on the disk when this returns. An earlier one is kept beside it.

        Raises:
            NotFoundError: there is no such case.
            InputError: the verdict does not fit the case.
            ConflictError: somebody else decided the case meanwhile, or has taken it.
        """
        _check_name(given.by)
        case = self.one(case_id)
        given = completed(case, given)
        with self._book.writing() as sqlite:
            last = sqlite.execute(_LAST, (case_id,)).fetchone()
            if last is not None and last["by"] != given.by and given.blind:
                raise ConflictError(
                    f"case {case_id}: given a verdict; allowed: none, since {last['by']} decided it at "
                    f"{_moment(last['at']):%Y-%m-%d %H:%M} ({last['verdict']})"
                )
            held = sqlite.execute(_OTHER, (case_id, given.by, given.at.isoformat())).fetchone()
            if held is not None and last is None:
                raise ConflictError(
                    f"case {case_id}: given a verdict; allowed: none, since {held['holder']} has taken it "
                    f"until {_moment(held['held_until']):%Y-%m-%d %H:%M}"
                )
            sqlite.execute(_DECIDE, _verdict_values(case_id, given))
            sqlite.execute(_DECIDED, (case_id,))
        return self.one(case_id)

    def one(self, case_id: int) -> Case:
        """Return a case.

        Raises:
            NotFoundError: there is no such case.
        """
        found = self._read("where case_id = ?", (case_id,))
        if not found:
            raise NotFoundError(f"there is no case {case_id}; `workbench reconcile review list` shows them")
        return found[0]

    def listed(self, *, decided: bool | None = None) -> list[Case]:
        """Return the cases: those that are open in the order of their value, then those decided."""
        cases = self._read("order by value desc, proposal_id", ())
        chosen = [case for case in cases if decided is None or case.decided == decided]
        return sorted(chosen, key=lambda case: case.decided)

    def count_open(self) -> int:
        """Count the cases that nobody decided."""
        return int(self._book.rows("select count(*) from cases where decided = 0")[0][0])

    def _read(self, where: str, parameters: Sequence[Any]) -> list[Case]:
        rows = self._book.rows(f"select * from cases {where}", parameters)
        chosen = json.dumps([row["case_id"] for row in rows])
        verdicts: dict[int, list[GivenVerdict]] = {}
        for row in self._book.rows(_VERDICTS, (chosen,)):
            verdicts.setdefault(row["case_id"], []).append(_given(row))
        return [_case(row, tuple(verdicts.get(row["case_id"], ()))) for row in rows]


_KNOWN = "select decided from cases where proposal_id = ?"
_FIELDS = (
    "proposal_id", "kind", "origin", "left_ids", "right_ids", "evidence", "confidence", "confidence_low",
    "confidence_high", "reason", "value", "drawn_above", "opened",
)  # fmt: skip
_KEPT = ("proposal_id", "origin", "drawn_above", "opened")
"""What a proposal that comes again keeps from the first time."""
_OPEN = f"""
    insert into cases ({", ".join(_FIELDS)}) values ({", ".join(f":{name}" for name in _FIELDS)})
    on conflict (proposal_id) do update set
        {", ".join(f"{name} = excluded.{name}" for name in _FIELDS if name not in _KEPT)}
"""
_VERDICTS = """
    select * from verdicts where case_id in (select value from json_each(?)) order by verdict_id
"""
_WITHDRAW = """
    delete from cases
    where origin = 'review' and decided = 0 and proposal_id not in (select value from json_each(?))
"""
_HELD = "select case_id from cases where holder = :by and held_until > :now and decided = 0"
# Audits come at an even pace: next is the origin of which the smaller share is done.
_NEXT = """
    with done as (select origin, avg(decided) as share from cases group by origin)
    select case_id from cases join done using (origin)
    where decided = 0 and (holder is null or held_until <= :now)
      and case_id not in (select value from json_each(:skip))
    order by done.share, origin desc, value desc, proposal_id
    limit 1
"""
_LET_GO = """
    update cases set holder = null, held_until = null
    where holder = :by and case_id in (select value from json_each(:skip))
"""
_HOLD = "update cases set holder = :by, held_until = :until where case_id = :case_id"
_LAST = 'select "by", at, verdict from verdicts where case_id = ? order by verdict_id desc limit 1'
_OTHER = "select holder, held_until from cases where case_id = ? and holder <> ? and held_until > ?"
_DECIDED = "update cases set decided = 1, holder = null, held_until = null where case_id = ?"
_DECIDE = """
    insert into verdicts (case_id, verdict, left_ids, right_ids, blind, "by", at, note)
    values (?, ?, ?, ?, ?, ?, ?, ?)
"""


def _values(case: NewCase, at: datetime) -> dict[str, Any]:
    values = {name: getattr(case, name) for name in _FIELDS if name != "opened"}
    values |= {name: json.dumps(values[name]) for name in ("left_ids", "right_ids", "evidence")}
    return values | {"origin": case.origin.value, "opened": at.isoformat()}


def _case(row: sqlite3.Row, verdicts: tuple[GivenVerdict, ...]) -> Case:
    values: dict[str, Any] = dict(row)
    del values["decided"]  # its verdicts tell
    for name in ("left_ids", "right_ids"):
        values[name] = tuple(json.loads(values[name]))
    values["evidence"] = json.loads(values["evidence"])
    values["origin"] = Origin(values["origin"])
    values["opened"] = _moment(values["opened"])
    values["held_until"] = values["held_until"] and _moment(values["held_until"])
    return Case(verdicts=verdicts, **values)


def _verdict_values(case_id: int, given: GivenVerdict) -> tuple[Any, ...]:
    records = json.dumps(given.left_ids), json.dumps(given.right_ids)
    return case_id, given.verdict.value, *records, given.blind, given.by, given.at.isoformat(), given.note


def _given(row: sqlite3.Row) -> GivenVerdict:
    return GivenVerdict(
        verdict=CaseVerdict(row["verdict"]),
        left_ids=tuple(json.loads(row["left_ids"])),
        right_ids=tuple(json.loads(row["right_ids"])),
        blind=bool(row["blind"]),
        by=row["by"],
        at=_moment(row["at"]),
        note=row["note"],
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _check_name(by: str) -> None:
    if not by.strip():
        raise InputError("by: given nothing; allowed: the reviewer's name")
