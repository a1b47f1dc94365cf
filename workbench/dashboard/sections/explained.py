"""Why one request went where it went."""

from __future__ import annotations

import streamlit as st

from workbench import workflows
from workbench.dashboard import access, addresses, roles
from workbench.dashboard.drawing import draw_view
from workbench.dashboard.sections import jobs
from workbench.dashboard.sections.shown import ShownRun
from workbench.workflows.jobs import start_job

_AT_ONCE = 200_000
"""Requests that are replayed while the page waits; more are replayed by a job."""


def show_explanation(shown: ShownRun) -> None:
    """Let a request be named, and tell what its balancer saw and which server would have been best."""
    st.subheader("Why did a request go where it went?")
    asked = addresses.asked_number("request")
    last = max(0, (shown.run.requests or 1) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        request = st.number_input(
            "Request",
            0,
            last,
            min(asked or 0, last),
            key=f"request {asked} of run {shown.run_id}",
            width=160,
            help="By its number, such as one of the slowest above; selecting one there fills it in.",
        )
        wanted = st.button("Explain", icon=":material/manage_search:") or asked is not None
    if not wanted:
        return
    st.query_params["request"] = str(request)
    if request >= _AT_ONCE:
        _show_job(shown, int(request))
        return
    with st.spinner("Replaying the run up to it …"):
        view = workflows.explain(shown.run_id, int(request), settings=access.settings())
    draw_view(view, alt=f"The servers as they stood when request {request} was sent")


def _show_job(shown: ShownRun, request: int) -> None:
    job = addresses.asked_number("job")
    if job is None:
        arguments = ["explain", str(shown.run_id), str(request)]
        title = f"why request {request} of run {shown.run_id} went where it went"
        job = roles.operate(start_job, arguments, title=title, settings=access.settings())
        st.query_params["job"] = str(job)
    jobs.show_job(job)
