"""A balancer's configuration in versions: changed, tried, applied, taken back, imported and exported."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import roles
from workbench.dashboard.sections import balancing, carrying, trying


def page() -> None:
    """Show what holds, what a change would do and make, and what held before."""
    st.title("Balancer")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        balancer = balancing.choose_balancer()
        by = roles.ask_name()
    if balancer is not None:
        balancing.show_holding(balancer, by)
        trying.show_plan(balancer)
        trying.show_applying(balancer, by)
        balancing.show_versions(balancer, by)
    st.subheader("Files of proxies")
    carrying.show_import(balancer, by)
    if balancer is not None:
        carrying.show_export(balancer)


if __name__ == "__main__":
    page()
