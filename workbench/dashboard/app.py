"""The frame around the pages. Streamlit runs this file, or the project's `streamlit_app.py`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.dashboard import addresses, notices, roles
from workbench.dashboard.reach import make_reachable
from workbench.errors import WorkbenchError

# A file of ours: Streamlit would fetch a named icon from another host.
_ICON = Path(__file__).parent / "icon.svg"


def main() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="Balancer workbench", page_icon=_ICON, layout="wide")
    page = st.navigation(
        [
            st.Page(addresses.RUNS, title="Runs", icon=":material/list:", default=True),
            st.Page(addresses.NOW, title="Now", icon=":material/speed:"),
            st.Page(addresses.RUN, title="Run", icon=":material/monitoring:"),
            st.Page(addresses.HISTORY, title="History", icon=":material/timeline:"),
            st.Page(addresses.COMPARISON, title="Comparison", icon=":material/compare_arrows:"),
            st.Page(addresses.EXPERIMENTS, title="Experiments", icon=":material/science:"),
            st.Page(addresses.SWEEPS, title="Sweeps", icon=":material/grid_on:"),
            st.Page(addresses.ALERTS, title="Alerts", icon=":material/notifications:"),
            st.Page(addresses.BALANCER, title="Balancer", icon=":material/tune:"),
            st.Page(addresses.RECONCILIATION, title="Reconciliation", icon=":material/balance:"),
            st.Page(addresses.DATA, title="Data", icon=":material/database:"),
            st.Page(addresses.JOBS, title="Jobs", icon=":material/manufacturing:"),
        ],
        position="top",
    )
    make_reachable()
    try:
        roles.require_sign_in()
        page.run()
    except WorkbenchError as error:
        notices.show_error(error)


if __name__ == "__main__":
    main()
