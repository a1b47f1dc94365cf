"""Work that goes on by itself: how far it is, what came of it, and stopping it."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from workbench.dashboard import access, addresses, roles
from workbench.dashboard.drawing import draw_view, plain
from workbench.quantities import format_duration
from workbench.workflows import jobs
from workbench.workflows.jobs import JobView

_EVERY_S = 1.0
"""Seconds between two looks at what runs."""
_ICONS = {
    "running": ":material/hourglass_top:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
    "interrupted": ":material/power_off:",
}


def show_job(number: int, *, opened: bool = False) -> None:
    """Show a job; while it runs, anew every second.

    Args:
        number: the job's.
        opened: whether what it found lies open.

    Raises:
        NotFoundError: there is no such job.
    """
    job = jobs.show_job(number, settings=access.settings())
    if job.state == "running":
        _follow(number)
    else:
        _show(job, opened=opened)


def show_jobs() -> bool:
    """Show all jobs, the newest first, anew every second while one runs; tell whether there are any."""
    found = jobs.list_jobs(settings=access.settings())
    if any(job.state == "running" for job in found):
        _follow_all()
    else:
        for job in found:
            _show(job)
    return bool(found)


@st.fragment(run_every=_EVERY_S)
def _follow(number: int) -> None:
    job = jobs.show_job(number, settings=access.settings())
    if job.state != "running":
        st.rerun()
    _show(job)


@st.fragment(run_every=_EVERY_S)
def _follow_all() -> None:
    found = jobs.list_jobs(settings=access.settings())
    if not any(job.state == "running" for job in found):
        st.rerun()
    for job in found:
        _show(job)


def _show(job: JobView, *, opened: bool = False) -> None:
    with st.container(border=True, key=f"job-{job.number}"):
        st.markdown(f"{_ICONS[job.state]} **{plain(job.title)}** — {job.state}")
        st.caption(f"job {job.number} · {job.kind} · started {job.started:%Y-%m-%d %H:%M:%S} UTC{_took(job)}")
        if job.state == "running":
            st.progress(job.share or 0.0, text=_how_far(job))
        if job.state == "failed":
            st.error(plain(job.reason))
        if job.state == "interrupted":
            st.warning("Its process ended without a word, as when the machine stops or somebody kills it.")
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_result(job)
            _show_button(job)
        _show_more(job, opened)


def _show_result(job: JobView) -> None:
    result = job.result or {}
    if "run_id" in result:
        query = {"run": str(result["run_id"])}
        st.page_link(
            addresses.RUN,
            label=f"Open run {result['run_id']}",
            icon=":material/monitoring:",
            query_params=query,
        )
    elif "comparison_id" in result:
        number = str(result["comparison_id"])
        st.page_link(
            addresses.COMPARISON,
            label=f"Open comparison {number}",
            icon=":material/compare_arrows:",
            query_params={"comparison": number},
        )


def _show_button(job: JobView) -> None:
    if job.state == "running":
        if st.button("Cancel", key=f"cancel-{job.number}", icon=":material/stop_circle:", **roles.control()):
            with st.spinner("Stopping …"):
                roles.operate(jobs.cancel_job, job.number, settings=access.settings())
            st.rerun()
    elif st.button(
        "Forget", key=f"forget-{job.number}", type="tertiary", **roles.control("Results in the store stay.")
    ):
        roles.operate(jobs.forget_job, job.number, settings=access.settings())
        st.query_params.pop("job", None)
        st.rerun()


def _show_more(job: JobView, opened: bool) -> None:
    view = job.view()
    if view is not None:
        with st.expander("What it found", expanded=opened, key=f"found-{job.number}"):
            draw_view(view, alt=f"Result of job {job.number}")
    with st.expander("What it ran", key=f"ran-{job.number}"):
        st.code(job.command, language=None, wrap_lines=True)


def _how_far(job: JobView) -> str:
    if job.total is None:
        return f"{job.done:,.0f} requests" if job.done else "Starting …"
    left = job.left_s(datetime.now(UTC))
    text = f"{job.done:,.0f} of {job.total:,.0f} requests"
    return text if left is None else f"{text}, about {format_duration(left)} left"


def _took(job: JobView) -> str:
    if job.ended is None:
        return ""
    return f" · took {format_duration((job.ended - job.started).total_seconds())}"
