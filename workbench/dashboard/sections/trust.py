"""Why a run may be believed, and what it was a run of."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, addresses, scenarios
from workbench.dashboard.sections.shown import ShownRun
from workbench.store import Run, queries

_HOLDS = 1e-9


def show_trust(shown: ShownRun) -> None:
    """Show what can be checked."""
    st.subheader("Why to believe it")
    pool = access.ask(queries.summary, run_id=shown.run_id).pool
    residual, inside = pool["little_residual"], pool["mean_in_system"]
    if residual is not None and inside is not None:
        verdict = "holds" if residual < _HOLDS else "does not hold"
        st.markdown(
            f"**Little's law {verdict}**: the engine counted {inside:.4g} requests in the pool on average "
            f"over time; rate × mean response time of the records differs from that by {residual:.1e} of it."
        )
    run = shown.run
    st.markdown(
        f"**It can be repeated**: seed {run.seed}, replication {run.replication} and the {run.engine} engine "
        f"of version {run.version} give the same records again, byte for byte."
    )


def show_scenario(run: Run) -> None:
    """Show the scenario, to be read or to be run again."""
    with st.expander("Scenario", icon=":material/description:"):
        st.code(scenarios.scenario_yaml(run), language="yaml")
        query = {"run": str(run.run_id), "file": f"run {run.run_id}"}
        st.page_link(
            addresses.EXPERIMENTS, label="Change it and run it", icon=":material/edit:", query_params=query
        )
