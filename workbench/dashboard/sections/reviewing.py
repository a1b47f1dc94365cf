"""The review: the next case, its evidence, and the verdict by a key."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.errors import NotFoundError, WorkbenchError
from workbench.reconcile.book import FILE_NAME
from workbench.reconcile.results import Side
from workbench.workflows.reconciliation_evidence import explain_match
from workbench.workflows.review_views import CaseView
from workbench.workflows.reviewing import give_verdict, list_cases, next_case, open_review, review_status

_VERDICTS = {
    "accept": ("Accept", "A", ":material/check:", "They are partners."),
    "reject": ("Reject", "X", ":material/close:", "They are not."),
}
_PARTS = ("repair", "split")


def show_review(plan: Path, proposals: Path, by: str) -> None:
    """Show the next case of a reviewer, or how to fill the queue."""
    if not (access.settings().lake / FILE_NAME).is_file():
        st.info("Thresholds come first: they say what goes to people.")
        return
    _show_queue(plan, proposals)
    if not by:
        st.info("Say who you are, above, to take a case.")
        return
    if not roles.may_operate():
        st.info("A case is taken by whoever sees it, which a reader cannot.")
        return
    if "reviewed" in st.session_state:
        _show_last(st.session_state["reviewed"])
    skipped: set[int] = st.session_state.setdefault("skipped", set())
    case = roles.operate(next_case, by, skip=skipped, settings=access.settings())
    if case is None:
        st.success("No case is left for you.", icon=":material/task_alt:")
        return
    draw_view(case, alt=f"The records of case {case.case_id}")
    _show_verdicts(case, by, skipped)
    _show_evidence(plan, case)


def show_evidence(plan: Path) -> None:
    """Explain why a record was matched as it was."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        record = st.text_input("Record", key="record", bind="query-params", placeholder="its id", width=260)
        side = st.segmented_control(
            "Ledger",
            [one.value for one in Side],
            default="left",
            key="side",
            bind="query-params",
            required=True,
        )
    if not record:
        st.info("Give the id of a record to see its candidates and what each field adds.")
        return
    with st.spinner("Comparing …"):
        view = explain_match(plan, record, side=Side(side), settings=access.settings())
    draw_view(view, alt=f"Evidence of record {record}")


def _show_queue(plan: Path, proposals: Path) -> None:
    with st.expander("The queue", icon=":material/inbox:"):
        try:
            draw_view(review_status(settings=access.settings()), alt="Cases by origin and verdict")
            if st.button("Fill it from these proposals", icon=":material/playlist_add:", **roles.control()):
                view = roles.operate(open_review, proposals, plan=plan, settings=access.settings())
                draw_view(view, alt="What was added to the queue")
            draw_view(list_cases(decided=True, settings=access.settings()), alt="Decided cases")
        except NotFoundError as error:
            st.info(plain(str(error)))


def _show_verdicts(case: CaseView, by: str, skipped: set[int]) -> None:
    note = st.text_input("Note", key=f"note {case.case_id}", width=420)
    with st.container(horizontal=True):
        for verdict, (label, key, icon, about) in _VERDICTS.items():
            if st.button(label, shortcut=key, icon=icon, key=f"verdict-{verdict}", **roles.control(about)):
                _give(case, verdict, by, note or "")
        if st.button("Skip", shortcut="S", icon=":material/skip_next:", help="Leave it to others."):
            skipped.add(case.case_id)
            st.rerun()
    with st.expander("Other partners: repair or split"):
        kind = st.radio("What it is", _PARTS, horizontal=True, key=f"kind {case.case_id}")
        left = st.text_input("Left ids", ", ".join(case.left_ids), key=f"left {case.case_id}")
        right = st.text_input("Right ids", ", ".join(case.right_ids), key=f"right {case.case_id}")
        if st.button("Keep these partners", key="verdict-parts", **roles.control()):
            _give(case, kind, by, note or "", left=_ids(left), right=_ids(right))
    st.caption("Keys: A accepts, X rejects, S skips. The confidence is shown after the verdict.")


def _give(
    case: CaseView,
    verdict: str,
    by: str,
    note: str,
    *,
    left: tuple[str, ...] = (),
    right: tuple[str, ...] = (),
) -> None:
    try:
        given = roles.operate(
            give_verdict,
            case.case_id,
            verdict,
            by=by,
            left_ids=left,
            right_ids=right,
            note=note,
            settings=access.settings(),
        )
    except WorkbenchError as error:
        st.error(plain(str(error)))
        return
    st.session_state["reviewed"] = given
    st.rerun()


def _show_last(given: CaseView) -> None:
    lines = [f"Case {given.case_id}", *given.remarks()]
    st.success(plain(" · ".join(lines)), icon=":material/check_circle:")


def _show_evidence(plan: Path, case: CaseView) -> None:
    with st.expander("Evidence: candidates, and what each field adds"):
        st.caption("It shows what the model holds likely: look after you have made up your mind.")
        if st.button("Show it", key=f"evidence {case.case_id}"):
            try:
                view = explain_match(plan, case.left_ids[0], settings=access.settings())
            except WorkbenchError as error:
                st.error(plain(str(error)))
                return
            draw_view(view, alt=f"Evidence of case {case.case_id}")


def _ids(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
