"""What goes on now: a live run or a system that is watched, and what a live run is told to do."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, addresses
from workbench.dashboard.sections import present, starting, steering
from workbench.store import Store
from workbench.store.store import CATALOGUE_FILE
from workbench.workflows.present import newest_watched, show_present, watched_runs

_CHOSEN = "watched"
_MINUTES = {"1 min": 1.0, "3 min": 3.0, "10 min": 10.0, "1 h": 60.0}


def page() -> None:
    """Show the run that the address names, or the newest that goes on."""
    st.title("Now")
    starting.follow_start()
    # A lake that is only looked at must not be made.
    store = access.lake() if (access.settings().lake / CATALOGUE_FILE).is_file() else None
    runs = watched_runs(store) if store is not None else {}
    if store is None or not runs:
        st.info("No live run was started and no system was watched yet. Start a live run here, or watch:")
        st.code("workbench collect FILE    # real systems; docs/metrics.md", language=None)
        starting.show_start()
        return
    run_id, minutes = _choose(store, runs)
    shown = show_present(store, run_id=run_id, minutes=minutes)
    # Streamlit makes a chart whose data have changed anew, and with it forgets how far it was zoomed.
    follow = shown.goes_on and st.toggle(
        "Refresh every two seconds", True, key="refresh", help="Off to zoom into a chart and stay there."
    )
    if follow:
        present.follow_present(run_id, minutes)
    else:
        present.draw_present(shown)
    if not shown.goes_on:
        starting.show_ended(shown)
    if shown.live is not None and shown.goes_on:
        steering.show_steering(run_id, shown.names)
    with st.expander("Start a live run"):
        starting.show_start()


def _choose(store: Store, runs: dict[int, str]) -> tuple[int, float]:
    """Let a run and a stretch of time be chosen; both stand in the address."""
    asked = addresses.asked_number("run")
    if asked is not None and asked not in runs:
        show_present(store, run_id=asked)  # says what is wrong with it
    run_id = newest_watched(store) if asked is None else asked
    st.query_params["run"] = st.session_state[_CHOSEN] = str(run_id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Live run or watched system",
            [str(number) for number in runs],
            key=_CHOSEN,
            on_change=lambda: st.query_params.update({"run": st.session_state[_CHOSEN]}),
            format_func=lambda number: f"{number}: {runs[int(number)]}",
            width=360,
        )
        minutes = st.segmented_control(
            "The last", list(_MINUTES), default="3 min", key="last", bind="query-params", required=True
        )
    return int(chosen), _MINUTES[minutes]


if __name__ == "__main__":
    page()
