"""The history of one run: what happened when, and the requests of any window."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, addresses, notices
from workbench.dashboard.drawing import plain, side_by_side
from workbench.dashboard.sections import load, moments, times, window
from workbench.dashboard.sections.shown import ShownRun
from workbench.store import Run, Store
from workbench.workflows.running import check_simulated


def page() -> None:
    """Show the history of the run that the address names, or of the newest."""
    run = _chosen_run(access.lake())
    if run is None:
        st.title("History")
        notices.show_no_runs()
        return
    st.title(plain(f"History of {run.strategy} on {run.scenario}"))
    st.page_link(
        addresses.RUN,
        label=f"run {run.run_id} as a whole",
        icon=":material/monitoring:",
        query_params={"run": str(run.run_id)},
    )
    if run.state != "complete":
        notices.show_unfinished(run)
        return
    check_simulated(run)
    kept = access.ask(_keeps, run_id=run.run_id, table="requests")
    shown = ShownRun(run, window.choose_window(run) if kept else None, kept)
    load.show_headline(shown)
    times.show_times(shown)
    found = moments.happenings(shown)
    moments.show_happenings(found)
    if access.ask(_keeps, run_id=run.run_id, table="histograms"):
        side_by_side(
            lambda: moments.show_heat_map(shown, found), lambda: moments.show_percentiles(shown, found)
        )
    side_by_side(lambda: moments.show_balance(shown, found), lambda: moments.show_queue(shown, found))
    if not kept:
        notices.show_no_requests(run.run_id)
        return
    moments.show_rule(shown)
    moments.show_requests(shown)


def _chosen_run(store: Store) -> Run | None:
    number = addresses.asked_number("run")
    if number is not None:
        return store.run(number)
    newest = store.runs(limit=1, state="complete") or store.runs(limit=1)
    if newest:
        st.query_params["run"] = str(newest[0].run_id)
    return newest[0] if newest else None


def _keeps(store: Store, *, run_id: int, table: str) -> bool:
    return bool(store.parts(table, [run_id]))


if __name__ == "__main__":
    page()
