"""The review: what people look at, what they find, and the labels that come of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from workbench.documents import Section, check
from workbench.errors import DocumentError, InputError, Problem
from workbench.reconcile.book import Book
from workbench.reconcile.case_book import Cases
from workbench.reconcile.cases import Case, CaseVerdict, GivenVerdict
from workbench.reconcile.decisions import decide
from workbench.reconcile.ledgers import read_ledgers
from workbench.reconcile.plan import read_plan
from workbench.reconcile.proposal_files import read_proposals, write_table
from workbench.reconcile.review import Evidence, labels_of, new_cases
from workbench.reconcile.review_evidence import ledger_evidence
from workbench.reconcile.workspace import Workspace
from workbench.settings import Settings, load_settings
from workbench.workflows.decision_configuration import current_version, now, opened_book
from workbench.workflows.review_views import CasesView, CaseView, LabelsView, ReviewStatusView, view_case


class VerdictEntry(Section):
    """One verdict in a file of verdicts."""

    case: int = Field(ge=1)
    """Number of the case."""
    verdict: CaseVerdict
    left_ids: list[str] = Field(default_factory=list)
    """With repair and split, the left records that are partners; the case's own by default."""
    right_ids: list[str] = Field(default_factory=list)
    """With repair and split, the right records that are partners."""
    note: str = ""


