"""A balancer's configuration in versions."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard.sections import balancing


def page() -> None:
    """Show what holds, and what held before."""
    st.title("Balancer")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        balancer = balancing.choose_balancer()
        by = st.text_input("You are", key="by", bind="query-params", placeholder="your name", width=200) or ""
    if balancer is None:
        return
    balancing.show_holding(balancer, by)
    balancing.show_versions(balancer, by)


if __name__ == "__main__":
    page()
