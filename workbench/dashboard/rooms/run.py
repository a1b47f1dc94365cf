"""One run: its figures, its times, its queues and servers, and why to believe it."""

from __future__ import annotations

import streamlit as st

from workbench.dashboard import access, addresses, notices
from workbench.dashboard.drawing import plain, side_by_side
from workbench.dashboard.sections import collected, explained, failures, load, times, trust, window
from workbench.dashboard.sections.shown import ShownRun
from workbench.monitor.collection import ENGINE
from workbench.store import Run, Store


def page() -> None:
    """Show the run that the address names, or the newest."""
    run = _chosen_run(access.lake())
    if run is None:
        st.title("Run")
        notices.show_no_runs()
        return
    _show_header(run)
    if run.state != "complete":
        notices.show_unfinished(run)
        trust.show_scenario(run)
        return
    if run.engine == ENGINE:
        collected.show_collected(run)
        return
    kept = access.ask(_keeps_requests, run_id=run.run_id)
    shown = ShownRun(run, window.choose_window(run) if kept else None, kept)
    load.show_headline(shown)
    times.show_times(shown)
    failures.show_outages(shown)
    if kept:
        side_by_side(lambda: times.show_distribution(shown), lambda: times.show_over_time(shown))
    else:
        notices.show_no_requests(run.run_id)
    if load.has_many_servers(shown):
        side_by_side(lambda: load.show_queues(shown), lambda: load.show_servers(shown))
    else:
        load.show_queues(shown)
    if kept:
        times.show_slowest(shown)
    explained.show_explanation(shown)
    trust.show_trust(shown)
    trust.show_scenario(run)


def _chosen_run(store: Store) -> Run | None:
    number = addresses.asked_number("run")
    if number is not None:
        return store.run(number)
    newest = store.runs(limit=1, state="complete") or store.runs(limit=1)
    if newest:
        st.query_params["run"] = str(newest[0].run_id)
    return newest[0] if newest else None


def _keeps_requests(store: Store, *, run_id: int) -> bool:
    return bool(store.parts("requests", [run_id]))


def _comparisons_of(store: Store, *, run_id: int) -> list[int]:
    return [one.comparison_id for one in store.comparisons() if run_id in one.run_ids.values()]


def _show_header(run: Run) -> None:
    st.title(plain(f"{run.strategy} on {run.scenario}"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"run {run.run_id} · replication {run.replication} · seed {run.seed} · "
            f"started {run.started:%Y-%m-%d %H:%M} UTC",
            width="content",
        )
        st.page_link(
            addresses.HISTORY,
            label="its history, moment by moment",
            icon=":material/timeline:",
            query_params={"run": str(run.run_id)},
        )
        for number in access.ask(_comparisons_of, run_id=run.run_id):
            st.page_link(
                addresses.COMPARISON,
                label=f"part of comparison {number}",
                icon=":material/compare_arrows:",
                query_params={"comparison": str(number)},
            )


if __name__ == "__main__":
    page()
