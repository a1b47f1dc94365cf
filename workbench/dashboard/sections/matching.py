"""Two ledgers and their plan: uploading, training, matching, and how the confidences stand against labels."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench import charts
from workbench.dashboard import access, roles
from workbench.dashboard.drawing import draw, plain, side_by_side
from workbench.dashboard.sections import jobs
from workbench.errors import DocumentError, WorkbenchError
from workbench.workflows import reconciliation_curves
from workbench.workflows.jobs import start_job
from workbench.workflows.reconciliation_curves import Curves

_NO_LABELS = "none"
_PLAN = """\
name: my ledgers
left:
  file: {left}
  columns: {{id: record_id, date: transaction_date, amount: amount, text: memo}}
right:
  file: {right}
  columns: {{id: record_id, date: transaction_date, amount: amount, text: memo}}
blocking:
  rules:
    - {{name: memo begins alike, prefix: {{text: 3}}, days: [0, 30], amount: 15%}}
"""


def choose_plan() -> Path | None:
    """Let a plan be chosen; None, with the way to upload one, where there is none."""
    plans = reconciliation_curves.plan_files(settings=access.settings())
    if not plans:
        st.info("There is no plan yet. Upload two ledgers and write their plan.")
        return None
    chosen = st.selectbox("Plan", list(plans), key="plan", bind="query-params", width=360)
    return plans[chosen]


def show_upload() -> None:
    """Let two ledgers be uploaded with their plan."""
    with st.expander("Upload two ledgers", icon=":material/upload_file:"):
        left = st.file_uploader(
            "Left ledger (CSV or Parquet)", ["csv", "parquet"], key="left_file", **roles.control()
        )
        right = st.file_uploader(
            "Right ledger (CSV or Parquet)", ["csv", "parquet"], key="right_file", **roles.control()
        )
        labels = st.file_uploader(
            "Known matches (CSV with left_id, right_id), if any", ["csv"], key="label_file", **roles.control()
        )
        names = (left.name if left else "left.csv", right.name if right else "right.csv")
        text = st.text_area(
            "Plan (YAML)",
            _PLAN.format(left=names[0], right=names[1]),
            height=260,
            key=f"plan for {names}",
            help="Which columns are what, and which pairs are looked at: docs/reconciliation.md.",
        )
        name = st.text_input("Name", "my-ledgers", key="upload_name", width=260)
        lacking = not (left and right)
        if not st.button("Keep them in the lake", icon=":material/save:", **roles.control(disabled=lacking)):
            return
        files = {one.name: one.getvalue() for one in (left, right, labels) if one is not None}
        try:
            roles.operate(
                reconciliation_curves.keep_upload, name or "", text or "", files, settings=access.settings()
            )
        except DocumentError as error:
            st.error("\n\n".join(plain(str(problem)) for problem in error.problems))
            return
        except WorkbenchError as error:
            st.error(plain(str(error)))
            return
        st.query_params["plan"] = f"uploaded: {name}"
        st.rerun()


def show_matching(plan: Path) -> None:
    """Let the ledgers of a plan be trained on, matched and evaluated, each as a job."""
    labels = reconciliation_curves.label_files(plan)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Labels", [*labels, _NO_LABELS], key="labels", width=260)
        complete = st.toggle(
            "They name every match", value=True, key="complete", disabled=chosen == _NO_LABELS
        )
        known = [] if chosen == _NO_LABELS else [f"--labels={labels[chosen]}"]
        known += ["--complete"] if known and complete else []
        trained = known or ["--without-labels"]
        _start("Train", ["train", str(plan), *trained], "Learn from these ledgers and labels.")
        _start("Match", ["match", str(plan), "--evidence", *known], "Propose partners with the saved model.")
        _start(
            "Evaluate",
            ["evaluate", str(plan), *known],
            "Hold proposals against labels that trained nothing.",
            disabled=not known,
        )
    if "reconcile_job" in st.session_state:
        jobs.show_job(int(st.session_state["reconcile_job"]))


def show_curves(proposals: Path) -> None:
    """Show whether the confidences are right, and how much can be accepted at which precision."""
    found = curves(str(proposals), proposals.stat().st_mtime)
    st.caption(f"{found.proposals:,} proposals, {found.labels:,} of them labelled, in `{proposals}`.")
    side_by_side(lambda: _show_reliability(found), lambda: show_precision(found))


def show_precision(
    found: Curves,
    *,
    target: float | None = None,
    certified: float | None = None,
    chosen: float | None = None,
) -> None:
    """Show the share accepted against precision."""
    st.subheader("Accepted against precision")
    points = [charts.PrecisionPoint(**vars(one)) for one in found.accepted]
    data = charts.accepted_precision_data(points, target=target, certified=certified, chosen=chosen)
    alt = "Precision over the share of the proposals that is accepted"
    draw(charts.accepted_precision_chart(data), key="accepted", alt=alt)


@st.cache_data(max_entries=10, show_spinner="Reading the proposals …")
def curves(file: str, changed: float) -> Curves:
    """Give the curves of a file of proposals as it stood at a time."""
    return reconciliation_curves.proposal_curves(Path(file))


def _show_reliability(found: Curves) -> None:
    st.subheader("Are the confidences right?")
    data = charts.reliability_data([charts.ReliabilityPoint(**vars(one)) for one in found.bins])
    if data is None:
        st.info("None of these proposals is labelled: match again with labels to see.")
        return
    draw(charts.reliability_chart(data), key="reliability", alt="Share right over confidence, by bins")
    st.caption(
        "Bins of equal number with exact 95 % intervals; on the line confidence and share right agree."
    )


def _start(label: str, arguments: list[str], about: str, *, disabled: bool = False) -> None:
    if st.button(label, key=f"start-{label}", **roles.control(about, disabled=disabled)):
        title = f"{label.lower()} {Path(arguments[1]).stem}"
        started = roles.operate(start_job, ["reconcile", *arguments], title=title, settings=access.settings())
        st.session_state["reconcile_job"] = started
