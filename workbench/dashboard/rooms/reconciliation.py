"""Reconciliation: two ledgers matched, which confidence is enough, the review, and drift."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, roles
from workbench.dashboard.sections import deciding, matching, reviewing
from workbench.workflows import reconciliation_curves

_VIEWS = ("ledgers", "thresholds", "review", "evidence", "drift")


def page() -> None:
    """Show the view that the address names."""
    st.title("Reconciliation")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        plan = matching.choose_plan()
        by = roles.ask_name()
    view = st.segmented_control(
        "View",
        _VIEWS,
        default="ledgers",
        key="view",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    if view == "ledgers":
        matching.show_upload()
    if plan is None:
        return
    proposals = reconciliation_curves.proposals_file(plan, settings=access.settings())
    if view == "ledgers":
        matching.show_matching(plan)
    if proposals is None:
        st.info("These ledgers were not matched yet: train a model, then match, under ledgers.")
        return
    match view:
        case "thresholds":
            deciding.show_thresholds(proposals, by)
        case "review":
            reviewing.show_review(plan, proposals, by)
        case "evidence":
            reviewing.show_evidence(plan)
        case "drift":
            deciding.show_drift(proposals)
        case _:
            matching.show_curves(proposals)


if __name__ == "__main__":
    page()
