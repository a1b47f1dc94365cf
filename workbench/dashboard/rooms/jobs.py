"""Long work: what runs, what has ended, and what came of it."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import addresses
from workbench.dashboard.sections import jobs


def page() -> None:
    """Show the job that the address names, or all."""
    st.title("Jobs")
    number = addresses.asked_number("job")
    if number is not None:
        jobs.show_job(number)
        st.page_link(addresses.JOBS, label="All jobs", icon=":material/list:")
        return
    st.caption(
        "Each runs in a process of its own: closing this page, or the dashboard, stops none of them. "
        "What a cancelled one has stored stays, and the same work goes on from there."
    )
    if not jobs.show_jobs():
        st.info("No job has been started. Experiments, alerts and reconciliation start them.")


if __name__ == "__main__":
    page()