def open_review(
    proposals: Path,
    *,
    plan: Path | None = None,
    seed: int = 1,
    replace: bool = False,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> ReviewStatusView:
    """Put what needs a person into the queue: all that goes to review, and an audit of what is accepted.

    The proposals are decided by the configuration that holds. A case that was decided stays decided.

    Args:
        proposals: Parquet file of proposals.
        plan: the reconciliation's plan, from whose ledgers the reviewers are shown the records.
        seed: of the draw of the audit, 0 or more.
        replace: take open reviews out of the queue whose proposals are not among those to review now,
            such as after matching the same ledgers anew; by default they stay.
        at: when; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Raises:
        InputError: a file cannot be used, or there is no configuration.
    """
    table = read_proposals(proposals)
    settings = settings or load_settings()
    moment = at or now()
    with opened_book(book, settings) as opened:
        configuration = current_version(opened).configuration
        decided = decide(table, configuration)
        evidence = _evidence(decided, plan, settings) if plan is not None else None
        cases = new_cases(decided, configuration, seed=seed, evidence=evidence)
        queue = Cases(opened)
        found = queue.open(cases, at=moment)
        withdrawn = queue.withdraw([case.proposal_id for case in cases]) if replace else 0
        status = _status(opened, moment)
        return status.model_copy(
            update={
                "added": found.added,
                "updated": found.updated,
                "known": found.decided,
                "withdrawn": withdrawn,
            }
        )


def next_case(
    by: str,
    *,
    skip: Collection[int] = (),
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> CaseView | None:
    """Take the next case for half an hour, or the one that this reviewer has taken already.

    Args:
        by: the reviewer.
        skip: cases that are left to others.
        at: when; now by default.
        book: the SQLite file; that of the lake by default.
        settings: where the lake is.

    Returns:
        The case without its score; None where none is left.
    """
    with opened_book(book, settings) as opened:
        case = Cases(opened).take(by, at=at or now(), skip=skip)
        return None if case is None else _view(opened, case)


def give_verdict(
    case_id: int,
    verdict: CaseVerdict | str,
    *,
    by: str,
    left_ids: Sequence[str] = (),
    right_ids: Sequence[str] = (),
    note: str = "",
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> CaseView:
    """Keep a verdict; it is on the disk when this returns.

    The first verdict on a case is blind; one that changes it comes after the confidence was shown.

    Raises:
        NotFoundError: there is no such case.
        InputError: the verdict does not fit the case.
        ConflictError: somebody else decided the case meanwhile, or has taken it.
    """
    if verdict not in list(CaseVerdict):
        raise InputError(f"verdict: given {verdict!r}; allowed: {', '.join(CaseVerdict)}")
    entry = VerdictEntry(
        case=max(1, case_id),
        verdict=CaseVerdict(verdict),
        left_ids=list(left_ids),
        right_ids=list(right_ids),
        note=note,
    )
    with opened_book(book, settings) as opened:
        return _view(opened, _decide(Cases(opened), case_id, entry, by=by, at=at or now()))


def import_verdicts(
    file: Path,
    *,
    by: str,
    at: datetime | None = None,
    book: Path | None = None,
    settings: Settings | None = None,
) -> ReviewStatusView:
    """Keep the verdicts of a file: a JSON list, or one JSON object a line.

    The whole file is checked first. A verdict that stands in the book already, of the same person, is
    not kept again, so a file may be imported anew after a kill.

    Raises:
        DocumentError: with every entry that cannot be used; nothing is kept.
        ConflictError: somebody else decided one of the cases; those before it are kept.
    """
    entries = _entries(file)
    moment = at or now()
    with opened_book(book, settings) as opened:
        queue = Cases(opened)
        _check_cases(queue, entries, file)
        for entry in entries.values():
            known = queue.one(entry.case)
            if not _same(known, entry, by):
                _decide(queue, entry.case, entry, by=by, at=moment)
        return _status(opened, moment)


def list_cases(
    *, decided: bool | None = None, book: Path | None = None, settings: Settings | None = None
) -> CasesView:
    """List the cases, the open ones first in the order of the value of their label."""
    with opened_book(book, settings) as opened:
        cases = Cases(opened).listed(decided=decided)
        left = sum(1 for case in cases if not case.decided)
        return CasesView(book=str(opened.file), cases=[view_case(case, left=left) for case in cases])


def show_case(case_id: int, *, book: Path | None = None, settings: Settings | None = None) -> CaseView:
    """Show one case; its score only if it is decided.

    Raises:
        NotFoundError: there is no such case.
    """
    with opened_book(book, settings) as opened:
        return _view(opened, Cases(opened).one(case_id))


def review_status(
    *, at: datetime | None = None, book: Path | None = None, settings: Settings | None = None
) -> ReviewStatusView:
    """Show how far the review is."""
    with opened_book(book, settings) as opened:
        return _status(opened, at or now())


def write_labels(output: Path, *, book: Path | None = None, settings: Settings | None = None) -> LabelsView:
    """Write the labels that the review gave as Parquet, with their origin.

    Raises:
        StoreError: the file cannot be written.
    """
    with opened_book(book, settings) as opened:
        labels = labels_of(Cases(opened).listed(decided=True))
    write_table(output, labels)
    return LabelsView(file=str(output), counts=count_labels(labels))


def count_labels(labels: pa.Table) -> dict[str, dict[str, int]]:
    """Count labels by origin, then verdict."""
    pairs = zip(labels.column("origin").to_pylist(), labels.column("verdict").to_pylist(), strict=True)
    counts: dict[str, dict[str, int]] = {}
    for (origin, verdict), count in sorted(Counter(pairs).items(), key=str):
        counts.setdefault(str(origin), {})[str(verdict)] = count
    return counts


def _evidence(proposals: pa.Table, plan: Path, settings: Settings) -> Evidence:
    content = read_plan(plan)
    with Workspace(settings) as workspace:
        read_ledgers(workspace, content)
        return ledger_evidence(workspace, proposals)


def _decide(queue: Cases, case_id: int, entry: VerdictEntry, *, by: str, at: datetime) -> Case:
    given = GivenVerdict(
        verdict=entry.verdict,
        left_ids=tuple(entry.left_ids),
        right_ids=tuple(entry.right_ids),
        blind=not queue.one(case_id).decided,
        by=by,
        at=at,
        note=entry.note,
    )
    return queue.decide(case_id, given)


def _same(case: Case, entry: VerdictEntry, by: str) -> bool:
    if not case.decided:
        return False
    last = case.verdicts[-1]
    return last.by == by and last.verdict is entry.verdict and last.note == entry.note


def _entries(file: Path) -> dict[int, VerdictEntry]:
    """Read the entries by their line or place."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{file}: given what cannot be read ({reason}); allowed: a file of JSON") from None
    numbered = _numbered(text, str(file))
    entries, problems = {}, []
    for line, content in numbered:
        try:
            entries[line] = check(content, VerdictEntry, name=f"{file}:{line}", folder=file.parent)
        except DocumentError as error:
            problems += error.problems
    if problems:
        raise DocumentError(problems)
    return entries


def _numbered(text: str, name: str) -> Iterable[tuple[int, Any]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if text.lstrip().startswith("["):
        lines = [(1, text)]
    found = []
    for number, line in lines:
        try:
            content = json.loads(line)
        except ValueError as error:
            raise DocumentError([Problem(name, number, "", f"what is not JSON ({error})", "JSON")]) from None
        found += list(enumerate(content, 1)) if isinstance(content, list) else [(number, content)]
    return found


def _check_cases(queue: Cases, entries: Mapping[int, VerdictEntry], file: Path) -> None:
    known = {case.case_id for case in queue.listed()}
    seen: set[int] = set()
    problems = []
    for line, entry in entries.items():
        if entry.case not in known:
            problems.append(Problem(str(file), line, "case", str(entry.case), "a case of the book"))
        if entry.case in seen:
            problems.append(Problem(str(file), line, "case", f"{entry.case} again", "each case once"))
        seen.add(entry.case)
    if problems:
        raise DocumentError(problems)


def _view(book: Book, case: Case) -> CaseView:
    return view_case(case, left=Cases(book).count_open())


def _status(book: Book, at: datetime) -> ReviewStatusView:
    cases = Cases(book).listed()
    waiting = [case for case in cases if not case.decided]
    decided: dict[str, dict[str, int]] = {}
    for case in cases:
        if case.decided:
            found = decided.setdefault(case.origin.value, {})
            verdict = case.verdicts[-1].verdict.value
            found[verdict] = found.get(verdict, 0) + 1
    return ReviewStatusView(
        book=str(book.file),
        open=dict(Counter(case.origin.value for case in waiting)),
        decided=decided,
        oldest_s=max([0.0, *((at - case.opened).total_seconds() for case in waiting)]),
        changed=sum(1 for case in cases if case.changed),
    )
